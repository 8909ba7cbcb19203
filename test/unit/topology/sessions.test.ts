import { describe, expect, test } from 'vitest';
import { type NicHardware, readNicHardware } from '../../../src/topology/nics.ts';
import { findInterfaces, isDefaultRoute, parseIpv4Routes, parseIpv6Routes } from '../../../src/topology/routes.ts';
import { parseSessions, parseSshConnection, readSessionInterfaces } from '../../../src/topology/sessions.ts';
import { FakeHost } from '../../fake-host.ts';

const ROUTE = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  'mgmt\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0', // default via 192.0.2.1
  'mgmt\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0', // 192.0.2.0/24
  'feed\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0', // 10.0.0.0/16
].join('\n');
/** 10.0.1.5:22 and 10.0.7.7:4242 established; the same port listening; another port established. */
const TCP = [
  '  sl  local_address rem_address   st tx_queue',
  '   0: 0501000A:0016 0707000A:1092 01 00000000',
  '   1: 00000000:0016 00000000:0000 0A 00000000',
  '   2: 0501000A:2328 0707000A:1093 01 00000000',
].join('\n');

describe('routes', () => {
  test('IPv4, little endian', () => {
    const routes = parseIpv4Routes(ROUTE);
    expect(
      routes.map(({ interface: name, destination, prefixBits, onLink }) => [name, destination, prefixBits, onLink]),
    ).toEqual([
      ['mgmt', '00000000', 0, false],
      ['mgmt', 'c0000200', 24, true],
      ['feed', '0a000000', 16, true],
    ]);
    expect(routes.filter(isDefaultRoute)).toHaveLength(1);
    expect(findInterfaces('0a000105', routes)).toEqual(['feed']);
    expect(findInterfaces('08080808', routes)).toEqual(['mgmt']);
    expect(findInterfaces('08080808', [])).toEqual([]);
  });

  test('IPv6 without what the loopback rejects', () => {
    const zeros = '0'.repeat(32);
    const text = [
      `${zeros} 00 ${zeros} 00 fe800000000000000000000000000001 00000400 00000003 00000000 00000003     mgmt`,
      `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo`,
      `fd000000000000000000000000000000 40 ${zeros} 00 ${zeros} 00000100 00000001 00000000 00000001     feed`,
    ].join('\n');
    expect(parseIpv6Routes(text).map((route) => route.interface)).toEqual(['mgmt', 'feed']);
  });

  test.each([
    '',
    'Iface\tDestination',
    'eth0\tXYZ\t0\t0003\t0\t0\t0\tQ',
    'eth0\t00000000\t00000000\t0000\t0\t0\t0\t00000000',
  ])('no route in %j', (text) => {
    expect(parseIpv4Routes(text)).toEqual([]);
    expect(parseIpv6Routes(text)).toEqual([]);
  });
});

describe('sessions', () => {
  test('established sessions at port 22 only', () => {
    expect(parseSessions(TCP)).toEqual([{ local: '0a000105', peer: '0a000707' }]);
  });

  test('IPv4 in an IPv6 socket', () => {
    const text = '   0: 0000000000000000FFFF00000501000A:0016 0000000000000000FFFF00000707000A:1092 01';
    expect(parseSessions(text)).toEqual([{ local: '0a000105', peer: '0a000707' }]);
  });

  test.each([
    ['10.0.7.7 4242 10.0.1.5 2222', { peer: '0a000707', local: '0a000105' }],
    ['fd00::7 4242 fd00::1%eth0 22', { peer: `fd${'0'.repeat(29)}7`, local: `fd${'0'.repeat(29)}1` }],
    ['', undefined],
    ['1.2.3 4 5.6.7.8 22', undefined],
    ['300.1.1.1 4 5.6.7.8 22', undefined],
  ])('$SSH_CONNECTION %j', (text, session) => {
    expect(parseSshConnection(text)).toEqual(session);
  });
});

describe('readSessionInterfaces', () => {
  /** feed is a VLAN on a bond of two NICs. */
  async function nicsOf(host: FakeHost): Promise<readonly NicHardware[]> {
    for (const link of [
      'feed/lower_bond0',
      'bond0/lower_p1',
      'bond0/lower_p2',
      'p1/upper_bond0',
      'p2/upper_bond0',
      'bond0/upper_feed',
      'mgmt/mtu',
      'other/mtu',
    ]) {
      host.files.set(`/sys/class/net/${link}`, '');
    }
    return readNicHardware(host);
  }

  test('the default route, the session, and everything below', async () => {
    const host = new FakeHost({ '/proc/net/route': ROUTE, '/proc/net/tcp': TCP });
    expect([...(await readSessionInterfaces(host, await nicsOf(host), undefined))].sort()).toEqual([
      'bond0',
      'feed',
      'mgmt',
      'p1',
      'p2',
    ]);
  });

  test('a session that only its owner knows of', async () => {
    const host = new FakeHost({ '/proc/net/route': ROUTE });
    const carrying = await readSessionInterfaces(host, await nicsOf(host), '10.0.7.7 4242 10.0.1.5 2222');
    expect(carrying.has('p2')).toBe(true);
    expect(carrying.has('other')).toBe(false);
  });

  test('IPv6 by the address of the interface', async () => {
    const address = `fd${'0'.repeat(29)}1`;
    const host = new FakeHost({ '/proc/net/if_inet6': `${address} 02 40 00 80     feed\n` });
    const carrying = await readSessionInterfaces(host, await nicsOf(host), 'fd00::7 1 fd00::1 22');
    expect(carrying.has('p1')).toBe(true);
  });

  test('the ports of an Open vSwitch that carries the address', async () => {
    const host = new FakeHost({ '/proc/net/route': ROUTE.replaceAll('mgmt', 'br-ex') });
    for (const name of ['br-ex', 'port']) host.files.set(`/sys/class/net/${name}/upper_ovs-system`, '');
    const carrying = await readSessionInterfaces(host, await readNicHardware(host), undefined);
    expect(carrying.has('port')).toBe(true);
  });

  test('no network: nothing carries anything', async () => {
    expect([...(await readSessionInterfaces(new FakeHost(), [], undefined))]).toEqual([]);
  });
});
