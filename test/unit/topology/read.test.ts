import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { readMachine } from '../../../src/topology/read.ts';
import { FakeHost } from '../../fake-host.ts';
import { sysfsOf } from './sysfs.ts';

describe('readMachine', () => {
  test('joins NICs, their interrupts and the session', async () => {
    const host = sysfsOf(
      { 0: {}, 1: {} },
      {
        '/proc/sys/kernel/hostname': 'box7\n',
        '/proc/interrupts': '  CPU0  CPU1\n 52:  1  2  IR-PCI-MSIX-0000:01:00.0   1-edge      enp1s0-TxRx-0\n',
        '/proc/irq/52/smp_affinity_list': '0-1',
        '/proc/net/route':
          'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nenp1s0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n',
        '/sys/class/net/enp1s0/mtu': '1500',
      },
    );
    host.links.set('/sys/class/net/enp1s0', '../../devices/pci0000:00/0000:01:00.0/net/enp1s0');
    const machine = await readMachine(host);
    expect(machine.host).toBe('box7');
    expect(machine.nics).toMatchObject([{ name: 'enp1s0', irqs: [52], carriesSession: true }]);
    expect(machine.nics[0]).not.toHaveProperty('lowers');
    expect(machine.irqs).toMatchObject([{ irq: 52, device: 'enp1s0', queue: 'TxRx-0' }]);
  });

  test('reads each file once', async () => {
    const host = sysfsOf(
      { 0: { threads: [0], package: [0] } },
      { '/proc/interrupts': 'CPU0\n', '/proc/cpuinfo': 'processor\t: 0\n' },
    );
    const reads: string[] = [];
    const readText = host.readText.bind(host);
    host.readText = (path) => {
      reads.push(path);
      return readText(path);
    };
    await readMachine(host);
    expect(reads.filter((path, at) => reads.indexOf(path) !== at)).toEqual([]);
  });

  test('without a host name the machine is called what its reader is called', async () => {
    expect((await readMachine(sysfsOf({ 0: {} }))).host).toBe('fake');
  });

  test('changes nothing', async () => {
    const host = sysfsOf({ 0: {} });
    await readMachine(host);
    expect(host.log).toEqual([]);
  });

  test('a folder that holds no machine', async () => {
    await expect(readMachine(new FakeHost())).rejects.toThrow(UsageError);
  });
});
