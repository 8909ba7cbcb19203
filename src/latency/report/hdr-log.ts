import type { Block } from '../histogram/block.ts';
import { Histogram } from '../histogram/histogram.ts';
import { type LoggedInterval, writeHdrLog } from '../histogram/log-write.ts';
import type { LoadKind } from '../probe/load.ts';
import type { Measure } from '../probe/probe.ts';
import type { Outcome } from './result.ts';

/** HDR tools draw a point per line: blocks of 100 ms would be more than anybody looks at. */
const INTERVAL_NS = 1_000_000_000;

/** How the blocks of a stream become the intervals of a log. */
type Grouping = (blocks: readonly Block[]) => Block[][];

/**
 * Everything that was measured as one HDR log, a line for each second (or as `group` has it) and stream. Tags:
 * `wakeup/other/cpu1/open`, `pipeline/rate-1M-memory/risk/cpu3-4/open`; of jitter the histograms are of the gaps (`jitter/cpu1/gaps`), not of delays. A load is named behind
 * the variant (`load-network`).
 */
export function logMeasurements(
  outcomes: readonly Outcome[],
  startEpochS: number,
  group: Grouping = groupSeconds,
): string {
  const intervals = outcomes.flatMap(({ probe, variant, measured, startedEpochS }) => {
    if (measured.status !== 'measured') return [];
    const { measures } = probe.report(measured.run, variant);
    return measures.flatMap((measure) =>
      group(measure.blocks.filter(({ durationNs }) => durationNs > 0)).map((blocks): LoggedInterval => {
        const [first] = blocks;
        return {
          tag: tagOf({ probe: probe.name, variant: variant.name, load: measured.load?.kind ?? 'none' }, measure),
          startEpochS: startedEpochS + (first?.startNs ?? 0) / 1e9,
          durationNs: blocks.reduce((sum, { durationNs }) => sum + durationNs, 0),
          histogram: Histogram.ofBlocks(blocks),
        };
      }),
    );
  });
  return writeHdrLog(intervals, startEpochS);
}

function groupSeconds(blocks: readonly Block[]): Block[][] {
  const seconds = new Map<number, Block[]>();
  for (const block of blocks) {
    const second = Math.floor(block.startNs / INTERVAL_NS);
    seconds.set(second, [...(seconds.get(second) ?? []), block]);
  }
  return [...seconds.values()];
}

/** The tag of a measure's stream, also of the row that was made of it. */
export function tagOf(
  { probe, variant, load }: { readonly probe: string; readonly variant: string; readonly load: 'none' | LoadKind },
  {
    cpus,
    samples,
    rule,
    part,
    isSynthetic,
    isSplit,
  }: Pick<Measure, 'cpus' | 'samples' | 'rule' | 'isSynthetic' | 'isSplit'> & {
    readonly part?: string | null;
  },
): string {
  const loaded = load === 'none' ? '' : `load ${load}`;
  const parts = [
    probe,
    variant,
    loaded,
    isSynthetic || isSplit ? (part ?? '') : '',
    `cpu${cpus.join('-')}`,
    samples === 'gap' ? 'gaps' : rule,
  ];
  return parts
    .filter((part) => part !== '')
    .join('/')
    .replaceAll(/[\s,]+/g, '-');
}
