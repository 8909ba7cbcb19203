import { describe, expect, test } from 'vitest';
import { fromSentError } from '../../../src/agent/client/failures.ts';
import { toSentError } from '../../../src/agent/daemon/sent-error.ts';
import { observeAndPlan } from '../../../src/engine/observe.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import type { Profile } from '../../../src/profile/load.ts';
import { locateErrors } from '../../../src/profile/locate.ts';
import { Contradiction, refuseContradictions } from '../../../src/tuning/contradiction.ts';
import { dpdkDomain } from '../../../src/tuning/dpdk/dpdk.ts';
import { dpdkWanted } from '../../../src/tuning/dpdk/schema.ts';
import { ptpDomain } from '../../../src/tuning/ptp/ptp.ts';
import { ptpWanted } from '../../../src/tuning/ptp/schema.ts';
import { makeRig } from '../../faults/rig.ts';
import { buildMachine } from '../../machine-builder.ts';

const nic = (name: string, bus: string, more: object = {}) => ({ name, bus, driver: 'ice', physical: true, ...more });

function refuse(ptp: object, dpdk: object, more: object = {}): void {
  const facts = buildMachine({
    nics: [nic('ens1f0', '0000:3b:00.0', more), nic('ens2f0', '0000:5e:00.0', { driver: 'igb', uppers: ['storage'] })],
  });
  const machine = { ...facts, layout: solveLayout(layoutWanted.parse({ nic: 'ens1f0' }), facts) };
  refuseContradictions({ ptp: ptpWanted.parse(ptp), dpdk: dpdkWanted.parse(dpdk) }, machine);
}

describe('a NIC that both DPDK and PTP are to have', () => {
  test.each([
    ['the same name', { interfaces: ['ens1f0'] }, { devices: ['ens1f0'] }, 'dpdk.devices.0'],
    ['the trading NIC of both', {}, { devices: ['trading'] }, 'dpdk.devices.0'],
    ['its address', { interfaces: ['ens1f0'] }, { devices: ['ens2f0', 'pci=0000:3b:00.0'] }, 'dpdk.devices.1'],
    ['its driver', { interfaces: ['ens2f0'] }, { devices: ['driver=igb'] }, 'dpdk.devices.0'],
    ['a VLAN by name', { interfaces: ['ens1f0.100'] }, { devices: ['ens1f0'] }, 'dpdk.devices.0'],
    ['a VLAN of another name', { interfaces: ['storage'] }, { devices: ['ens2f0'] }, 'dpdk.devices.0'],
    ['an override', {}, { devices: ['trading'], override: ['0000:3b:00.0'] }, 'dpdk.devices.0'],
    [
      'pulses',
      { interfaces: ['ens1f0'], ts2phc: { source: 'generic', interface: 'ens2f0' } },
      { devices: ['ens2f0'] },
      'dpdk.devices.0',
    ],
  ])('%s is a contradiction, with its place', (_, ptp, dpdk, path) => {
    expect(() => refuse(ptp, dpdk)).toThrow(expect.objectContaining({ path, exitCode: 2 }));
  });

  test.each([
    ['two NICs', { interfaces: ['ens2f0'] }, { devices: ['ens1f0'] }, {}],
    ['virtual functions, which leave it with the kernel', {}, { vfs: [{ of: 'trading', count: 2 }] }, {}],
    ['a driver that DPDK shares', {}, { devices: ['trading'] }, { driver: 'mlx5_core' }],
    ['a name that begins alike', { interfaces: ['ens1f01'] }, { devices: ['ens1f0'] }, {}],
  ])('%s are none', (_, ptp, dpdk, more) => expect(() => refuse(ptp, dpdk, more)).not.toThrow());

  test('nothing is planned then, unless one of the two is out of scope', async () => {
    const rig = makeRig();
    const link = { type: '1', ifindex: '2', operstate: 'up', carrier: '1', mtu: '1500', address: '52:54:00:00:00:01' };
    for (const [name, text] of Object.entries(link)) rig.host.files.set(`/sys/class/net/eth0/${name}`, `${text}\n`);
    rig.host.links.set('/sys/class/net/eth0/device', '../../../0000:3b:00.0');
    const domains = {
      ptp: ptpWanted.parse({ interfaces: ['eth0'] }),
      dpdk: dpdkWanted.parse({ devices: ['eth0'] }),
    };
    const planning = {
      reader: rig.engine.host,
      domains: [dpdkDomain, ptpDomain],
      wanted: { name: 'both', layout: layoutWanted.parse({}), domains },
    };
    await expect(observeAndPlan(planning)).rejects.toThrow(Contradiction);
    await expect(observeAndPlan({ ...planning, scope: { only: ['ptp'] } })).resolves.toBeDefined();
  });

  test('the place in the file is told, here and when an agent finds it', async () => {
    const profile = {
      file: './box.yaml',
      positions: {
        dpdk: { file: './box.yaml', line: 2, column: 1 },
        'dpdk.devices.0': { file: './box.yaml', line: 3, column: 13 },
      },
      written: {},
    } as unknown as Profile;
    const error = new Contradiction('dpdk.devices.0', 'ens1f0 is also a port of ptp.interfaces.', ['Take it out.']);
    const told = /^\.\/box\.yaml:3:13 .*ens1f0 is also a port/;
    await expect(locateErrors(profile, () => Promise.reject(error))).rejects.toThrow(told);
    const sent = fromSentError('box7', toSentError(error));
    await expect(locateErrors(profile, () => Promise.reject(sent))).rejects.toThrow(told);
  });
});
