import { describe, expect, test } from 'vitest';
import type { Surroundings } from '../../../../src/latency/attribution/artefacts.ts';
import {
  type AttributedRun,
  attribute,
  GAPS_LISTED,
  type Observed,
} from '../../../../src/latency/attribution/attribute.ts';
import { readCounters } from '../../../../src/latency/attribution/counters.ts';
import { FakeHost } from '../../../fake-host.ts';
import { buildMachine } from '../../../machine-builder.ts';
import { readFixture } from './fixture.ts';

const machine = buildMachine({ irqs: [{ irq: 35, device: 'ens1', queue: 'TxRx-2' }], threads: 2 });
const around: Surroundings = {
  realtime: { runtimeUs: -1, periodUs: 1_000_000 },
  fairServerNs: new Map(),
  frequencyKhz: new Map(),
  clocksource: 'tsc',
};
const clock: AttributedRun['clock'] = {
  source: 'tsc',
  hz: 1e9,
  quantumNs: 1,
  readNs: 10,
  orderedReadNs: 20,
  recordNs: 2,
  loopNs: 10,
  epochTicks: 1_000_000_000n,
  epochNs: 0n,
};

async function observe(changes: Partial<Observed> = {}): Promise<Observed> {
  const counters = await readCounters(new FakeHost(), [3]);
  return {
    tier: 'A',
    why: 'osnoise',
    missed: [],
    trace: {
      tier: 'A',
      clock: 'x86-tsc',
      cpus: [{ cpu: 3, text: readFixture('6.12-osnoise'), stats: { overrun: 0, dropped: 0 } }],
    },
    counted: { before: counters, after: counters, irqs: machine.irqs },
    surroundings: { before: around, after: around },
    siblings: new Map(),
    ...changes,
  };
}

function stolen(pairs: readonly (readonly [number, number])[], more = 0) {
  const listed = pairs.reduce((sum, [start, end]) => sum + end - start, 0);
  const at = (ticks: number) => clock.epochTicks + BigInt(ticks);
  const gaps = {
    starts: BigUint64Array.from(pairs, ([start]) => at(start)),
    ends: BigUint64Array.from(pairs, ([, end]) => at(end)),
  };
  return { cpu: 3, exposureNs: 1e6, stolenShare: (listed + more) / 1e6, gaps };
}

const run: AttributedRun = { clock, policy: 'other' };
const GAPS = [
  [0, 2500],
  [10_000, 10_400],
  [15_000, 15_500],
] as const;

describe('a run joined with its trace', () => {
  test('explained and unexplained add up to what was stolen, also of gaps that are not listed', async () => {
    const { unexplained, ...found } = attribute(await observe(), run, [stolen(GAPS, 600)]);
    expect(found).toMatchObject({ tier: 'A', stolenNs: 4000, explainedNs: 2250, explainedFraction: 2250 / 4000 });
    expect(unexplained).toEqual({ outsideKernelNs: 500, besideCausesNs: 650, notRecordedNs: 0, unlistedNs: 600 });
    expect(found.causes.find(({ kind }) => kind === 'irq')).toEqual({
      cause: 'interrupt ens1/TxRx-2',
      kind: 'irq',
      cpu: 3,
      count: 1,
      totalNs: 200,
      maxNs: 200,
      explained: true,
      fix: 'irq.affinity@ens1/TxRx-2',
    });
  });

  test('lost events are said', async () => {
    const text = readFixture('6.1-rt');
    const trace = {
      tier: 'B' as const,
      clock: 'x86-tsc' as const,
      cpus: [{ cpu: 3, text: `${text}torn`, stats: { overrun: 10, dropped: 1 } }],
    };
    const { artefacts } = attribute(await observe({ tier: 'B', trace }), run, [stolen(GAPS)]);
    expect(artefacts.map(({ text: said }) => said)).toEqual([
      '18 events of CPU 3 found no room beside 16: gaps without them are not explained.',
      '1 lines of the trace of CPU 3 could not be read.',
    ]);
  });

  test('a CPU that was not recorded is not outside the kernel', async () => {
    const { unexplained, causes } = attribute(await observe(), run, [{ ...stolen(GAPS), cpu: 4 }]);
    expect(causes).toEqual([]);
    expect(unexplained).toEqual({ outsideKernelNs: 0, besideCausesNs: 0, notRecordedNs: 3400, unlistedNs: 0 });
  });

  test('an idle CPU is realtime throttling for a realtime thread only', async () => {
    const text = readFixture('6.12-osnoise').replace('kworker/3:1:73 start', 'swapper/3:0 start');
    const trace = {
      tier: 'A' as const,
      clock: 'x86-tsc' as const,
      cpus: [{ cpu: 3, text, stats: { overrun: 0, dropped: 0 } }],
    };
    const fixes = await Promise.all(
      (['fifo', 'other'] as const).map(async (policy) => {
        const { causes } = attribute(await observe({ trace }), { ...run, policy }, [stolen(GAPS)]);
        return causes.find(({ kind }) => kind === 'throttling')?.fix;
      }),
    );
    expect(fixes).toEqual(['kernel.sysctl@kernel.sched_rt_runtime_us', undefined]);
  });

  test('where the kernel has a fair server, that is what throttles', async () => {
    const line = (at: number, task: string, event: string) => ` ${task} [003] d..2. ${1_000_000_000 + at}: ${event}\n`;
    const text = [
      line(
        100,
        'spin-5',
        'sched_switch: prev_comm=spin prev_pid=5 prev_prio=98 prev_state=R ==> next_comm=hog next_pid=9 next_prio=120',
      ),
      line(
        900,
        'hog-9',
        'sched_switch: prev_comm=hog prev_pid=9 prev_prio=120 prev_state=R ==> next_comm=spin next_pid=5 next_prio=98',
      ),
    ].join('');
    const trace = {
      tier: 'B' as const,
      clock: 'x86-tsc' as const,
      cpus: [{ cpu: 3, text, stats: { overrun: 0, dropped: 0 } }],
    };
    const fixes = await Promise.all(
      [new Map(), new Map([[3, 50_000_000]])].map(async (fairServerNs) => {
        const before = { ...around, fairServerNs };
        const observed = await observe({ tier: 'B', trace, surroundings: { before, after: before } });
        const [cause] = attribute(observed, { ...run, policy: 'fifo' }, [stolen([[0, 1000]])]).causes;
        expect(cause).toMatchObject({ cause: 'realtime throttling', count: 1, totalNs: 800, letRun: ['hog'] });
        return cause?.fix;
      }),
    );
    expect(fixes).toEqual(['kernel.sysctl@kernel.sched_rt_runtime_us', 'kernel.fair_server@isolated']);
  });

  test('gaps of another clock than that of the events are not joined', async () => {
    const raw = { ...run, clock: { ...clock, source: 'raw' as const } };
    const found = attribute(await observe(), raw, [stolen(GAPS)]);
    expect(found).toMatchObject({ tier: 'C', clock: undefined, causes: [], explainedFraction: 0 });
    expect(found.missed).toEqual([{ tier: 'A', reason: expect.stringMatching(/x86-tsc.*timed by raw/) }]);
  });

  test("gaps of the kernel's clock, by nanoseconds that the text of the trace does not have", async () => {
    const raw = { ...run, clock: { ...clock, source: 'raw' as const } };
    const text = [
      ' hft-probe-7 [003] d.h.. 1.000001: local_timer_entry: vector=236',
      ' hft-probe-7 [003] d.h.. 1.000001: local_timer_exit: vector=236',
      ' hft-probe-7 [003] d.h.. 1.000002: irq_work_entry: vector=246',
      ' hft-probe-7 [003] d.h.. 1.000002: irq_work_exit: vector=246\n',
    ].join('\n');
    const rawText = [1_000_000_700, 1_000_001_100, 1_000_001_600, 1_000_001_700]
      .map((ns) => `7 3 ${ns} type: 150\n`)
      .join('');
    const cpus = [{ cpu: 3, text, rawText, stats: { overrun: 0, dropped: 0 } }];
    const trace = { tier: 'B' as const, clock: 'mono_raw' as const, cpus };
    // Two gaps within two microseconds: whole microseconds would put all four events into neither or one.
    const gaps = [
      [650, 1200],
      [1500, 1800],
    ] as const;
    const found = attribute(await observe({ tier: 'B', trace }), raw, [stolen(gaps)]);
    expect(found).toMatchObject({ tier: 'B', clock: 'mono_raw', explainedNs: 500, artefacts: [] });
    expect(found.causes.map(({ cause, count, totalNs }) => [cause, count, totalNs])).toEqual([
      ['timer tick', 1, 400],
      ['IPI irq_work', 1, 100],
    ]);
  });

  test('nothing stolen: nothing to explain', async () => {
    const { explainedFraction } = attribute(await observe(), run, [stolen([])]);
    expect(explainedFraction).toBeUndefined();
  });

  test('without a trace: when the gaps came, as a candidate', async () => {
    const ticks = Array.from({ length: 50 }, (_, nth) => [nth * 4_000_000, nth * 4_000_000 + 3000] as const);
    const found = attribute(await observe({ tier: 'D', trace: undefined }), run, [stolen(ticks)]);
    expect(found.candidates).toMatchObject([{ kind: 'timer', cause: 'the timer tick of a kernel with CONFIG_HZ=250' }]);
    expect(found.explainedFraction).toBe(0);
  });
});

describe('the largest gaps', () => {
  test('stand in the order of time, each with what took most of it', async () => {
    const { gaps } = attribute(await observe(), run, [stolen(GAPS)]);
    expect(gaps.map(({ cpu, startNs, durationNs }) => [cpu, startNs, durationNs])).toEqual([
      [3, 0, 2500],
      [3, 10_000, 400],
      [3, 15_000, 500],
    ]);
    const causes = new Set(attribute(await observe(), run, [stolen(GAPS)]).causes.map(({ cause }) => cause));
    expect(gaps.every(({ cause }) => cause !== null && causes.has(cause))).toBe(true);
    expect(gaps.at(-1)?.cause).toBe('outside the kernel, unproven');
  });

  test('have no cause where nothing was recorded', async () => {
    const { gaps } = attribute(await observe({ trace: undefined }), run, [stolen(GAPS)]);
    expect(gaps.map(({ cause }) => cause)).toEqual([null, null, null]);
  });

  test('are bounded, and each CPU has its part', async () => {
    const many = Array.from({ length: 2000 }, (_, at) => [at * 1000, at * 1000 + 10 + (at % 100)] as const);
    const { gaps } = attribute(await observe({ trace: undefined }), run, [
      stolen(many),
      { ...stolen(many.slice(0, 700)), cpu: 5 },
    ]);
    expect(gaps).toHaveLength(GAPS_LISTED);
    expect(gaps.filter(({ cpu }) => cpu === 5)).toHaveLength(GAPS_LISTED / 2);
    const own = gaps.filter(({ cpu }) => cpu === 3);
    expect(Math.min(...own.map(({ durationNs }) => durationNs))).toBe(10 + 75);
    expect(own.every(({ startNs }, at) => at === 0 || startNs > (own[at - 1]?.startNs as number))).toBe(true);
  });
});
