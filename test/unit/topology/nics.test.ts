import { describe, expect, test } from 'vitest';
import { readNicHardware } from '../../../src/topology/nics.ts';
import { findPciAddress, parseLinkSpeed } from '../../../src/topology/pci.ts';
import { FakeHost } from '../../fake-host.ts';

const NET = '/sys/class/net';

function igbHost(): FakeHost {
  const host = new FakeHost({
    [`${NET}/ens1f0/address`]: '00:11:22:33:44:55\n',
    [`${NET}/ens1f0/mtu`]: '9000\n',
    [`${NET}/ens1f0/carrier`]: '1\n',
    [`${NET}/ens1f0/speed`]: '25000\n',
    [`${NET}/ens1f0/queues/rx-0/rps_cpus`]: '0',
    [`${NET}/ens1f0/queues/rx-1/rps_cpus`]: '0',
    [`${NET}/ens1f0/queues/tx-0/xps_cpus`]: '0',
    [`${NET}/ens1f0/device/numa_node`]: '1\n',
    [`${NET}/ens1f0/device/ptp/ptp2/clock_name`]: 'x',
    [`${NET}/ens1f0/upper_bond0/mtu`]: '9000',
    '/sys/bus/pci/devices/0000:3b:00.0/current_link_width': '8\n',
    '/sys/bus/pci/devices/0000:3b:00.0/current_link_speed': '8.0 GT/s PCIe\n',
  });
  host.links.set(`${NET}/ens1f0`, '../../devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0/net/ens1f0');
  host.links.set(`${NET}/ens1f0/device`, '../../../0000:3b:00.0');
  host.links.set(`${NET}/ens1f0/device/driver`, '../../../../bus/pci/drivers/igb');
  return host;
}

describe('readNicHardware', () => {
  test('a NIC in a bond', async () => {
    expect(await readNicHardware(igbHost())).toEqual([
      {
        name: 'ens1f0',
        driver: 'igb',
        bus: '0000:3b:00.0',
        node: 1,
        mac: '00:11:22:33:44:55',
        mtu: 9000,
        carrier: true,
        speedMbps: 25000,
        physical: true,
        queues: { rx: 2, tx: 1 },
        uppers: ['bond0'],
        lowers: [],
        pcie: { widthLanes: 8, speedGTs: 8 },
        phc: 'ptp2',
      },
    ]);
  });

  test('down: carrier and speed refuse, speed may be -1 or its unsigned form', async () => {
    const host = igbHost();
    host.unreadable.set(`${NET}/ens1f0/carrier`, 'EINVAL');
    host.unreadable.set(`${NET}/ens1f0/speed`, 'EINVAL');
    expect(await readNicHardware(host)).toMatchObject([{ carrier: undefined, speedMbps: undefined }]);
    for (const speed of ['-1', '4294967295']) {
      const unknown = igbHost();
      unknown.files.set(`${NET}/ens1f0/speed`, speed);
      expect(await readNicHardware(unknown)).toMatchObject([{ speedMbps: undefined }]);
    }
  });

  test('virtio: address and node of its PCI function', async () => {
    const host = new FakeHost({
      [`${NET}/eth0/mtu`]: '1500',
      '/sys/bus/pci/devices/0000:00:03.0/numa_node': '0',
      '/sys/bus/pci/devices/0000:00:03.0/current_link_speed': 'Unknown',
    });
    host.links.set(`${NET}/eth0`, '../../devices/pci0000:00/0000:00:03.0/virtio2/net/eth0');
    host.links.set(`${NET}/eth0/device`, '../../../virtio2');
    host.links.set(`${NET}/eth0/device/driver`, '../../../../bus/virtio/drivers/virtio_net');
    const [nic] = await readNicHardware(host);
    expect(nic).toMatchObject({ bus: '0000:00:03.0', node: 0, driver: 'virtio_net', physical: true });
    expect(nic).not.toHaveProperty('pcie');
  });

  test('node -1 is not known', async () => {
    const host = igbHost();
    host.files.set(`${NET}/ens1f0/device/numa_node`, '-1\n');
    expect(await readNicHardware(host)).toMatchObject([{ node: undefined }]);
  });

  test('virtual interfaces are not physical; the loopback and bonding_masters are none', async () => {
    const host = new FakeHost({
      [`${NET}/bond0/mtu`]: '1500',
      [`${NET}/bond0/lower_ens1/mtu`]: '1500',
      [`${NET}/lo/mtu`]: '65536',
      [`${NET}/bonding_masters`]: 'bond0',
    });
    host.links.set(`${NET}/bond0`, '../../devices/virtual/net/bond0');
    const nics = await readNicHardware(host);
    expect(nics.map(({ name, physical, bus, lowers }) => ({ name, physical, bus, lowers }))).toEqual([
      { name: 'bond0', physical: false, bus: undefined, lowers: ['ens1'] },
    ]);
  });

  test('no network: none', async () => {
    expect(await readNicHardware(new FakeHost())).toEqual([]);
  });
});

test.each([
  ['../../devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0/net/x', '0000:3b:00.0'],
  ['IR-PCI-MSIX-10000:e1:00.7', '10000:e1:00.7'],
  ['../../devices/virtual/net/lo', undefined],
  [undefined, undefined],
])('findPciAddress(%j)', (path, address) => {
  expect(findPciAddress(path)).toBe(address);
});

test.each([
  ['16.0 GT/s PCIe\n', 16],
  ['2.5 GT/s', 2.5],
  ['8 GT/s', 8],
  ['Unknown', undefined],
  [undefined, undefined],
])('parseLinkSpeed(%j)', (text, speed) => {
  expect(parseLinkSpeed(text)).toBe(speed);
});
