import { describe, expect, test } from 'vitest';
import { rollback } from '../../src/engine/rollback.ts';
import { recoverKilled } from './killed-tune.ts';
import { dpdkOf, FUNCTIONS, MACS, makePciRig, NIC } from './pci-machine.ts';
import { planRig, type Rig, stateOf, tuneRig } from './rig.ts';

const options = { wanted: dpdkOf({ vfs: [{ of: 'enp1s0', count: 2, macs: MACS }] }) };
const NUMBER = `/sys/bus/pci/devices/${NIC}/sriov_numvfs`;

async function make(): Promise<Rig> {
  const rig = makePciRig();
  expect((await tuneRig(rig, options))?.result).toBe('applied');
  return rig;
}

describe('virtual functions', () => {
  test('are made, set and given to vfio-pci in one run, though they were not there when it was planned', async () => {
    const rig = await make();
    const drivers = FUNCTIONS.map((address) => rig.host.files.get(`/sim/${address}/driver`));
    expect(drivers).toEqual(['vfio-pci\n', 'vfio-pci\n']);
    expect(MACS.map((_, index) => rig.host.files.get(`/sim/vf${index}`)?.trim())).toEqual(MACS);
    const { plan } = await planRig(rig, options);
    expect([plan.changes, plan.refused]).toEqual([[], []]);
    expect(rig.host.files.get(`/sim/${NIC}/driver`)).toBe('igb\n');
  });

  test('go with a rollback, and nothing is left of them', async () => {
    const rig = await make();
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect(stateOf(rig)).toEqual(stateOf(makePciRig()));
  });

  test('come again after a reboot, which took them', async () => {
    const rig = await make();
    rig.host.files.set(NUMBER, '0');
    rig.host.files.set(`/sys/bus/pci/devices/${NIC}/sriov_drivers_autoprobe`, '1\n');
    rig.host.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
    expect((await tuneRig(rig, options))?.result).toBe('applied');
    expect(FUNCTIONS.map((address) => rig.host.files.get(`/sim/${address}/driver`))).toEqual([
      'vfio-pci\n',
      'vfio-pci\n',
    ]);
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    const fresh = { ...stateOf(makePciRig()), '/proc/sys/kernel/random/boot_id': 'boot-2\n' };
    expect(stateOf(rig)).toEqual(fresh);
  });

  test('another number than somebody made is a conflict, and theirs stay', async () => {
    const rig = makePciRig();
    rig.host.files.set(NUMBER, '1');
    const before = stateOf(rig);
    const { plan } = await planRig(rig, options);
    expect(plan.refused).toMatchObject([{ id: 'dpdk.vfs@enp1s0', kind: 'conflict' }]);
    await tuneRig(rig, options);
    expect(stateOf(rig)[`/sim/${FUNCTIONS[0]}/driver`]).toBe(before[`/sim/${FUNCTIONS[0]}/driver`]);
  });

  test.each(['EBUSY', 'ENOMEM', 'EIO'])('the kernel answers %s: everything is as before', async (errno) => {
    const rig = makePciRig();
    const before = stateOf(rig);
    rig.host.faults = [{ at: NUMBER, effect: { errno } }];
    const outcome = await tuneRig(rig, options);
    expect(outcome?.result).toBe('undone');
    expect(outcome?.report.failure?.reason).toContain(errno);
    expect(stateOf(rig)).toEqual(before);
  });
});

const writes = (await make()).host.writeCount;
const everyWrite = Array.from({ length: writes }, (_, index) => index + 1);
const around = ['die-before', 'die-after'] as const;

describe.each([undefined, 1, 2, 3, 5, 8])('the recovery is killed at write %s', (second) => {
  test.each(everyWrite.flatMap((at) => around.map((effect) => [effect, at] as const)))(
    'killed (%s) at write %i: everything is as before',
    async (effect, at) => {
      const { before, ...recovered } = await recoverKilled(options.wanted, { at, effect, second });
      expect(recovered).toEqual({ outcome: undefined, complete: true, after: before });
    },
  );
});
