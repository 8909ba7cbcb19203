import { BINS_PER_DECADE } from '../latency/report/curve.ts';
import type { Series } from '../latency/report/plots.ts';
import type { LatencyRecord } from '../latency/report/record.ts';
import type { LatencyRow } from '../latency/report/row.ts';
import { QUANTILES, type QuantileName } from '../latency/targets/target.ts';
import { type Family, gauge, type Labels, type Sample } from './exposition.ts';

/** Of one variant of a probe: a full suite has a row for each pair of CPUs. */
export const ROWS_OF_VARIANT_MAX = 16;
const CAUSES_MAX = 20;
/** 2.2, 4.6, 10: enough for a plot over time, and few series. */
const BINS_OF_BUCKET = BINS_PER_DECADE / 3;

/** The last measurement that is kept on the host. `nowMs`: Unix time of this host, whose clock wrote the measurement's. */
export function latencyFamilies({ time, version, result, plots }: LatencyRecord, nowMs: number): readonly Family[] {
  const { rows, leftOut } = chooseRows(result.probes);
  const { profile, suite, hypervisor, cut, summary } = result;
  return [
    gauge('hft_latency_measurement_age_seconds', 'How long ago the last `hft verify latency` began.', [
      [{}, Math.max(0, (nowMs - Date.parse(time)) / 1000)],
    ]),
    gauge('hft_latency_measurement_info', '1: what the last measurement is one of.', [
      [{ profile: profile?.name ?? '', suite, hypervisor: hypervisor ?? '', version }, 1],
    ]),
    gauge('hft_latency_measurement_cut', '1: it was ended early, and nothing is judged.', [[{}, Number(cut)]]),
    gauge(
      'hft_latency_verdicts',
      'Rows of the last measurement by verdict.',
      Object.entries(summary).map(([name, count]) => [{ verdict: VERDICTS[name] ?? name }, count]),
    ),
    ...rowFamilies(rows),
    ...targetFamilies(rows),
    gauge(
      'hft_latency_distribution_ratio',
      'The share of samples of the last measurement that took at most `up_to` seconds.',
      plots.series.flatMap(distributionOf),
    ),
    gauge('hft_latency_rows_left_out', 'Rows of the last measurement beyond the slowest of each variant.', [
      [{}, leftOut],
    ]),
    ...disturbanceFamilies(result.disturbances.slice(0, CAUSES_MAX)),
  ];
}

const VERDICTS: Readonly<Record<string, string>> = { notMeasured: 'not_measured', notJudged: 'not_judged' };

/** Those that missed a limit first, then the slowest. */
function chooseRows(all: readonly LatencyRow[]): { readonly rows: readonly LatencyRow[]; readonly leftOut: number } {
  const badness = ({ verdict, percentiles }: LatencyRow) =>
    (verdict === 'fail' ? 1e15 : 0) + (percentiles.p99 ?? percentiles.p50 ?? percentiles.max ?? 0);
  const known = new Map<string, number>();
  const rows = [...all]
    .sort((one, other) => badness(other) - badness(one))
    .filter((row) => {
      const variant = `${row.name} ${row.variant} ${row.part} ${row.load}`;
      const before = known.get(variant) ?? 0;
      known.set(variant, before + 1);
      return before < ROWS_OF_VARIANT_MAX;
    });
  return { rows, leftOut: all.length - rows.length };
}

function labelsOf({ name, variant, part, cpus, load }: LatencyRow): Labels {
  return { probe: name, variant, part: part ?? '', cpus: cpus.join(','), load };
}

function rowFamilies(rows: readonly LatencyRow[]): readonly Family[] {
  // A row for each target: what was measured is the same.
  const measured = [...new Map(rows.map((row) => [JSON.stringify(labelsOf(row)), row])).values()];
  return [
    gauge(
      'hft_latency_seconds',
      'Percentiles of the last measurement: a latency, or the delay of a random arrival.',
      measured.flatMap((row) =>
        QUANTILES.flatMap(({ name }): Sample[] => {
          const ns = row.percentiles[name];
          return ns === null ? [] : [[{ ...labelsOf(row), percentile: name.slice(1) }, inSeconds(ns)]];
        }),
      ),
    ),
    gauge(
      'hft_latency_bound_seconds',
      'The 95 % interval of a percentile; where nothing bounds it from above, there is no upper one.',
      measured.flatMap((row) => QUANTILES.flatMap(({ name }) => boundsOf(row, name))),
    ),
    gauge(
      'hft_latency_max_seconds',
      'The longest sample of the last measurement.',
      measured.flatMap((row): Sample[] =>
        row.percentiles.max === null ? [] : [[labelsOf(row), inSeconds(row.percentiles.max)]],
      ),
    ),
    gauge(
      'hft_latency_samples',
      'Samples of the last measurement.',
      measured.map((row) => [labelsOf(row), row.samples]),
    ),
  ];
}

function boundsOf(row: LatencyRow, name: QuantileName): Sample[] {
  if (row.percentiles[name] === null) return [];
  const { lower, upper } = row.interval[name];
  const labels = { ...labelsOf(row), percentile: name.slice(1) };
  const below: Sample = [{ ...labels, bound: 'lower' }, inSeconds(lower)];
  return upper === null ? [below] : [below, [{ ...labels, bound: 'upper' }, inSeconds(upper)]];
}

function targetFamilies(rows: readonly LatencyRow[]): readonly Family[] {
  return [
    gauge(
      'hft_latency_target_seconds',
      'The limit of the profile.',
      rows.flatMap((row) =>
        QUANTILES.flatMap(({ name }): Sample[] => {
          const ns = row.target?.[name];
          if (row.target === null || ns === undefined) return [];
          return [[{ ...labelsOf(row), percentile: name.slice(1), target: row.target.name }, inSeconds(ns)]];
        }),
      ),
    ),
    gauge(
      'hft_latency_target_met',
      '1: the limits of this target are met; 0: one is missed; neither: it takes a longer run to say.',
      rows.flatMap((row): Sample[] => {
        const { target, verdict } = row;
        if (target === null || (verdict !== 'pass' && verdict !== 'fail')) return [];
        return [[{ ...labelsOf(row), target: target.name }, Number(verdict === 'pass')]];
      }),
    ),
  ];
}

/** Cumulative, up to the bin in which the longest sample is. */
function distributionOf({ probe, variant, stage, cpus, bins }: Series): Sample[] {
  const labels = { probe, variant, part: stage ?? '', cpus: cpus.join(',') };
  const inBins = bins.shares.reduce((sum, share) => sum + share, 0);
  const samples: Sample[] = [];
  // What lies at 0 is in no bin.
  let below = Math.max(0, 1 - inBins);
  for (const [index, share] of bins.shares.entries()) {
    below += share;
    const end = bins.first + index + 1;
    if (end % BINS_OF_BUCKET !== 0 && index < bins.shares.length - 1) continue;
    const upTo = Math.ceil(end / BINS_OF_BUCKET) * BINS_OF_BUCKET;
    const edgeS = Number(inSeconds(10 ** (upTo / BINS_PER_DECADE)).toPrecision(3));
    samples.push([{ ...labels, up_to: String(edgeS) }, Number(Math.min(1, below).toPrecision(9))]);
  }
  return samples;
}

function disturbanceFamilies(disturbances: LatencyRecord['result']['disturbances']): readonly Family[] {
  const known = [...new Map(disturbances.map((each) => [`${each.kind} ${each.cause}`, each])).values()];
  return [
    gauge(
      'hft_latency_disturbance_seconds',
      'What a cause took of the CPUs in the last measurement.',
      known.map(({ cause, kind, totalNs }) => [{ cause, kind }, inSeconds(totalNs)]),
    ),
    gauge(
      'hft_latency_disturbances',
      'How often a cause took a CPU in the last measurement.',
      known.map(({ cause, kind, count }) => [{ cause, kind }, count]),
    ),
  ];
}

/** 1800 is 0.0000018, not 0.0000018000000000000001. */
function inSeconds(ns: number): number {
  return Number((ns / 1e9).toPrecision(12));
}
