import { Histogram } from '../../../src/latency/histogram/histogram.ts';
import type { Block } from '../../../src/latency/probe/block.ts';
import { type ProbeRun, RunAssembly } from '../../../src/latency/probe/run.ts';

/** Jitter of a made-up CPU whose gaps are known: one of `gapNs` at the start of each of 100 blocks of 100 ms. */
const EPOCH_TICKS = 2n ** 60n;
const HZ = 2.5e9;

function blockOf(gapNs: number, block: number): Omit<Block, 'startNs'> {
  const histogram = new Histogram();
  histogram.record(gapNs);
  const recorded = [...histogram.recorded()];
  return {
    block,
    durationNs: 1e8,
    count: 1,
    minNs: gapNs,
    maxNs: gapNs,
    sumNs: gapNs,
    buckets: Uint32Array.from(recorded, ([bucket]) => bucket),
    counts: Uint32Array.from(recorded, ([, count]) => count),
  };
}

export function jitterRun(
  gapNs: number,
  { listed = 100, startNs = 0, result = {} }: { listed?: number; startNs?: number; result?: object } = {},
): ProbeRun {
  const assembly = new RunAssembly();
  const clock = { source: 'tsc', hz: HZ, quantumNs: 10, readNs: 8, orderedReadNs: 19, recordNs: 3, loopNs: 9 };
  const meta = {
    probe: 'jitter',
    version: '0.1.0',
    format: 1,
    streams: [{ id: 0, name: 'gap', cpu: 2, unit: 'ns', what: 'gaps' }],
    clock: { ...clock, epochTicks: `${EPOCH_TICKS}`, epochNs: '0' },
    thresholdNs: 1000,
    policy: 'other',
    fifoPriority: 0,
    durationNs: 1e10,
    warmupNs: 1e9,
    blockNs: 1e8,
    controlShared: false,
    memoryLocked: true,
  };
  assembly.add({ type: 'meta', json: meta });
  for (let block = 0; block < 100; block++) {
    assembly.add({ type: 'block', stream: 0, startRawNs: BigInt(block) * 100_000_000n, block: blockOf(gapNs, block) });
  }
  const ticksAt = (ns: number) => EPOCH_TICKS + BigInt(Math.round((ns * HZ) / 1e9));
  const starts = BigUint64Array.from({ length: listed }, (_, i) => ticksAt(i * 1e8));
  const ends = BigUint64Array.from({ length: listed }, (_, i) => ticksAt(i * 1e8 + gapNs));
  assembly.add({ type: 'gaps', stream: 0, gaps: { starts, ends } });
  const thread = {
    cpu: 2,
    cpuLastSeen: 2,
    involuntarySwitches: 0,
    voluntarySwitches: 0,
    minorFaults: 0,
    majorFaults: 0,
  };
  assembly.add({
    type: 'result',
    json: {
      calibration: { startHz: HZ, endHz: HZ, ppm: 0.1, errorPpm: 0.2 },
      startTicks: `${ticksAt(startNs)}`,
      threads: [thread],
      cpuLastSeen: [2],
      involuntarySwitches: 0,
      voluntarySwitches: 0,
      minorFaults: 0,
      majorFaults: 0,
      lost: {},
      ...result,
    },
  });
  return assembly.finish() as ProbeRun;
}
