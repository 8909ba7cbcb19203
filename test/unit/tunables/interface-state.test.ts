import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/errors.ts';
import { listLacking, readInterfaceState } from '../../../src/tunables/pci/interface-state.ts';
import { FakeHost } from '../../fake-host.ts';

function hostWith(commands: Record<string, string>, files: Record<string, string> = {}): FakeHost {
  const link = { '/sys/class/net/eth1/flags': '0x1003\n', '/sys/class/net/eth1/mtu': '1500\n', ...files };
  return new FakeHost(link, { ip: '[]', ...commands });
}

function pauseOf(autoneg: string, rx: string): string {
  return `Pause parameters for eth1:\nAutonegotiate:\t${autoneg}\nRX:\t\t${rx}\nTX:\t\t${rx}\n`;
}

describe('what an interface has', () => {
  test('pause as it was negotiated is nothing to put back, pause as it was set is', async () => {
    const negotiated = await readInterfaceState(hostWith({ 'ethtool -a eth1': pauseOf('on', 'on') }), 'eth1');
    expect(negotiated?.ethtool).toEqual({ pause: { autoneg: 'on' } });
    const set = await readInterfaceState(hostWith({ 'ethtool -a eth1': pauseOf('off', 'on') }), 'eth1');
    expect(set?.ethtool).toEqual({ pause: { autoneg: 'off', rx: 'on', tx: 'on' } });
  });

  test('no interface is nothing, and an ip that is not there or fails is an error: nobody could put addresses back', async () => {
    expect(await readInterfaceState(new FakeHost(), 'eth1')).toBeUndefined();
    const without = hostWith({});
    without.commands.delete('ip');
    await expect(readInterfaceState(without, 'eth1')).rejects.toThrow(HostError);
    const failing = hostWith({});
    failing.commands.set('ip', { found: true, exitCode: 1, stdout: '', stderr: 'Device "eth1" does not exist.\n' });
    await expect(readInterfaceState(failing, 'eth1')).rejects.toThrow(HostError);
  });

  test('what is lacking is named; what is more than before is not', async () => {
    const had = await readInterfaceState(hostWith({ 'ethtool -a eth1': pauseOf('off', 'on') }), 'eth1');
    const down = { '/sys/class/net/eth1/flags': '0x1002\n', '/sys/class/net/eth1/mtu': '9000\n' };
    const now = await readInterfaceState(hostWith({ 'ethtool -a eth1': pauseOf('off', 'off') }, down), 'eth1');
    if (had === undefined) throw new Error('the interface was read');
    const before = { ...had, addresses: ['10.0.0.1/24'] };
    expect(listLacking(before, now)).toEqual(['up', 'mtu 1500', 'address 10.0.0.1/24', 'pause rx on', 'pause tx on']);
    expect(listLacking(had, { ...had, addresses: ['10.0.0.9/24'] })).toEqual([]);
    expect(listLacking(had, undefined)).toEqual(['interface eth1']);
  });
});
