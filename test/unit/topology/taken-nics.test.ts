import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTaken, printTaken, readTaken, TAKEN_RULE, type TakenNic } from '../../../src/topology/taken-nics.ts';
import { FakeHost } from '../../fake-host.ts';

const NIC: TakenNic = {
  address: '0000:3b:00.0',
  vendor: '0x8086',
  device: '0x1592',
  interface: 'ens1f0',
  driver: 'ice',
  node: 1,
  speedMbps: 25000,
  carrier: true,
  phc: 'ptp1',
};
const BARE: TakenNic = {
  ...NIC,
  address: '0000:3b:00.1',
  node: undefined,
  speedMbps: undefined,
  carrier: undefined,
  phc: undefined,
};

describe('the rule that remembers taken NICs', () => {
  test('is read as it was written, in the order of the addresses', () => {
    expect(parseTaken(printTaken([BARE, NIC]) ?? '')).toEqual([NIC, BARE]);
    expect(printTaken([])).toBeNull();
  });

  test('gives the device to vfio-pci, and to nobody else', () => {
    const line = printTaken([NIC])
      ?.split('\n')
      .find((each) => each.startsWith('ACTION'));
    for (const part of [
      'KERNEL=="0000:3b:00.0"',
      'ATTR{vendor}=="0x8086"',
      'ATTR{driver_override}="vfio-pci"',
      'drivers_probe',
    ])
      expect(line).toContain(part);
  });

  test('cut anywhere it gives whole NICs or none', () => {
    const text = printTaken([NIC, BARE]) as string;
    for (let end = 0; end <= text.length; end++) {
      for (const nic of parseTaken(text.slice(0, end))) expect([NIC, BARE]).toContainEqual(nic);
    }
  });

  test('with any one character changed it never gives a NIC that prints otherwise', () => {
    const text = printTaken([NIC]) as string;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 3 }), (at, put) => {
        const changed = `${text.slice(0, at)}${put}${text.slice(at + 1)}`;
        for (const nic of parseTaken(changed)) expect(changed).toContain(printTaken([nic])?.split('\n').at(-2));
      }),
    );
  });

  test('another card at the address is not the NIC that was taken', async () => {
    const files = { [TAKEN_RULE]: printTaken([NIC]) as string, '/sys/bus/pci/devices/0000:3b:00.0/vendor': '0x8086\n' };
    const device = '/sys/bus/pci/devices/0000:3b:00.0/device';
    expect(await readTaken(new FakeHost({ ...files, [device]: '0x1592\n' }))).toEqual([NIC]);
    expect(await readTaken(new FakeHost({ ...files, [device]: '0x10fb\n' }))).toEqual([]);
    expect(await readTaken(new FakeHost(files))).toEqual([]);
  });
});
