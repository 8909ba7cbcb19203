import { describe, expect, test } from 'vitest';
import { makeUnique, type NamedRow, nameIrq } from '../../../src/topology/irq-names.ts';

const PCI = '0000:3b:00.0';

describe('nameIrq: names as drivers give them', () => {
  test.each([
    ['igb', 'ens1f0', 'ens1f0-TxRx-3', 'TxRx-3'],
    ['igb', 'ens1f0', 'ens1f0', ''],
    ['igb', 'ens1f0', 'ens1f0-rx-0', 'rx-0'],
    ['e1000e', 'enp0s3', 'enp0s3-tx-0', 'tx-0'],
    ['i40e', 'ens1f0', 'i40e-ens1f0-TxRx-12', 'TxRx-12'],
    ['i40e', 'ens1f0', `i40e-${PCI}:misc`, 'misc'],
    ['ice', 'ens1f0', 'ice-ens1f0-TxRx-0', 'TxRx-0'],
    ['ice', 'ens1f0', `ice-${PCI}:misc`, 'misc'],
    ['iavf', 'ens1', 'iavf-ens1-TxRx-1', 'TxRx-1'],
    ['iavf', 'ens1', `iavf-${PCI}:mbx`, 'mbx'],
    ['mlx5_core', 'ens1f0np0', `mlx5_comp3@pci:${PCI}`, 'comp3'],
    ['mlx5_core', 'ens1f0np0', `mlx5_async0@pci:${PCI}`, 'async0'],
    ['mlx4_core', 'ens1', `mlx4-4@${PCI}`, '4'],
    ['ena', 'ens5', 'ens5-Tx-Rx-3', 'Tx-Rx-3'],
    ['ena', 'ens5', `ena-mgmnt@pci:${PCI}`, 'mgmnt'],
    ['gve', 'ens4', `gve-ntfy-blk2@pci:${PCI}`, 'ntfy-blk2'],
    ['mana', 'eth0', `mana_q1@pci:${PCI}`, 'q1'],
    ['sfc', 'enp1s0f0', 'enp1s0f0-7', '7'],
    ['bnxt_en', 'ens1f0np0', 'ens1f0np0-TxRx-3', 'TxRx-3'],
    ['vmxnet3', 'ens192', 'ens192-rxtx-2', 'rxtx-2'],
    ['vmxnet3', 'ens192', 'ens192-event-8', 'event-8'],
    ['virtio_net', 'enp0s2', 'virtio0-input.0', 'input.0'],
    ['virtio_net', 'enp0s2', 'virtio12-config', 'config'],
    ['igc', 'enp5s0', 'eth0-TxRx-3', 'TxRx-3'],
    ['atlantic', 'enp6s0', 'enp6s0-5', '5'],
  ])('%s of %s: %s', (driver, name, action, queue) => {
    const nics = [{ name, driver, bus: PCI }];
    expect(nameIrq(action, { pci: PCI, nics, diskOf: () => undefined })).toEqual({ device: name, queue });
  });

  test.each([
    ['nvme0q3', 'nvme0', 'q3'],
    ['nvme10q0', 'nvme10', 'q0'],
    ['virtio2-req.0', 'vda', 'req.0'],
    ['virtio3-request', 'virtio3', 'request'],
    ['ahci[0000:00:17.0]', 'ahci[0000:00:17.0]', ''],
    ['i801_smbus', 'i801_smbus', ''],
    ['PCIe PME', 'PCIe PME', ''],
  ])('not a NIC: %s', (action, device, queue) => {
    const diskOf = (virtio: string) => (virtio === 'virtio2' ? 'vda' : undefined);
    expect(nameIrq(action, { pci: undefined, nics: [], diskOf })).toEqual({ device, queue });
  });

  test('without a PCI function the name must be the interface', () => {
    const nics = [
      { name: 'eth0', driver: 'fec', bus: 'fec.0' },
      { name: 'eth0.5', driver: undefined, bus: undefined },
    ];
    const owner = { pci: undefined, nics, diskOf: () => undefined };
    expect(nameIrq('eth0-rx-1', owner)).toEqual({ device: 'eth0', queue: 'rx-1' });
    expect(nameIrq('eth0.5', owner)).toEqual({ device: 'eth0.5', queue: '' });
    expect(nameIrq('eth01', owner)).toEqual({ device: 'eth01', queue: '' });
  });

  test('virtio without PCI is known by its bus id', () => {
    const nics = [{ name: 'eth0', driver: 'virtio_net', bus: 'virtio1' }];
    expect(nameIrq('virtio1-output.0', { pci: undefined, nics, diskOf: () => undefined })).toEqual({
      device: 'eth0',
      queue: 'output.0',
    });
  });

  test('two ports on one function: the one that is named', () => {
    const nics = [
      { name: 'p1', driver: 'mlx4_en', bus: PCI },
      { name: 'p2', driver: 'mlx4_en', bus: PCI },
    ];
    expect(nameIrq('p2-3', { pci: PCI, nics, diskOf: () => undefined }).device).toBe('p2');
  });
});

describe('makeUnique: stable on every boot', () => {
  const named = (
    irq: number,
    device: string,
    more: { pci?: string; hardwareNumber?: number; chip?: string } = {},
  ): NamedRow => ({
    row: { irq, chip: more.chip ?? 'IO-APIC', hardwareNumber: more.hardwareNumber, actions: [device] },
    device,
    queue: '',
    pci: more.pci,
  });
  const idsOf = (rows: readonly NamedRow[]) => makeUnique(rows).map(({ device, queue }) => `${device}/${queue}`);

  test('by PCI function', () => {
    const rows = [named(25, 'PCIe PME', { pci: '0000:00:04.0' }), named(26, 'PCIe PME', { pci: '0000:00:05.0' })];
    expect(idsOf(rows)).toEqual(['PCIe PME/0000:00:04.0', 'PCIe PME/0000:00:05.0']);
  });

  test('by pin', () => {
    expect(idsOf([named(1, 'i8042', { hardwareNumber: 1 }), named(12, 'i8042', { hardwareNumber: 12 })])).toEqual([
      'i8042/hwirq-1',
      'i8042/hwirq-12',
    ]);
  });

  test('by function and vector', () => {
    const rows = [0, 1].flatMap((vector) =>
      ['0000:00:04.0', '0000:00:05.0'].map((pci, at) =>
        named(vector * 2 + at, 'ioat-msix', { pci, hardwareNumber: vector }),
      ),
    );
    expect(new Set(idsOf(rows)).size).toBe(4);
    expect(idsOf(rows)[0]).toBe('ioat-msix/0000:00:04.0-0');
  });

  test('the IRQ number only where nothing else tells them apart', () => {
    expect(idsOf([named(40, 'x'), named(41, 'x')])).toEqual(['x/irq-40', 'x/irq-41']);
  });

  test('one of a name keeps it; names that differ by blanks only are one', () => {
    expect(idsOf([named(1, 'a'), named(2, 'b')])).toEqual(['a/', 'b/']);
    expect(idsOf([named(1, 'a b', { hardwareNumber: 1 }), named(2, 'a  b', { hardwareNumber: 2 })])).toEqual([
      'a b/hwirq-1',
      'a  b/hwirq-2',
    ]);
  });

  test('renumbered IRQs keep their ids', () => {
    const boot = (first: number) =>
      [4, 5].map((port, at) => named(first + at, 'PCIe PME', { pci: `0000:00:0${port}.0` }));
    expect(idsOf(boot(25))).toEqual(idsOf(boot(91)));
  });
});
