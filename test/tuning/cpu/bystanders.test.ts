import { describe, expect, test } from 'vitest';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { cpuDomain } from '../../../src/tuning/cpu/cpu.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';

const irq = (number: number, device: string, affinity: number[], more = {}) => ({
  irq: number,
  device,
  actions: [`${device}-rx-0`],
  affinity,
  effective: affinity.slice(0, 1),
  ...more,
});

/** Four cores of two threads: CPUs 4-7 are the second ones. */
const facts = buildMachine({
  packages: 1,
  threads: 2,
  nics: [{ name: 'eth0', irqs: [30] }],
  irqs: [
    irq(30, 'eth0', [5], { queue: 'rx-0' }),
    irq(31, 'disk', [5, 6]),
    irq(32, 'both', [1, 5]),
    irq(33, 'nvme', [6], { managed: true }),
    irq(34, 'idle', [6], { actions: [] }),
    irq(35, 'first', [1]),
  ],
});

async function bystandersOf(wanted: unknown, layout: object) {
  const machine = { ...facts, layout: solveLayout(layoutWanted.parse(layout), facts) };
  const parsed = (await cpuDomain.schema()).parse(wanted);
  const { settings } = cpuDomain.desire(parsed, await cpuDomain.observe(new FakeHost(), facts, parsed), machine);
  return Object.fromEntries(
    settings.map(({ id, bystanders = [] }) => [id, bystanders.map((each) => [each.id, each.within, each.interface])]),
  );
}

describe('interrupts that only a CPU which goes offline takes', () => {
  test('siblings of isolated cores: with the first of them, whichever they are bound to', async () => {
    const layout = { isolated: { cores: 2 }, smt: 'siblings-offline' };
    expect(await bystandersOf({}, layout)).toEqual({
      'cpu.online@cpu5': [
        ['irq.affinity@eth0/rx-0', '0-4,7', 'eth0'],
        ['irq.affinity@disk', '0-4,7', undefined],
      ],
      'cpu.online@cpu6': [],
    });
  });

  test('hyper-threading off: every second thread', async () => {
    const { 'cpu.smt@machine': moved } = await bystandersOf({ smt: 'off' }, { isolated: { cores: 1 } });
    expect(moved).toEqual([
      ['irq.affinity@eth0/rx-0', '0-3', 'eth0'],
      ['irq.affinity@disk', '0-3', undefined],
    ]);
    expect(await bystandersOf({ smt: 'on' }, { isolated: { cores: 1 } })).toEqual({ 'cpu.smt@machine': [] });
  });
});
