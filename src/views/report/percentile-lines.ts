import type { Series } from '../../latency/report/plots.ts';
import type { LatencyRow } from '../../latency/report/row.ts';
import { QUANTILES } from '../../latency/targets/target.ts';
import type { BaselinePart } from './input.ts';
import { LINE_KINDS } from './mark.ts';

/** Variants of a probe together, as many as can be told apart: the worst of each variant first, then the next of each. */
export function groupSeries(series: readonly Series[]): Series[][] {
  const probes = [...new Set(series.map(({ probe }) => probe))];
  return probes.flatMap((probe) => {
    const own = series.filter((each) => each.probe === probe);
    const variants = [...new Set(own.map(({ variant }) => variant))];
    return chunk(variants).map((names) => {
      const byVariant = names.map((name) => own.filter(({ variant }) => variant === name).sort(byMaximum));
      const rounds = Array.from({ length: LINE_KINDS }, (_, round) => byVariant.flatMap((list) => list[round] ?? []));
      return rounds.flat().slice(0, LINE_KINDS);
    });
  });
}

function chunk<T>(list: readonly T[]): T[][] {
  const parts = Math.ceil(list.length / LINE_KINDS);
  return Array.from({ length: parts }, (_, part) => list.slice(part * LINE_KINDS, (part + 1) * LINE_KINDS));
}

function byMaximum(one: Pick<Series, 'curve'>, other: Pick<Series, 'curve'>): number {
  return maximum(other) - maximum(one);
}

export function maximum({ curve }: Pick<Series, 'curve'>): number {
  return curve.at(-1)?.[1] ?? 0;
}

/** The same CPUs where they were measured before, else the worst of the same variant: tuning may have moved the isolated CPUs. */
export function findBefore(
  { probe, stage, variant, cpus }: Series,
  baseline: BaselinePart | undefined,
): Before | undefined {
  if (baseline === undefined) return undefined;
  const known = baseline.plots?.series ?? baseline.result.probes.map(curveOfRow);
  const isOfProbe = (each: Before) => each.probe === probe && each.stage === stage && each.variant === variant;
  const same = known.filter((each) => isOfProbe(each) && each.curve.length > 0);
  return same.find((each) => each.cpus.join() === cpus.join()) ?? [...same].sort(byMaximum)[0];
}

/** A line of what was measured before. */
export type Before = Pick<Series, 'probe' | 'stage' | 'variant' | 'cpus' | 'curve' | 'floorNs'>;

/** The percentiles of a row, where no more is known of it. */
function curveOfRow({ name, part, synthetic, split, variant, cpus, percentiles, floorNs }: LatencyRow): Before {
  const curve = QUANTILES.flatMap(({ name: quantile, q }) => {
    const ns = percentiles[quantile];
    return ns === null ? [] : [[1 - q, ns] as const];
  });
  return { probe: name, ...((synthetic || split) && part !== null && { stage: part }), variant, cpus, curve, floorNs };
}
