import { Histogram } from '../../../../src/latency/histogram/histogram.ts';
import { type ProbeRun, RunAssembly } from '../../../../src/latency/probe/run.ts';

/** A run of hft-probe, made up: what each stream samples is given by a function. */
export interface MadeRun {
  readonly probe: string;
  readonly streams: readonly { readonly name: string; readonly cpu: number; readonly peer?: number }[];
  readonly meta?: object;
  readonly blocks?: number;
  readonly blockNs?: number;
  readonly samplesPerBlock?: number;
  readonly sampleNs: (random: () => number, stream: number, block: number) => number;
}

const CLOCK = {
  source: 'tsc',
  hz: 1e9,
  quantumNs: 1,
  readNs: 8,
  orderedReadNs: 19,
  recordNs: 3,
  loopNs: 9,
  epochTicks: '0',
  epochNs: '0',
};

export function makeRun(made: MadeRun): ProbeRun {
  const { probe, streams, blocks = 100, blockNs = 1e8, samplesPerBlock = 200, sampleNs } = made;
  const assembly = new RunAssembly();
  const meta = {
    probe,
    version: '0.1.0',
    format: 1,
    streams: streams.map((stream, id) => ({ id, unit: 'ns', what: '', ...stream })),
    clock: CLOCK,
    policy: 'other',
    fifoPriority: 0,
    durationNs: blocks * blockNs,
    warmupNs: 1e9,
    blockNs,
    controlShared: false,
    memoryLocked: true,
    ...made.meta,
  };
  assembly.add({ type: 'meta', json: meta });
  const random = numbersFrom(7);
  streams.forEach((_, stream) => {
    for (let block = 0; block < blocks; block++) {
      const histogram = new Histogram();
      for (let i = 0; i < samplesPerBlock; i++) histogram.record(Math.round(sampleNs(random, stream, block)));
      const { buckets, counts, ...rest } = histogram.toBlock({ startNs: 0, durationNs: blockNs });
      const frame = { ...rest, block, buckets, counts: Uint32Array.from(counts) };
      assembly.add({ type: 'block', stream, startRawNs: BigInt(block) * BigInt(blockNs), block: frame });
    }
  });
  const calibration = { startHz: 1e9, endHz: 1e9, ppm: 0.1, errorPpm: 0.2 };
  const counters = { involuntarySwitches: 0, voluntarySwitches: 0, minorFaults: 0, majorFaults: 0 };
  assembly.add({
    type: 'result',
    json: { calibration, startTicks: '0', threads: [], cpuLastSeen: [], ...counters, lost: {} },
  });
  return assembly.finish() as ProbeRun;
}

/** Reproducible, 0 to 1 (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Lognormal around `medianNs`, with a tail of one in `rarity` that is `factor` times as long. */
export function longTailed(medianNs: number, { rarity = 500, factor = 20 } = {}) {
  return (random: () => number): number => {
    const normal = Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
    const tail = random() < 1 / rarity ? factor * (1 + random()) : 1;
    return medianNs * Math.exp(0.2 * normal) * tail;
  };
}
