import { describe, expect, test } from 'vitest';
import { LayoutError } from '../../../src/layout/layout-error.ts';
import { chooseTradingNic } from '../../../src/layout/trading-nic.ts';
import { buildMachine, type MachineShape } from '../../machine-builder.ts';

function choose(wanted: string, nics: MachineShape['nics'] = []) {
  return chooseTradingNic(wanted, buildMachine({ nics }));
}

describe('the trading NIC', () => {
  test.each([
    [
      'not the one that carries the session',
      [
        { name: 'a', carriesSession: true },
        { name: 'b', speedMbps: 1000 },
      ],
      'b',
    ],
    ['with a link', [{ name: 'a', carrier: false, speedMbps: 100000 }, { name: 'b' }], 'b'],
    ['with a NUMA node', [{ name: 'a', node: -1, speedMbps: 100000 }, { name: 'b' }], 'b'],
    ['the fastest', [{ name: 'a', speedMbps: 10000 }, { name: 'b' }], 'b'],
    ['with a PTP clock', [{ name: 'a' }, { name: 'b', phc: 'ptp0' }], 'b'],
    ['physical', [{ name: 'a', physical: false, speedMbps: 100000 }, { name: 'b' }], 'b'],
    ['by name in the order of people', [{ name: 'eth10' }, { name: 'eth2' }], 'eth2'],
    ['the session NIC where there is no other', [{ name: 'a', carriesSession: true }], 'a'],
  ])('auto: %s', (_rule, nics, expected) => {
    expect(choose('auto', nics as MachineShape['nics']).name).toBe(expected);
  });

  test('auto says why', () => {
    expect(choose('auto', [{ name: 'a', carriesSession: true, phc: 'ptp3', speedMbps: 2500 }]).why).toBe(
      'the only physical NIC: it also carries the session, link up, on NUMA node 0, 2.5 Gbit/s, PTP clock ptp3',
    );
    expect(choose('auto')).toEqual({ name: undefined, why: 'there is no physical NIC' });
  });

  test('none, a name, a driver with or without its family suffix', () => {
    const nics = [{ name: 'a' }, { name: 'b', driver: 'mlx5_core', bus: '0000:3b:00.0' }];
    expect(choose('none', nics).name).toBeUndefined();
    expect(choose('a', nics)).toEqual({ name: 'a', why: 'named by the profile (layout.nic: a)' });
    expect(choose('driver=mlx5', nics).name).toBe('b');
    expect(choose('driver=mlx5_core', nics).name).toBe('b');
    expect(choose('pci=0000:3b:00.0', nics).name).toBe('b');
    expect(choose('driver=igb', [{ name: 'a' }, { name: 'b', phc: 'ptp1' }])).toMatchObject({
      name: 'b',
      why: expect.stringMatching(/^driver=igb, best of 2 physical NICs/),
    });
  });

  test.each([
    ['eth9', 'layout.nic: no NIC on testbox matches eth9'],
    ['driver=ice', 'layout.nic: no NIC on testbox matches driver=ice'],
  ])('%s: refused with the NICs that are there', (wanted, message) => {
    const action = () => choose(wanted, [{ name: 'a', driver: 'igb' }]);
    expect(action).toThrow(LayoutError);
    expect(action).toThrow(
      expect.objectContaining({ message, next: ['NICs here: a (igb). Name one of them, or write "auto".'] }),
    );
  });
});
