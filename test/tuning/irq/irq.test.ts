import { describe, expect, test } from 'vitest';
import type { Layout } from '../../../src/layout/layout.ts';
import type { Irq } from '../../../src/topology/machine.ts';
import type { Desired } from '../../../src/tuning/domain.ts';
import { irqDomain } from '../../../src/tuning/irq/irq.ts';
import { isFixed, queueIndex } from '../../../src/tuning/irq/names.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine, type MachineShape } from '../../machine-builder.ts';

const LAYOUT: Layout = {
  housekeeping: [0, 4],
  irq: [5],
  isolated: [1, 2, 3, 6, 7],
  nic: 'eth1',
  reasons: [],
  refused: [],
};
/** A machine, not a capture of parts of one. */
const WHOLE = new FakeHost({ '/proc/sys/kernel/hostname': 'testbox\n' });
const COLO = { default: 'housekeeping', others: 'housekeeping', queues: 'irq' };

async function desire(shape: MachineShape, wanted: object = COLO, layout: Partial<Layout> = {}): Promise<Desired> {
  const machine = buildMachine(shape);
  const facts = await irqDomain.observe(WHOLE, machine);
  const nic = machine.nics.some((each) => each.name === 'eth1') ? 'eth1' : undefined;
  return irqDomain.desire((await irqDomain.schema()).parse(wanted), facts, {
    ...machine,
    layout: { ...LAYOUT, nic, ...layout },
  });
}

function valuesOf({ settings }: Desired): Record<string, string | null> {
  return Object.fromEntries(settings.map((setting) => [setting.id, setting.value]));
}

function irq(number: number, device: string, rest: Partial<Irq> = {}): Irq {
  return {
    irq: number,
    device,
    queue: '',
    managed: false,
    actions: [device],
    affinity: [0, 1, 2, 3, 4, 5, 6, 7],
    effective: [0],
    ...rest,
  };
}

function queues(device: string, first: number, names: readonly string[]): Irq[] {
  return names.map((queue, index) => irq(first + index, device, { queue, actions: [`${device}-${queue}`] }));
}

describe('trading queues', () => {
  const nics = [{ name: 'eth1', node: 1 }];

  test('one after the other around the irq CPUs of the node of the NIC', async () => {
    const irqs = queues('eth1', 50, ['TxRx-0', 'TxRx-1', 'TxRx-2']);
    const desired = await desire({ nics, irqs }, COLO, { irq: [1, 5, 6], isolated: [2, 3, 7] });
    expect(valuesOf(desired)).toMatchObject({
      'irq.affinity@eth1/TxRx-0': '5',
      'irq.affinity@eth1/TxRx-1': '6',
      'irq.affinity@eth1/TxRx-2': '5',
    });
  });

  test('receive and transmit interrupt of a queue share a CPU', async () => {
    const irqs = queues('eth1', 50, ['rx-0', 'rx-1', 'tx-0', 'tx-1']);
    expect(valuesOf(await desire({ nics, irqs }, COLO, { irq: [5, 6], isolated: [1, 2, 3, 7] }))).toMatchObject({
      'irq.affinity@eth1/rx-0': '5',
      'irq.affinity@eth1/rx-1': '6',
      'irq.affinity@eth1/tx-0': '5',
      'irq.affinity@eth1/tx-1': '6',
    });
  });

  test('a second NIC goes on where the first one ended', async () => {
    const irqs = [...queues('eth1', 50, ['TxRx-0']), ...queues('eth2', 60, ['TxRx-0'])];
    const wanted = { ...COLO, nics: ['eth1', 'eth2'] };
    const desired = await desire(
      {
        nics: [
          { name: 'eth1', node: 1 },
          { name: 'eth2', node: 1 },
        ],
        irqs,
      },
      wanted,
      { irq: [5, 6], isolated: [1, 2, 3, 7] },
    );
    expect(valuesOf(desired)).toMatchObject({ 'irq.affinity@eth1/TxRx-0': '5', 'irq.affinity@eth2/TxRx-0': '6' });
  });

  test('without irq CPUs, housekeeping CPUs of the node serve them', async () => {
    const desired = await desire({ nics, irqs: queues('eth1', 50, ['TxRx-0', 'TxRx-1']) }, COLO, { irq: [] });
    expect(valuesOf(desired)).toMatchObject({ 'irq.affinity@eth1/TxRx-0': '4', 'irq.affinity@eth1/TxRx-1': '4' });
  });

  test('the NIC by the numbers of its interrupts, when they have other names (mlx5_comp0)', async () => {
    const irqs = [irq(70, '0000:3b:00.0', { queue: 'comp0', actions: ['mlx5_comp0@pci:0000:3b:00.0'] })];
    const desired = await desire({ nics: [{ name: 'eth1', node: 1, irqs: [70] }], irqs });
    expect(desired.settings.find((each) => each.id.startsWith('irq.affinity'))).toMatchObject({
      value: '5',
      interface: 'eth1',
      ifRefused: 'fail',
    });
  });

  test('the link interrupt of the NIC is no queue', async () => {
    expect(valuesOf(await desire({ nics, irqs: [irq(50, 'eth1')] }))).toMatchObject({ 'irq.affinity@eth1': '4' });
  });

  test('a NIC that is not there is refused by name', async () => {
    const { refused } = await desire({ nics }, { ...COLO, nics: ['eth7'] });
    expect(refused).toEqual([
      { id: 'irq.affinity@eth7', reason: 'No NIC here is eth7 (NICs: eth1 (igb)).', kind: 'refused' },
    ]);
  });
});

describe('other interrupts', () => {
  test('off the isolated CPUs, on the node of their NIC where it has one', async () => {
    const desired = await desire({
      nics: [{ name: 'eth0', node: 1 }],
      irqs: [irq(8, 'rtc0'), irq(40, 'eth0', { queue: 'rx-0', actions: ['eth0-rx-0'] })],
    });
    expect(valuesOf(desired)).toMatchObject({ 'irq.affinity@rtc0': '0,4', 'irq.affinity@eth0/rx-0': '4' });
    expect(desired.settings.find((each) => each.id === 'irq.affinity@rtc0')).toMatchObject({
      ifRefused: 'skip',
      tunable: { kind: 'irq-affinity', irq: 8, action: 'rtc0' },
    });
  });

  test('one that is right already keeps its own affinity', async () => {
    const desired = await desire({
      irqs: [irq(8, 'rtc0', { affinity: [0], effective: [0] }), irq(9, 'acpi', { affinity: [0, 4], effective: [4] })],
    });
    expect(valuesOf(desired)).toMatchObject({ 'irq.affinity@rtc0': '0', 'irq.affinity@acpi': '0,4' });
  });

  test('an affinity that is right and an interrupt that arrives elsewhere', async () => {
    const desired = await desire({ irqs: [irq(8, 'rtc0', { affinity: [0], effective: [6] })] });
    expect(valuesOf(desired)).toMatchObject({ 'irq.affinity@rtc0': '0,4' });
  });

  test('those that nobody can move, and those that nobody uses, are left out', async () => {
    const irqs = [
      irq(0, 'timer'),
      irq(2, 'cascade'),
      irq(3, '', { actions: [] }),
      irq(30, 'hpet2'),
      irq(31, 'arch_timer'),
      irq(32, 'resched3'),
    ];
    expect(Object.keys(valuesOf(await desire({ irqs })))).toEqual(['irq.default-affinity']);
  });

  test('nothing to do where every CPU may take interrupts', async () => {
    const everywhere = { housekeeping: [0, 1, 2, 3, 4, 5, 6, 7], irq: [], isolated: [], nic: undefined };
    expect(await desire({ irqs: [irq(8, 'rtc0')] }, COLO, everywhere)).toEqual({ settings: [], refused: [] });
  });

  test('no CPU at all is refused', async () => {
    const { refused } = await desire({ irqs: [irq(8, 'rtc0')] }, { others: 'none', default: 'none' });
    expect(refused.map(({ id, kind }) => [id, kind])).toEqual([
      ['irq.default-affinity', 'refused'],
      ['irq.affinity', 'refused'],
    ]);
  });
});

describe('managed interrupts', () => {
  test('reported when they arrive on an isolated CPU, with why', async () => {
    const { refused, settings } = await desire({
      irqs: [irq(28, 'vda', { queue: 'req.2', managed: true, affinity: [2], effective: [2] })],
    });
    expect(settings.map((each) => each.id)).toEqual(['irq.default-affinity']);
    expect(refused).toMatchObject([{ id: 'irq.affinity@vda/req.2', kind: 'unsupported' }]);
    expect(refused[0]?.reason).toContain('isolcpus=managed_irq');
  });

  test('not worth a word when they do not', async () => {
    const managed = irq(28, 'vda', { queue: 'req.0', managed: true, affinity: [0, 1], effective: [0] });
    expect((await desire({ irqs: [managed] })).refused).toEqual([]);
  });
});

describe('names', () => {
  test('white space does not end an id', async () => {
    const irqs = [irq(25, 'PCIe PME', { queue: '0000:00:04.0' })];
    expect(Object.keys(valuesOf(await desire({ irqs })))).toContain('irq.affinity@PCIe-PME/0000:00:04.0');
  });

  test.each([
    ['TxRx-3', 3],
    ['rx-0', 0],
    ['Tx-Rx-7', 7],
    ['rxtx-2', 2],
    ['input.1', 1],
    ['comp12', 12],
    ['ntfy-block.4', 4],
    ['5', 5],
    ['', undefined],
    ['config', undefined],
    ['event-8', undefined],
    ['async0', undefined],
    ['mgmnt', undefined],
    ['fdir-TxRx-0', undefined],
    ['hwirq-12', undefined],
  ])('queue %j has index %j', (queue, index) => {
    expect(queueIndex(irq(1, 'eth0', { queue }))).toBe(index);
  });

  test('a device whose name begins like a timer is not fixed', () => {
    expect(isFixed(irq(1, 'timerlat0'))).toBe(false);
  });
});

describe('irqbalance', () => {
  const services = [{ name: 'irqbalance', active: true, enabled: true }];

  test('told of every CPU that it must not use, and of the trading queues', async () => {
    const machine = { ...buildMachine({ nics: [{ name: 'eth1', node: 1 }] }), services };
    const wanted = (await irqDomain.schema()).parse({ ...COLO, irqbalance: 'told' });
    const { settings } = irqDomain.desire(wanted, await irqDomain.observe(WHOLE, machine), {
      ...machine,
      layout: LAYOUT,
    });
    const files = settings.filter((each) => each.tunable.kind === 'config-file');
    expect(files.map((each) => each.id)).toEqual([
      'irq.irqbalance@/etc/hft/irqbalance/environment',
      'irq.irqbalance@/etc/hft/irqbalance/policy',
      'irq.irqbalance@/etc/systemd/system/irqbalance.service.d/50-hft.conf',
    ]);
    expect(files[0]?.value).toContain('IRQBALANCE_BANNED_CPULIST=1-3,5-7\n');
    expect(files[1]?.value).toContain("for nic in 'eth1'; do");
  });

  test.each([
    ['not installed', [], 'told'],
    ['neither running nor enabled', [{ name: 'irqbalance', active: false, enabled: false }], 'told'],
    ['stopped by the profile', services, 'untouched'],
  ])('%s: no files', async (_name, present, irqbalance) => {
    const machine = { ...buildMachine(), services: present };
    const wanted = (await irqDomain.schema()).parse({ ...COLO, irqbalance });
    const { settings } = irqDomain.desire(wanted, await irqDomain.observe(WHOLE, machine), {
      ...machine,
      layout: LAYOUT,
    });
    expect(settings.filter((each) => each.tunable.kind === 'config-file')).toEqual([]);
  });
});
