import { describe, expect, test } from 'vitest';
import { prepareAttribution } from '../../../../src/latency/attribution/attribution.ts';
import { FakeHost } from '../../../fake-host.ts';
import { buildMachine } from '../../../machine-builder.ts';

const machine = buildMachine({ packages: 1, coresPerPackage: 4 });

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

  test.each([
    ['before Linux 6.4', [], true],
    ['that has the events of csd', ['csd/csd_function_entry'], false],
  ])('shootdowns on a kernel %s', async (_, events, isAdded) => {
    const host = tracedHost();
    host.files.set(`${AT}/kprobe_events`, '');
    for (const event of events) host.files.set(`${AT}/events/${event}/enable`, '0\n');
    const group = `hft_4026531836_${process.pid}_500`;
    const makeInstance = host.commands.get('hft-probe') as (at: FakeHost) => string;
    host.commands.set('hft-probe', (at, _input, argv) => {
      if (argv.join(' ').includes('--shootdown-event 1')) {
        host.files.set(`${AT}/kprobe_events`, `p:${group}/tlb_shootdown flush_tlb_func\n`);
        for (const event of ['', '/tlb_shootdown']) host.files.set(`${OWN}/events/${group}${event}/enable`, '0\n');
      }
      return makeInstance(at);
    });
    const watch = await (await prepare(host)).start({ mostMs: 1000 });
    expect(host.log.includes(`${OWN}/events/${group}/tlb_shootdown/enable <- 1`)).toBe(isAdded);
    await watch.stop();
    expect(host.log.includes(`${AT}/kprobe_events <- -:${group}/tlb_shootdown`)).toBe(isAdded);
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
