import { describe, expect, test } from 'vitest';
import { findCapability } from '../../../../src/latency/attribution/capability.ts';
import { FakeHost } from '../../../fake-host.ts';

const AT = '/sys/kernel/tracing';
const TSC = { source: 'tsc' } as const;
const KERNEL = { source: 'raw', whyRaw: 'no nonstop_tsc' } as const;

/** A kernel with everything. */
function tracedHost(changes: Record<string, string | undefined> = {}): FakeHost {
  const files: Record<string, string | undefined> = {
    [`${AT}/instances/rtla/current_tracer`]: 'nop\n',
    [`${AT}/current_tracer`]: 'nop\n',
    [`${AT}/trace_clock`]: '[local] global counter uptime perf mono mono_raw boot tai x86-tsc\n',
    [`${AT}/available_tracers`]: 'timerlat osnoise hwlat blk function nop\n',
    [`${AT}/osnoise/options`]: 'NO_OSNOISE_DEFAULTS OSNOISE_WORKLOAD NO_PANIC_ON_STOP\n',
    [`${AT}/events/sched/enable`]: '0\n',
    [`${AT}/events/irq/enable`]: '0\n',
    [`${AT}/events/irq_vectors/enable`]: '0\n',
    '/proc/interrupts': '           CPU0       CPU1\nLOC:  1 2  Local timer interrupts\n',
    ...changes,
  };
  const there = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new FakeHost(Object.fromEntries(there));
}

describe('the tier', () => {
  test.each([
    ['A', 'osnoise without its own loop', {}, undefined],
    ['B', 'no osnoise', { [`${AT}/available_tracers`]: 'function nop\n' }, 'CONFIG_OSNOISE_TRACER'],
    ['B', 'osnoise before 6.2', { [`${AT}/osnoise/options`]: undefined }, 'came with Linux 6.2'],
    [
      'B',
      'osnoise in use',
      { [`${AT}/instances/rtla/current_tracer`]: 'timerlat\n' },
      'Somebody else traces with timerlat',
    ],
    ['C', 'no TSC clock', { [`${AT}/trace_clock`]: '[local] global mono_raw\n' }, 'x86-tsc'],
    ['C', 'no events', { [`${AT}/events/irq_vectors/enable`]: undefined }, 'no events irq_vectors'],
  ] as const)('%s: %s', async (tier, _, changes, reason) => {
    const found = await findCapability(tracedHost(changes), TSC);
    expect(found.tier).toBe(tier);
    expect(found.missed.at(-1)?.reason ?? '').toContain(reason ?? '');
    expect([found.tracefs, found.clock]).toEqual(tier < 'C' ? [AT, 'x86-tsc'] : [undefined, undefined]);
  });

  test.each([
    ['A', 'osnoise without its own loop', {}],
    ['B', 'no osnoise', { [`${AT}/available_tracers`]: 'function nop\n' }],
    ['B', 'no TSC clock', { [`${AT}/trace_clock`]: 'local [mono_raw]\n', [`${AT}/available_tracers`]: 'nop\n' }],
  ] as const)("%s, by the kernel's clock: %s", async (tier, _, changes) => {
    const found = await findCapability(tracedHost(changes), KERNEL);
    expect(found).toMatchObject({ tier, clock: 'mono_raw', why: expect.stringContaining('mono_raw') });
  });

  test("C: the kernel's clock is none of its trace clocks", async () => {
    const clocks = { [`${AT}/trace_clock`]: '[local] global mono x86-tsc\n' };
    const found = await findCapability(tracedHost(clocks), KERNEL);
    expect(found).toMatchObject({ tier: 'C', missed: [{ tier: 'A' }, { tier: 'B' }], tracefs: undefined });
    expect(found.missed[1]?.reason).toContain('clock of the gaps (mono_raw); it has [local] global mono x86-tsc.');
  });

  test('C: what will time the gaps is not known', async () => {
    const { tier, missed } = await findCapability(tracedHost(), { reason: 'Nobody said.' });
    expect([tier, missed[1]?.reason]).toEqual(['C', 'Nobody said.']);
  });

  test('C: tracefs is not mounted', async () => {
    const host = new FakeHost({ '/proc/interrupts': '  CPU0\nLOC: 1 x\n' });
    const found = await findCapability(host, TSC);
    expect(found).toMatchObject({ tier: 'C', missed: [{ tier: 'A' }, { tier: 'B' }] });
    expect(found.missed[0]?.reason).toContain('mount -t tracefs');
  });

  test('C: lockdown', async () => {
    const host = new FakeHost({
      '/proc/interrupts': '  CPU0\nLOC: 1 x\n',
      '/sys/kernel/security/lockdown': 'none integrity [confidentiality]\n',
    });
    expect((await findCapability(host, TSC)).missed[1]?.reason).toBe(
      'Kernel lockdown (confidentiality) closes tracefs.',
    );
  });

  test('D: nothing can be read', async () => {
    const found = await findCapability(new FakeHost(), TSC);
    expect(found.tier).toBe('D');
    expect(found.missed.map(({ tier }) => tier)).toEqual(['A', 'B', 'C']);
  });

  test('by debugfs where only that is mounted', async () => {
    const host = tracedHost();
    for (const [path, text] of [...host.files]) {
      if (!path.startsWith(AT)) continue;
      host.files.delete(path);
      host.files.set(path.replace(AT, '/sys/kernel/debug/tracing'), text);
    }
    expect(await findCapability(host, TSC)).toMatchObject({ tier: 'A', tracefs: '/sys/kernel/debug/tracing' });
  });
});
