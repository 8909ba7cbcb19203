import { exposureOf } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/run.ts';
import { gapsOf } from './gaps.ts';
import { middleNs } from './observed.ts';

/** What all CPUs of one jitter run suffered together. */
export interface Suffered {
  /** Of all CPUs. */
  readonly exposureNs: number;
  /** The shortest gap that is seen. */
  readonly thresholdNs: number;
  /** Of the time, 0 to 1. */
  readonly stolenShare: number;
  readonly gapsPerSecond: number;
  /** What something waits that arrives at a random time, on average: the sum of half the squares of gaps, by the time. */
  readonly meanDelayNs: number;
}

/** undefined: the run watched no time. */
export function sufferedIn(run: ProbeRun): Suffered | undefined {
  let [exposureNs, count, stolenNs, squares] = [0, 0, 0, 0];
  for (const stream of run.streams.filter(({ name }) => name === 'gap')) {
    exposureNs += exposureOf(stream.blocks);
    for (const { startNs, endNs } of gapsOf(run, stream, middleNs)) {
      count++;
      stolenNs += endNs - startNs;
      squares += (endNs - startNs) ** 2;
    }
  }
  if (exposureNs === 0) return undefined;
  return {
    exposureNs,
    thresholdNs: run.meta.thresholdNs ?? run.meta.clock.loopNs,
    stolenShare: stolenNs / exposureNs,
    gapsPerSecond: (count * 1e9) / exposureNs,
    meanDelayNs: squares / 2 / exposureNs,
  };
}
