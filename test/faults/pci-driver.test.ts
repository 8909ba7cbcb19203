import { describe, expect, test } from 'vitest';
import { rollback } from '../../src/engine/rollback.ts';
import { TAKEN_RULE } from '../../src/topology/taken-nics.ts';
import { recoverKilled } from './killed-tune.ts';
import { AFFINITY, dpdkOf, makePciRig, NIC, type PciShape, TAKES } from './pci-machine.ts';
import { planRig, type Rig, recoverRig, restart, stateOf, tuneRig } from './rig.ts';

const DRIVER = `/sim/${NIC}/driver`;
const OVERRIDE = `/sys/bus/pci/devices/${NIC}/driver_override`;
const options = { wanted: TAKES };

async function take(shape?: PciShape): Promise<Rig> {
  const rig = makePciRig(shape);
  expect((await tuneRig(rig, options))?.result).toBe('applied');
  return rig;
}

describe('a NIC is given to vfio-pci', () => {
  test('the plan says what the kernel loses', async () => {
    const { plan } = await planRig(makePciRig(), options);
    const change = plan.changes.find(({ setting }) => setting.tunable.kind === 'pci-driver');
    expect(change).toMatchObject({ current: 'igb', desired: 'vfio-pci', disruption: 'process' });
    for (const lost of [
      'enp1s0',
      'up',
      '10.80.0.1/24',
      'route 10.9.0.0/16',
      'mtu 9000',
      'rings 4096/4096',
      '1 ntuple rule',
      'qdisc noqueue',
    ])
      expect(change?.setting.why).toContain(lost);
  });

  test('planned again it is as wanted, and the machine has the NIC still', async () => {
    const rig = await take();
    const { plan, machine } = await planRig(rig, options);
    expect(plan.changes).toEqual([]);
    expect(plan.refused).toEqual([]);
    expect(machine.nics.find(({ name }) => name === 'enp1s0')).toMatchObject({
      driver: 'igb',
      taken: { by: 'vfio-pci' },
    });
    expect(rig.host.files.get(DRIVER)).toBe('vfio-pci\n');
  });

  test('a rollback brings driver, rings, addresses, routes, MTU and link back', async () => {
    const before = stateOf(makePciRig());
    const rig = await take();
    expect(stateOf(rig)).not.toEqual(before);
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect(stateOf(rig)).toEqual(before);
  });

  test('with them ntuple rules, qdisc, affinity of interrupts, neighbours and the settings of queues', async () => {
    const rig = await take();
    expect(rig.host.files.has(AFFINITY)).toBe(false);
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    const net = (file: string) => rig.host.files.get(`/sys/class/net/enp1s0/${file}`)?.trim();
    expect({
      affinity: rig.host.files.get(AFFINITY)?.trim(),
      xps: net('queues/tx-0/xps_cpus'),
      length: net('tx_queue_len'),
      rule: net('sim-rule'),
      qdisc: net('sim-qdisc'),
      neighbour: net('sim-neighbour'),
    }).toEqual({
      affinity: '2',
      xps: '04',
      length: '200',
      rule: '7',
      qdisc: 'noqueue 8001:',
      neighbour: '10.80.0.7',
    });
  });

  test.each([
    ['the affinity of an interrupt', AFFINITY, 'interrupt enp1s0-TxRx-0 2'],
    ['a setting of a queue', '/sys/class/net/enp1s0/queues/tx-0/xps_cpus', 'queues/tx-0/xps_cpus 04'],
  ])('%s that the kernel refuses is no rollback, and is named', async (_, at, lacking) => {
    const rig = await take();
    rig.host.faults = [{ at, effect: { errno: 'EIO' } }];
    const { reports, complete } = await rollback(rig.engine, { scope: 'all' });
    expect(complete).toBe(false);
    const failed = reports.flatMap(({ steps }) => steps).filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ reason }) => reason)).toEqual([expect.stringContaining(lacking)]);
  });

  test.each([
    ['ethtool -n enp1s0', 'Total 1 rules\n\nFilter: 5\n\tUnknown Flow type: 99\n\tAction: Drop\n\n', 'ntuple rule 5'],
    ['tc -j qdisc show dev enp1s0 root', '[{"kind":"htb","handle":"1:","root":true}]', 'the options of its qdisc htb'],
    [
      'tc -j qdisc show dev enp1s0',
      '[{"kind":"mq","handle":"0:","root":true},{"kind":"clsact","handle":"ffff:"}]',
      'qdisc clsact ffff:',
    ],
  ])('what could not be put back keeps it (%s), unless that is overridden and said', async (command, answer, lost) => {
    const rig = makePciRig();
    rig.host.commands.set(command, answer);
    const { plan } = await planRig(rig, options);
    expect(plan.changes).toEqual([]);
    expect(plan.refused).toMatchObject([{ reason: expect.stringContaining(`could not put back ${lost}`) }]);
    const { plan: forced } = await planRig(rig, { wanted: dpdkOf({ devices: ['enp1s0'], override: [NIC] }) });
    const change = forced.changes.find(({ setting }) => setting.tunable.kind === 'pci-driver');
    expect(change?.setting.why).toContain(`Lost for good, rollback or not: ${lost}`);
  });

  test('an override that somebody left comes back too', async () => {
    const before = stateOf(makePciRig({ override: 'vfio-pci' }));
    const rig = await take({ override: 'vfio-pci' });
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect(stateOf(rig)).toEqual(before);
  });

  test('after a reboot, on which udev took it again, a rollback brings it back', async () => {
    const before = stateOf(makePciRig());
    const rig = await take();
    rig.host.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
    expect((await planRig(rig, options)).plan.changes).toEqual([]);
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect({ ...stateOf(rig), '/proc/sys/kernel/random/boot_id': 'boot-1\n' }).toEqual(before);
  });

  test('another profile that does not ask for it gives it back, as it was', async () => {
    const rig = await take();
    const other = { wanted: dpdkOf({ devices: [] }) };
    const { plan } = await planRig(rig, other);
    expect(plan.changes.map(({ desired }) => desired)).toEqual([null, 'igb', null]);
    expect((await tuneRig(rig, other))?.result).toBe('applied');
    expect(stateOf(rig)).toEqual(stateOf(makePciRig()));
  });

  test('at a boot at which its own driver was faster, it is bound again, and nothing else changes', async () => {
    const rig = await take();
    rig.host.files.set('/sys/bus/pci/drivers/vfio-pci/unbind', NIC);
    rig.host.files.set(OVERRIDE, '');
    rig.host.files.set('/sys/bus/pci/drivers_probe', NIC);
    rig.host.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
    const { plan } = await planRig(rig, options);
    expect(plan.changes.map(({ setting }) => setting.id)).toEqual([`dpdk.driver@${NIC}`]);
    expect((await tuneRig(rig, options))?.result).toBe('applied');
    expect(rig.host.files.get(DRIVER)).toBe('vfio-pci\n');
  });

  test('without an IOMMU it is refused, and nothing changes', async () => {
    const rig = makePciRig({ hasIommu: false });
    rig.host.files.delete('/sys/class/iommu/dmar0/name');
    const before = stateOf(rig);
    const { plan } = await planRig(rig, options);
    expect(plan.changes).toEqual([]);
    expect(plan.refused).toMatchObject([{ reason: expect.stringContaining('No IOMMU is at work here') }]);
    await tuneRig(rig, options);
    expect(stateOf(rig)).toEqual(before);
  });

  test('while a process uses it, it is not given back, and that is said', async () => {
    const rig = await take();
    rig.host.links.set('/proc/4711/fd/9', '/dev/vfio/11');
    rig.host.files.set('/proc/4711/comm', 'dpdk-testpmd\n');
    const { reports, complete } = await rollback(rig.engine, { scope: 'all' });
    expect(complete).toBe(false);
    const failed = reports.flatMap(({ steps }) => steps).filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ reason }) => reason)).toEqual([expect.stringContaining('dpdk-testpmd (pid 4711)')]);
    expect(rig.host.files.get(DRIVER)).toBe('vfio-pci\n');
    rig.host.links.delete('/proc/4711/fd/9');
    rig.host.files.delete('/proc/4711/comm');
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect(stateOf(rig)).toEqual(stateOf(makePciRig()));
  });

  test('a driver that somebody gave it since is left', async () => {
    const rig = await take();
    rig.host.files.set(`/sys/bus/pci/drivers/vfio-pci/unbind`, NIC);
    rig.host.files.set(OVERRIDE, 'uio_pci_generic');
    rig.host.files.set('/sys/bus/pci/drivers_probe', NIC);
    const { reports } = await rollback(rig.engine, { scope: 'all' });
    const step = reports.flatMap(({ steps }) => steps).find(({ id }) => id === `dpdk.driver@${NIC}`);
    expect(step).toMatchObject({ outcome: 'kept', found: 'uio_pci_generic' });
    expect(rig.host.files.get(DRIVER)).toBe('uio_pci_generic\n');
  });
});

describe('what refuses it', () => {
  const places = {
    'the override': OVERRIDE,
    'leaving igb': '/sys/bus/pci/drivers/igb/unbind',
    probing: '/sys/bus/pci/drivers_probe',
    'the rule': TAKEN_RULE,
  };
  const errors = ['EBUSY', 'EINVAL', 'EIO', 'EPERM', 'ENODEV'];
  test.each(Object.entries(places).flatMap(([name, path]) => errors.map((errno) => [name, errno, path] as const)))(
    '%s answers %s: one reason, and everything is as before',
    async (_, errno, at) => {
      const rig = makePciRig();
      const before = stateOf(rig);
      rig.host.faults = [{ at, effect: { errno } }];
      // A fault of a path lasts, and so would stand in the way of the undo too: it is one of the moment.
      const calmAfter = async (act: Promise<void>) => {
        try {
          await act;
        } catch (error) {
          rig.host.faults = [];
          throw error;
        }
      };
      const { writeText, replaceFile } = rig.host;
      rig.host.writeText = (path, text) => calmAfter(writeText.call(rig.host, path, text));
      rig.host.replaceFile = (path, text) => calmAfter(replaceFile.call(rig.host, path, text));
      const outcome = await tuneRig(rig, options);
      expect(outcome?.result).toBe('undone');
      expect(outcome?.report.failure?.reason).toContain(errno);
      expect(stateOf(rig)).toEqual(before);
    },
  );

  test('a bind that is taken for done and is not', async () => {
    const rig = makePciRig();
    const before = stateOf(rig);
    let probes = 0;
    const { writeText } = rig.host;
    rig.host.writeText = async (path, text) => {
      if (path === '/sys/bus/pci/drivers_probe' && ++probes === 1) return;
      await writeText.call(rig.host, path, text);
    };
    const outcome = await tuneRig(rig, options);
    expect(outcome?.result).toBe('undone');
    expect(outcome?.report.failure).toMatchObject({ id: `dpdk.driver@${NIC}` });
    expect(stateOf(rig)).toEqual(before);
  });

  test('an ip that prints nonsense: what could not be put back is not taken', async () => {
    const rig = makePciRig();
    rig.host.commands.set('ip -j addr show dev enp1s0', '[{"ifname":"enp1s0","addr_in');
    const before = stateOf(rig);
    const outcome = await tuneRig(rig, options);
    expect(outcome?.report.applied.map(({ id }) => id)).not.toContain(`dpdk.driver@${NIC}`);
    expect((await planRig(rig, options)).plan.refused).toMatchObject([{ id: `dpdk.driver@${NIC}`, kind: 'unknown' }]);
    expect(stateOf(rig)).toEqual(before);
  });
});

const { writes, appends } = await (async () => {
  const rig = await take();
  return { writes: rig.host.writeCount, appends: rig.state.appends };
})();
const undoWrites = await (async () => {
  const rig = await take();
  const made = rig.host.writeCount;
  await rollback(rig.engine, { scope: 'all' });
  return rig.host.writeCount - made;
})();
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const around = ['die-before', 'die-after'] as const;

describe.each([undefined, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('the recovery is killed at write %s', (second) => {
  test.each(upTo(writes).flatMap((at) => around.map((effect) => [effect, at] as const)))(
    'killed (%s) at write %i: everything is as before',
    async (effect, at) => {
      const { before, ...recovered } = await recoverKilled(options.wanted, { at, effect, second });
      expect(recovered).toEqual({ outcome: undefined, complete: true, after: before });
    },
  );

  test.each(upTo(appends).flatMap((at) => around.map((effect) => [effect, at] as const)))(
    'killed (%s) at append %i: everything is as before, or as wanted',
    async (effect, at) => {
      const rig = makePciRig();
      const before = stateOf(rig);
      rig.state.fault = { at, effect };
      expect(await tuneRig(rig, options)).toBeUndefined();
      const wanted = stateOf(rig);
      expect((await recoverRig(rig, second)).complete).toBe(true);
      expect(stateOf(rig)).toEqual(at === appends && effect === 'die-after' ? wanted : before);
    },
  );
});

describe('a rollback that is killed', () => {
  test.each(upTo(undoWrites).flatMap((at) => around.map((effect) => [effect, at] as const)))(
    '(%s) at write %i and run again: everything is as before',
    async (effect, at) => {
      const rig = await take();
      restart(rig);
      rig.host.faults = [{ at, effect }];
      await expect(rollback(rig.engine, { scope: 'all' })).rejects.toThrow();
      restart(rig);
      expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
      expect(stateOf(rig)).toEqual(stateOf(makePciRig()));
    },
  );
});
