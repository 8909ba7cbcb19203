import type { Block } from '../histogram/block.ts';
import { Histogram } from '../histogram/histogram.ts';
import { type LoggedInterval, writeHdrLog } from '../histogram/log-write.ts';
import type { LoadKind } from '../probe/load.ts';
import type { Measure } from '../probe/probe.ts';
import type { Outcome } from './result.ts';

/** HDR tools draw a point per line: blocks of 100 ms would be more than anybody looks at. */
const INTERVAL_NS = 1_000_000_000;

/**
 * Everything that was measured as one HDR log, a line for each second and stream. Tags: `wakeup/other/cpu1/open`; of jitter the
 * histograms are of the gaps (`jitter/cpu1/gaps`), not of delays. A load is named behind the variant (`load-network`).
 */
export function logMeasurements(outcomes: readonly Outcome[], startEpochS: number): string {
  const intervals = outcomes.flatMap(({ probe, variant, measured, startedEpochS }) => {
    if (measured.status !== 'measured') return [];
    const { measures } = probe.report(measured.run, variant);
    return measures.flatMap((measure) =>
      listSeconds(measure.blocks).map((blocks): LoggedInterval => {
        const [first] = blocks;
        return {
          tag: tagOf([probe.name, variant.name, sayLoad(measured.load?.kind)], measure),
          startEpochS: startedEpochS + (first?.startNs ?? 0) / 1e9,
          durationNs: blocks.reduce((sum, { durationNs }) => sum + durationNs, 0),
          histogram: Histogram.ofBlocks(blocks),
        };
      }),
    );
  });
  return writeHdrLog(intervals, startEpochS);
}

function listSeconds(blocks: readonly Block[]): Block[][] {
  const seconds = new Map<number, Block[]>();
  for (const block of blocks.filter(({ durationNs }) => durationNs > 0)) {
    const second = Math.floor(block.startNs / INTERVAL_NS);
    seconds.set(second, [...(seconds.get(second) ?? []), block]);
  }
  return [...seconds.values()];
}

function sayLoad(kind: LoadKind | undefined): string {
  return kind === undefined ? '' : `load ${kind}`;
}

function tagOf(names: readonly string[], { cpus, samples, rule }: Measure): string {
  const parts = [...names, `cpu${cpus.join('-')}`, samples === 'gap' ? 'gaps' : rule];
  return parts
    .filter((part) => part !== '')
    .join('/')
    .replaceAll(/[\s,]+/g, '-');
}
