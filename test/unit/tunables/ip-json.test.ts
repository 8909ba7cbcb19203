import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/errors.ts';
import { parseAddresses, parseRoutes } from '../../../src/tunables/pci/ip-json.ts';
import { parseVfs } from '../../../src/tunables/vf.ts';

const ADDRESSES = JSON.stringify([
  {
    ifname: 'eth1',
    addr_info: [
      { family: 'inet', local: '10.80.0.1', prefixlen: 24, scope: 'global', valid_life_time: 4294967295 },
      { family: 'inet', local: '10.81.0.7', prefixlen: 24, scope: 'global', dynamic: true },
      { family: 'inet6', local: '2001:db8::1', prefixlen: 64, scope: 'global' },
      { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
    ],
  },
]);
const ROUTES = JSON.stringify([
  { dst: '10.80.0.0/24', protocol: 'kernel', scope: 'link', prefsrc: '10.80.0.1' },
  { dst: 'default', gateway: '10.81.0.254', protocol: 'dhcp', metric: 1024 },
  { dst: '10.9.0.0/16', gateway: '10.80.0.254', protocol: 'static', metric: 50, flags: [] },
]);
const VFS =
  '[{"ifname":"enp1s0","vfinfo_list":[{"vf":0,"link_type":"ether","address":"00:00:00:00:00:00","broadcast":"ff:ff:ff:ff:ff:ff","vlan_list":[{}],"rate":{"max_tx":0,"min_tx":0},"spoofchk":true,"link_state":"auto","trust":false}]}]';

test('only what somebody set has to be put back', () => {
  expect(parseAddresses(ADDRESSES)).toEqual(['10.80.0.1/24', '2001:db8::1/64']);
  expect(parseRoutes(ROUTES)).toEqual(['10.9.0.0/16 via 10.80.0.254 proto static metric 50']);
  expect(parseAddresses('')).toEqual([]);
});

test('the settings of a virtual function, as ip printed them for an igb', () => {
  const settings = { mac: '00:00:00:00:00:00', vlan: '0', spoofchk: 'on', trust: 'off', max_tx_rate: '0' };
  expect(parseVfs(VFS)).toEqual(new Map([[0, settings]]));
  expect(parseVfs('[{"ifname":"eth0"}]')).toEqual(new Map());
});

describe('cut or changed text gives an error or less, never something else', () => {
  const cases = [
    ['addresses', ADDRESSES, parseAddresses],
    ['routes', ROUTES, parseRoutes],
    ['functions', VFS, (text: string) => [...(parseVfs(text)?.values() ?? [])].map((each) => JSON.stringify(each))],
  ] as const;
  test.each(cases)('%s, cut', (_, text, parse) => {
    for (let end = 1; end < text.length; end++) {
      try {
        expect(parse(text.slice(0, end))).toEqual([]);
      } catch (error) {
        expect(error).toBeInstanceOf(HostError);
      }
    }
  });

  test.each(cases)('%s, any JSON at all', (_, __, parse) => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          expect(Array.isArray(parse(JSON.stringify([value])))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(HostError);
        }
      }),
    );
  });
});
