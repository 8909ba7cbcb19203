import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Histogram } from '../../../../src/latency/histogram/histogram.ts';
import { network } from '../../../../src/latency/network/network.ts';
import { proveOneWay } from '../../../../src/latency/network/one-way.ts';
import type { Block } from '../../../../src/latency/probe/block.ts';
import type { ProbeRun } from '../../../../src/latency/probe/run.ts';
import { isMeantFor, listTargets } from '../../../../src/latency/targets/target.ts';
import { compileStrictly, makeFolder } from '../program.ts';
import { askPeer, runOrComplaint, startResponder } from './responder.ts';

/** One way is a figure only where the clocks prove it. The runs are real ones whose clocks are said to be others. */
const folder = makeFolder();
let program: string;
let real: ProbeRun;
beforeAll(async () => {
  program = compileStrictly(folder.path);
  const responder = await startResponder(program);
  real = runOrComplaint(await askPeer(program, responder.address));
  await responder.end();
});
afterAll(() => folder.remove());

type Bounds = readonly [lowNs: number, highNs: number];

interface Clocks {
  readonly sameClock?: boolean;
  readonly offsetNs?: number;
  readonly bounds: Bounds;
  readonly first?: Bounds;
  readonly second?: Bounds;
  /** The distance from UTC of each end. */
  readonly errors?: readonly [here: number, peer: number | undefined];
  /** Half of the messages take at least this. */
  readonly wayNs?: number;
}

function runWith({
  sameClock = false,
  offsetNs = 0,
  bounds,
  first,
  second,
  errors,
  wayNs = 100_000,
}: Clocks): ProbeRun {
  const told = real.meta.network;
  if (told === undefined) throw new Error('no network in META');
  const of = ([lowNs, highNs]: Bounds) => ({ lowNs, highNs, trips: 9 });
  const [here, peer] = errors ?? [];
  const known = (clockErrorNs: number | undefined) => (clockErrorNs === undefined ? {} : { clockErrorNs });
  return {
    ...real,
    meta: {
      ...real.meta,
      network: { ...told, sameClock, here: { ...told.here, ...known(here) }, peer: { ...told.peer, ...known(peer) } },
    },
    streams: real.streams.map((stream) =>
      stream.part?.endsWith('-there') === true ? { ...stream, blocks: [blockOf(wayNs)] } : stream,
    ),
    result: {
      ...real.result,
      clocks: {
        offsetNs,
        bounds: of(bounds),
        ...(first && { firstHalf: of(first) }),
        ...(second && { secondHalf: of(second) }),
      },
    },
  };
}

function blockOf(ns: number): Block {
  const histogram = new Histogram();
  histogram.record(ns, 100);
  const { buckets, counts, ...block } = histogram.toBlock({ startNs: 0, durationNs: 1e8 });
  return { block: 0, ...block, buckets: Uint32Array.from(buckets), counts: Uint32Array.from(counts) };
}

const variant = { name: 'v', cpus: [0], spins: true, policy: 'other', options: {} } as const;
const partsOf = (run: ProbeRun) => network.report(run, variant).measures.map(({ part }) => part);

describe('between two kernels', () => {
  test('half of the quickest round trip is as far as the clocks are known, and more than a tenth of the way', () => {
    const run = runWith({ offsetNs: 500, bounds: [-20_000, 21_000] });
    expect(proveOneWay(run)).toEqual({
      why: 'One way: n/a, the clocks are -20000 to 21000 ns apart, known within ±20500 ns, more than a tenth of the way itself.',
    });
    expect(partsOf(run)).not.toContain('udp-there');
    expect(network.report(run, variant).findings).toContainEqual(expect.objectContaining({ kind: 'one-way-unproven' }));
    expect(partsOf(run)).toContain('udp-wire');
  });

  test('a way that is ten times longer than that is a figure, with its error', () => {
    const run = runWith({ offsetNs: 500, bounds: [-4500, 5500], wayNs: 50_000 });
    expect(proveOneWay(run)).toMatchObject({ errorNs: 5000 });
    expect(partsOf(run)).toContain('udp-there');
    const { measures } = network.report(run, variant);
    const errorOf = (part: string) => measures.find((measure) => measure.part === part)?.peer?.clockErrorNs;
    expect([errorOf('udp-there'), errorOf('udp-back'), errorOf('udp-wire')]).toEqual([5000, 5000, undefined]);
    expect(partsOf(runWith({ offsetNs: 500, bounds: [-4500, 5500], wayNs: 49_000 }))).not.toContain('udp-there');
  });

  test('an estimate at the edge of what is possible is as wrong as the other edge is far', () => {
    expect(proveOneWay(runWith({ offsetNs: -4500, bounds: [-4500, 5500] }))).toMatchObject({ errorNs: 10_000 });
  });

  test('the distance of both from UTC narrows it', () => {
    const run = runWith({ bounds: [-50_000, 50_000], errors: [3000, 4000] });
    expect(proveOneWay(run)).toMatchObject({ errorNs: 7000 });
  });

  test('and is no proof when it contradicts what the messages show, or one end does not know', () => {
    expect(proveOneWay(runWith({ offsetNs: 50_000, bounds: [40_000, 60_000], errors: [3000, 4000] }))).toEqual({
      why: 'One way: n/a, what chrony says of both clocks contradicts what the messages show.',
    });
    const run = runWith({ bounds: [-50_000, 50_000], errors: [3000, undefined] });
    expect(proveOneWay(run).errorNs).toBeUndefined();
  });

  test.each<[string, Clocks]>([
    ['so far that no offset fits all', { bounds: [10, -10] }],
    ['between the halves', { bounds: [-10, 10], first: [-900, -800], second: [800, 900] }],
  ])('clocks that drift apart %s', (_, clocks) => {
    expect(proveOneWay(runWith(clocks)).why).toContain('drifted apart, or were set, during the run');
    expect(proveOneWay(runWith(clocks)).errorNs).toBeUndefined();
  });

  test('the drift that the halves show is told', () => {
    const run = runWith({ bounds: [-100, 100], first: [-200, 100], second: [-100, 300] });
    expect(proveOneWay(run).why).toContain('Between the halves of the run the estimate moved by 150 ns.');
  });
});

describe('on one kernel', () => {
  test('it is one clock', () => {
    expect(proveOneWay(runWith({ sameClock: true, bounds: [-90, 80] }))).toMatchObject({ errorNs: 0 });
  });

  test('unless that was set meanwhile', () => {
    expect(proveOneWay(runWith({ sameClock: true, bounds: [10, 80] })).errorNs).toBeUndefined();
  });
});

test('a limit of a round trip does not judge its parts, one that names a part does', () => {
  const { measures } = network.report(real, variant);
  const [any, wire] = listTargets({
    any: { probe: 'network', load: 'none', p50: 1 },
    wire: { probe: 'network', load: 'none', part: 'udp-wire', p50: 1 },
  });
  if (any === undefined || wire === undefined) throw new Error('no targets');
  const judged = (target: typeof any) =>
    measures
      .filter((measure) => isMeantFor(target, 'network', { measure, variant, load: 'none' }))
      .map(({ part }) => part);
  expect(judged(any)).toEqual(['udp']);
  expect(judged(wire)).toEqual(['udp-wire']);
});

describe('what chrony says', () => {
  const read = (line: string) => {
    const { stdout } = spawnSync(program, ['self-test', 'chrony'], { input: `${line}\n`, encoding: 'utf8' });
    const [isKnown, mostNs, ...who] = stdout.trim().split(' ');
    return { isKnown: isKnown === '1', mostNs: Number(mostNs), who: who.join(' ') };
  };
  const tracking = (changes: Readonly<Record<number, string>>) => {
    const fields =
      'A9FEA97B,169.254.169.123,4,1795289590.1,-0.000002500,0.000001,0.000002,-12.3,0.001,0.02,0.000400000,0.000100000,16.2,Normal';
    return fields
      .split(',')
      .map((field, index) => changes[index] ?? field)
      .join(',');
  };

  test('is half of the root delay, the root dispersion and what is still to be corrected', () => {
    // 200 us + 100 us + 2.5 us, and one ns for rounding.
    expect(read(tracking({}))).toEqual({ isKnown: true, mostNs: 302_501, who: 'chrony, stratum 4' });
  });

  test.each([
    ['that has not synchronised', tracking({ 0: '00000000', 1: '', 13: 'Not synchronised' })],
    ['of which something is missing', tracking({}).split(',').slice(0, 9).join(',')],
    ['that says nothing', ''],
  ])('is no proof of a clock %s', (_, line) => {
    expect(read(line)).toMatchObject({ isKnown: false, mostNs: 0 });
  });
});
