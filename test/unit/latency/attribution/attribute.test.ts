import { describe, expect, test } from 'vitest';
import type { Surroundings } from '../../../../src/latency/attribution/artefacts.ts';
import {
  type AttributedRun,
  attribute,
  GAPS_LISTED,
  type Observed,
} from '../../../../src/latency/attribution/attribute.ts';
import { prepareAttribution } from '../../../../src/latency/attribution/attribution.ts';
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

describe('recording', () => {
  const AT = '/sys/kernel/tracing';
  const NAME = `hft-4026531836-${process.pid}-500`;
  const OWN = `${AT}/instances/${NAME}`;

  /** A kernel that makes an instance, and a keeper that makes and removes it. */
  function tracedHost(clock = '{"source":"tsc"}'): FakeHost {
    const host = new FakeHost({
      [`${AT}/instances/rtla/current_tracer`]: 'nop\n',
      [`${AT}/trace_clock`]: '[local] mono_raw x86-tsc\n',
      [`${AT}/available_tracers`]: 'function nop\n',
      [`${AT}/tracing_on`]: '1\n',
      ...Object.fromEntries(['sched', 'irq', 'irq_vectors'].map((system) => [`${AT}/events/${system}/enable`, '0\n'])),
      [`/proc/${process.pid}/stat`]: `${process.pid} (node) S 1 ${Array(17).fill(0).join(' ')} 500 0\n`,
      '/proc/interrupts': '  CPU0\nLOC: 1 x\n',
    });
    host.links.set('/proc/self/ns/pid', 'pid:[4026531836]');
    host.commands.set('hft-probe clock', clock);
    host.commands.set('hft-probe', () => {
      const files = ['tracing_on', 'buffer_size_kb', 'tracing_cpumask', 'trace_clock', 'current_tracer'];
      const own = [
        'per_cpu/cpu3/buffer_size_kb',
        'options/overwrite',
        'options/raw',
        'options/stacktrace',
        'events/tlb/tlb_flush/filter',
      ];
      const events = ['sched/sched_switch', 'irq_vectors/local_timer_entry', 'tlb/tlb_flush', 'sched/sched_waking'];
      for (const file of [...files, ...own, ...events.map((event) => `events/${event}/enable`)])
        host.files.set(`${OWN}/${file}`, '0\n');
      host.files.set(`${OWN}/per_cpu/cpu3/trace`, 'the text');
      host.files.set(`${OWN}/per_cpu/cpu3/stats`, 'overrun: 3\n');
      return 'ready\n';
    });
    return host;
  }

  const prepare = (host: FakeHost) => prepareAttribution(host, { program: 'hft-probe', cpus: [3], machine });

  test('preparing changes nothing', async () => {
    const host = tracedHost();
    expect(await prepare(host)).toMatchObject({ tier: 'B' });
    expect(host.log).toEqual([]);
  });

  test('only files of the instance are written, and it goes on when all is set up', async () => {
    const host = tracedHost();
    const watch = await (await prepare(host)).start({ mostMs: 1000 });
    expect(host.log.map((line) => line.replace(`${OWN}/`, ''))).toEqual([
      'tracing_on <- 0',
      'buffer_size_kb <- 4',
      'per_cpu/cpu3/buffer_size_kb <- 16384',
      'tracing_cpumask <- 8',
      'trace_clock <- x86-tsc',
      'options/overwrite <- 1',
      'options/raw <- 0',
      'options/stacktrace <- 0',
      'events/sched/sched_switch/enable <- 1',
      'events/irq_vectors/local_timer_entry/enable <- 1',
      'events/tlb/tlb_flush/filter <- reason == 1',
      'events/tlb/tlb_flush/enable <- 1',
      'tracing_on <- 1',
    ]);
    const observed = await watch.stop();
    expect(observed.trace).toEqual({
      tier: 'B',
      clock: 'x86-tsc',
      cpus: [{ cpu: 3, text: 'the text', stats: { overrun: 3, dropped: 0 } }],
    });
    // This keeper leaves it to us.
    expect(host.log.at(-1)).toBe(OWN);
  });

  test("gaps that the kernel's clock times: its trace clock, and every moment read again in nanoseconds", async () => {
    const host = tracedHost('{"source":"raw","whyRaw":"no nonstop_tsc"}');
    const prepared = await prepare(host);
    expect(prepared).toMatchObject({ tier: 'B', clock: 'mono_raw', why: expect.stringContaining('mono_raw') });
    const watch = await prepared.start({ mostMs: 1000 });
    expect(host.log).toContain(`${OWN}/trace_clock <- mono_raw`);
    const { trace } = await watch.stop();
    expect(trace).toMatchObject({ clock: 'mono_raw', cpus: [{ text: 'the text', rawText: 'the text' }] });
    expect(host.log).toContain(`${OWN}/options/raw <- 1`);
    expect(host.log.at(-1)).toBe(OWN);
  });

  test('a kernel that cannot print the nanoseconds leaves the counters, and no instance', async () => {
    const host = tracedHost('{"source":"raw"}');
    const watch = await (await prepare(host)).start({ mostMs: 1000 });
    host.faults = [{ at: `${OWN}/options/raw`, effect: { errno: 'EINVAL' } }];
    const { tier, missed, trace } = await watch.stop();
    expect({ tier, trace }).toEqual({ tier: 'C', trace: undefined });
    expect(missed.at(-1)).toEqual({ tier: 'B', reason: `write ${OWN}/options/raw: EINVAL.` });
    expect(host.log.at(-1)).toBe(OWN);
  });

  test('what the run will be told is what hft-probe is asked', async () => {
    const host = tracedHost();
    host.commands.set('hft-probe clock --clock raw', '{"source":"raw","whyRaw":"asked for"}');
    const request = { program: 'hft-probe', cpus: [3], machine, clock: 'kernel' } as const;
    expect(await prepareAttribution(host, request)).toMatchObject({ tier: 'B', clock: 'mono_raw' });
  });

  test.each([
    ['', ''],
    ['hft-probe: there is no probe "clock"', 'hft-probe: there is no probe'],
    ['{"source":"sundial"}', 'sundial'],
  ])('an hft-probe that answers %j: nothing is recorded by guesswork', async (said, reason) => {
    const host = tracedHost(said);
    const { tier, missed, tracefs } = await prepare(host);
    expect({ tier, tracefs }).toEqual({ tier: 'C', tracefs: undefined });
    expect(missed.at(-1)?.reason).toContain('does not say which clock');
    expect(missed.at(-1)?.reason).toContain(reason);
  });

  test('a kernel that refuses a part leaves the counters, and no instance', async () => {
    const host = tracedHost();
    host.faults = [{ at: `${OWN}/trace_clock`, effect: { errno: 'EINVAL' } }];
    const watch = await (await prepare(host)).start({ mostMs: 1000 });
    expect(host.log.at(-1)).toBe(OWN);
    const { tier, missed, trace } = await watch.stop();
    expect({ tier, trace }).toEqual({ tier: 'C', trace: undefined });
    expect(missed.at(-1)).toEqual({ tier: 'B', reason: `write ${OWN}/trace_clock: EINVAL.` });
  });

  test('without hft-probe there is no instance', async () => {
    const host = tracedHost();
    host.commands.clear();
    const { tier, missed } = await (await (await prepare(host)).start({ mostMs: 1000 })).stop();
    expect([tier, missed.at(-1)?.reason]).toEqual(['C', expect.stringContaining('without a C compiler')]);
    expect(host.log).toEqual([]);
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
