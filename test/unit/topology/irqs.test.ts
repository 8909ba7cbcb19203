import { describe, expect, test } from 'vitest';
import { readIrqs } from '../../../src/topology/irqs.ts';
import type { Nic } from '../../../src/topology/machine.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';

const FIND = 'find /proc/irq -mindepth 2 -maxdepth 2 -name smp_affinity_list ! -perm -u+w';

function nic(name: string, bus: string, driver = 'igb'): Nic {
  return buildMachine({ nics: [{ name, bus, driver }] }).nics[0] as Nic;
}

/** Rows of /proc/interrupts for 2 CPUs, every IRQ allowed on 0-1 and effective on 1. */
function hostOf(rows: Readonly<Record<number, string>>, more: Record<string, string> = {}): FakeHost {
  const lines = Object.entries(rows).map(([irq, row]) => ` ${irq}:  5  6  ${row}`);
  const affinities = Object.keys(rows).map((irq) => [
    [`/proc/irq/${irq}/smp_affinity_list`, '0-1\n'],
    [`/proc/irq/${irq}/effective_affinity_list`, '1\n'],
  ]);
  return new FakeHost({
    '/proc/interrupts': `    CPU0   CPU1\n${lines.join('\n')}\nLOC:  1  2   Local timer interrupts\n`,
    ...Object.fromEntries(affinities.flat()),
    ...more,
  });
}

describe('readIrqs', () => {
  test('device and queue, affinity and effective affinity', async () => {
    const host = hostOf({
      52: 'IR-PCI-MSIX-0000:01:00.0   1-edge      enp1s0-TxRx-0',
      8: 'IO-APIC   8-edge      rtc0',
    });
    const irqs = await readIrqs(host, [nic('enp1s0', '0000:01:00.0')], [6, 1]);
    expect(irqs).toEqual([
      { irq: 8, device: 'rtc0', queue: '', managed: false, actions: ['rtc0'], affinity: [0, 1], effective: [1] },
      {
        irq: 52,
        device: 'enp1s0',
        queue: 'TxRx-0',
        managed: false,
        actions: ['enp1s0-TxRx-0'],
        affinity: [0, 1],
        effective: [1],
      },
    ]);
  });

  test('before 6.2 the PCI function comes from msi_irqs, also for virtio', async () => {
    const host = hostOf(
      { 26: 'PCI-MSI 49153-edge      virtio0-input.0' },
      { '/sys/bus/pci/devices/0000:00:03.0/msi_irqs/26': 'msix' },
    );
    const [irq] = await readIrqs(host, [nic('ens3', '0000:00:03.0', 'virtio_net')], [5, 10]);
    expect(irq).toMatchObject({ device: 'ens3', queue: 'input.0' });
  });

  test('a disk of virtio is named as a disk', async () => {
    const host = hostOf(
      { 28: 'PCI-MSIX-0000:00:08.0   1-edge      virtio2-req.0' },
      { '/sys/bus/virtio/devices/virtio2/block/vda/size': '1' },
    );
    expect(await readIrqs(host, [], [6, 1])).toMatchObject([{ device: 'vda', queue: 'req.0', managed: true }]);
  });

  test('representors share the function of their port: the port has the interrupts', async () => {
    const host = hostOf({ 90: 'IR-PCI-MSIX-0000:3b:00.0   1-edge      mlx5_comp0@pci:0000:3b:00.0' });
    const nics = [nic('ens1f0npf0vf0', '0000:3b:00.0', 'mlx5_core'), nic('ens1f0', '0000:3b:00.0', 'mlx5_core')];
    expect(await readIrqs(host, nics, [6, 1])).toMatchObject([{ device: 'ens1f0', queue: 'comp0' }]);
  });

  test('what drivers load in another order on a shared line changes no name', async () => {
    const nameOf = async (actions: string) =>
      (await readIrqs(hostOf({ 16: `IO-APIC  16-fasteoi   ${actions}` }), [], [6, 1]))[0]?.device;
    expect(await nameOf('ehci_hcd:usb1, i801_smbus')).toBe(await nameOf('i801_smbus, ehci_hcd:usb1'));
  });

  test('a line that only counted, and a machine without /proc/interrupts, have none', async () => {
    expect(await readIrqs(hostOf({ 30: 'PCI-MSI 524289-edge' }), [], [6, 1])).toEqual([]);
    expect(await readIrqs(new FakeHost(), [], [6, 1])).toEqual([]);
  });

  test('affinity that only root may read is empty; without an effective one the asked one counts', async () => {
    const host = hostOf({ 8: 'IO-APIC   8-edge      rtc0', 9: 'IO-APIC   9-edge      acpi' });
    host.files.delete('/proc/irq/8/effective_affinity_list');
    for (const name of ['smp_affinity_list', 'effective_affinity_list'])
      host.unreadable.set(`/proc/irq/9/${name}`, 'EACCES');
    expect((await readIrqs(host, [], [6, 1])).map(({ effective }) => effective)).toEqual([[0, 1], []]);
  });
});

describe('managed interrupts', () => {
  const rows = { 40: 'PCI-MSIX-0000:05:00.0   0-edge      nvme0q0', 41: 'PCI-MSIX-0000:05:00.0   1-edge      nvme0q1' };
  const managedOf = async (host: FakeHost, version: [number, number]) =>
    (await readIrqs(host, [], version)).filter(({ managed }) => managed).map(({ irq }) => irq);

  test('by driver where the kernel does not say: I/O queues, not the admin queue', async () => {
    expect(await managedOf(hostOf(rows), [6, 1])).toEqual([41]);
  });

  test('by debugfs', async () => {
    const host = hostOf(rows, {
      '/sys/kernel/debug/irq/irqs/40': 'dstate:   0x1\n            IRQD_AFFINITY_MANAGED\n',
      '/sys/kernel/debug/irq/irqs/41': 'dstate:   0x1\n            IRQD_AFFINITY_SET\n',
    });
    expect(await managedOf(host, [6, 1])).toEqual([40]);
  });

  test('by the mode of the affinity file', async () => {
    const host = hostOf({ ...rows, 42: 'PCI-MSIX-0000:06:00.0   0-edge      mpt3sas0-msix0' });
    host.commands.set(FIND, '/proc/irq/41/smp_affinity_list\n/proc/irq/42/smp_affinity_list\n');
    expect(await managedOf(host, [6, 12])).toEqual([41, 42]);
  });

  test('a kernel that tells by mode and lists none has none; an older one that lists none says nothing', async () => {
    const host = hostOf(rows);
    host.commands.set(FIND, '');
    expect(await managedOf(host, [6, 18])).toEqual([]);
    expect(await managedOf(host, [6, 1])).toEqual([41]);
  });
});
