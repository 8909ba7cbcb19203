import { describe, expect, test } from 'vitest';
import { irqAffinityKind } from '../../../src/tunables/irq-affinity.ts';
import { FakeHost } from '../../fake-host.ts';

const IRQ = { kind: 'irq-affinity', irq: 45 } as const;

function hostWith(affinity: string, effective: string, chip = 'IR-PCI-MSIX-0000:01:00.0'): FakeHost {
  return new FakeHost({
    '/proc/irq/45/smp_affinity_list': `${affinity}\n`,
    '/proc/irq/45/effective_affinity_list': `${effective}\n`,
    '/sys/kernel/irq/45/actions': 'enp1s0-TxRx-3\n',
    '/sys/kernel/irq/45/chip_name': `${chip}\n`,
  });
}

describe('reading', () => {
  test.each([
    ['one CPU of the mask takes it', '0-1,4', '1', 'IR-PCI-MSIX-0000:01:00.0', '0-1,4'],
    ['not started yet', '0-1', '', 'IR-PCI-MSIX-0000:01:00.0', '0-1'],
    ['behind remapping, and elsewhere: where it really is', '0-1', '5', 'IR-PCI-MSI', '5'],
    ['on a GIC, and elsewhere', '0-1', '5', 'ITS-MSI', '5'],
    ['moves when it fires next: what is pending', '0-1', '5', 'PCI-MSIX-0000:01:00.0', '0-1'],
    ['an IO-APIC without remapping', '0', '3', 'IO-APIC', '0'],
  ])('%s', async (_name, affinity, effective, chip, value) => {
    const reading = await irqAffinityKind.read(hostWith(affinity, effective, chip), IRQ);
    expect(reading).toMatchObject({ status: 'value', value });
    expect(reading.evidence).toContain(`smp_affinity_list ${affinity}, effective ${effective || 'none'}`);
  });

  test('says when an idle interrupt has yet to move', async () => {
    const reading = await irqAffinityKind.read(hostWith('0-1', '5', 'PCI-MSI'), IRQ);
    expect(reading.evidence).toContain('effective 5 until it fires once more');
  });

  test('an interrupt that is gone', async () => {
    expect(await irqAffinityKind.read(new FakeHost(), IRQ)).toMatchObject({ status: 'missing' });
  });

  test('a number that went to another device', async () => {
    const host = hostWith('0', '0');
    expect(await irqAffinityKind.read(host, { ...IRQ, action: 'enp1s0-TxRx-3' })).toMatchObject({ value: '0' });
    expect(await irqAffinityKind.read(host, { ...IRQ, action: 'nvme0q3' })).toMatchObject({ status: 'missing' });
  });

  test('one of several actions on a shared interrupt', async () => {
    const host = hostWith('0', '0');
    host.files.set('/sys/kernel/irq/45/actions', 'PCIe PME,aerdrv\n');
    expect(await irqAffinityKind.read(host, { ...IRQ, action: 'aerdrv' })).toMatchObject({ value: '0' });
  });

  test.each(['', 'x', '0-'])('%j is no affinity', async (text) => {
    expect(await irqAffinityKind.read(hostWith(text, '0'), IRQ)).toMatchObject({
      status: 'unreadable',
      code: 'EINVAL',
    });
  });

  test('unreadable, with the errno', async () => {
    const host = hostWith('0', '0');
    host.unreadable.set('/proc/irq/45/smp_affinity_list', 'EACCES');
    expect(await irqAffinityKind.read(host, IRQ)).toMatchObject({ status: 'unreadable', code: 'EACCES' });
  });
});

test('writes the list; a managed interrupt gives the errno of the kernel', async () => {
  const host = hostWith('0-7', '5');
  await irqAffinityKind.write(host, [{ tunable: IRQ, value: '0-1' }]);
  expect(host.log).toEqual(['/proc/irq/45/smp_affinity_list <- 0-1']);
  for (const errno of ['EIO', 'EPERM']) {
    host.faults = [{ at: '/proc/irq/45/smp_affinity_list', effect: { errno } }];
    await expect(irqAffinityKind.write(host, [{ tunable: IRQ, value: '0-1' }])).rejects.toMatchObject({ code: errno });
  }
});

test('2,3 and 2-3 are one affinity', () => {
  expect(irqAffinityKind.canonical(IRQ, '3,2')).toBe('2-3');
});
