import { expect, test } from 'vitest';
import { rollback } from '../../../src/engine/rollback.ts';
import type { Wanted } from '../../../src/engine/scope.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { LIST_ACTIVE_SERVICES } from '../../../src/topology/services.ts';
import { LIST_UNIT_FILES } from '../../../src/topology/unit-files.ts';
import { ptpDomain } from '../../../src/tuning/ptp/ptp.ts';
import { ptpWanted } from '../../../src/tuning/ptp/schema.ts';
import type { FakeHost } from '../../fake-host.ts';
import { makeRig, planRig, type Rig, recoverRig, restart, stateOf, tuneRig } from '../../faults/rig.ts';

const CARD = `Time stamping parameters for eth0:
Capabilities:
\thardware-transmit
\thardware-receive
\thardware-raw-clock
PTP Hardware Clock: 0
Hardware Receive Filter Modes:
\tall
`;

const wantedOf = (ptp: Record<string, unknown>): Wanted => ({
  name: 'test',
  layout: layoutWanted.parse({}),
  domains: { ptp: ptpWanted.parse({ interfaces: ['eth0'], ...ptp }) },
});

const RIVALS = ['chrony.service', 'systemd-timesyncd.service', 'phc2sys@eth0.service'];
const OWN = ['hft-ptp4l.service', 'hft-phc2sys.service'];

/** As systemd answers: each unit runs or not, and is enabled or not, and is there when its file is. */
function installSystemd(host: FakeHost): { readonly active: Set<string>; readonly enabled: Set<string> } {
  const active = new Set(['chrony.service', 'phc2sys@eth0.service']);
  const enabled = new Set(['chrony.service', 'systemd-timesyncd.service']);
  host.folders.add('/run/systemd/system');
  const isThere = (unit: string) => !unit.startsWith('hft-') || host.files.has(`/etc/systemd/system/${unit}`);
  const list = (units: Iterable<string>, state: string) => [...units].map((unit) => `${unit} ${state}\n`).join('');
  host.commands.set(LIST_ACTIVE_SERVICES.join(' '), () => list(active, 'loaded active running'));
  const listFiles = () => list(enabled, 'enabled enabled');
  host.commands.set('systemctl', () => '');
  host.commands.set(LIST_UNIT_FILES.join(' '), listFiles);
  for (const unit of [...RIVALS, ...OWN]) {
    host.commands.set(
      `systemctl show -p LoadState,ActiveState ${unit}`,
      () =>
        `LoadState=${isThere(unit) ? 'loaded' : 'not-found'}\nActiveState=${active.has(unit) ? 'active' : 'inactive'}\n`,
    );
    host.commands.set(`systemctl is-enabled ${unit}`, () =>
      enabled.has(unit) ? 'enabled\n' : isThere(unit) ? 'disabled\n' : '',
    );
    const act = (verb: string, change: () => void) =>
      host.commands.set(`systemctl --quiet ${verb} ${unit}`, () => {
        if (isThere(unit)) change();
        return '';
      });
    act('start', () => active.add(unit));
    act('stop', () => active.delete(unit));
    act('enable', () => enabled.add(unit));
    act('disable', () => enabled.delete(unit));
  }
  return { active, enabled };
}

function makePtpRig(): Rig & { readonly units: ReturnType<typeof installSystemd> } {
  const rig = makeRig();
  const { host } = rig;
  for (const [name, text] of Object.entries({ address: '52:54:00:00:00:01', mtu: '1500', carrier: '1' }))
    host.files.set(`/sys/class/net/eth0/${name}`, `${text}\n`);
  host.commands.set('ptp4l -v', '4.2\n');
  host.commands.set('ethtool -T eth0', CARD);
  const units = installSystemd(host);
  // What lists all units is asked with names of those that are looked for.
  const { query } = host;
  host.query = async (argv) =>
    argv.slice(0, LIST_UNIT_FILES.length).join(' ') === LIST_UNIT_FILES.join(' ')
      ? query.call(host, LIST_UNIT_FILES)
      : query.call(host, argv);
  return { ...rig, units, engine: { ...rig.engine, domains: [ptpDomain] } };
}

const lookOf = ({ units, ...rig }: ReturnType<typeof makePtpRig>) => ({
  files: stateOf(rig),
  active: [...units.active].sort(),
  enabled: [...units.enabled].sort(),
});

test('tuned: exactly one steers each clock, planning again finds nothing, and a rollback brings all of it back', async () => {
  const rig = makePtpRig();
  const before = lookOf(rig);
  const wanted = wantedOf({});
  const outcome = await tuneRig(rig, { wanted });
  expect(outcome).toMatchObject({ result: 'applied' });
  expect(lookOf(rig)).toMatchObject({ active: OWN.toSorted(), enabled: OWN.toSorted() });
  const again = await planRig(rig, { wanted });
  expect(again.plan.changes.map(({ setting }) => setting.id)).toEqual([]);
  expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
  expect(lookOf(rig)).toEqual(before);
});

test('rivals are stopped before anything of ours starts', async () => {
  const rig = makePtpRig();
  await tuneRig(rig, { wanted: wantedOf({}) });
  const at = (words: string) => rig.host.log.findIndex((line) => line.startsWith(words));
  for (const rival of ['chrony.service', 'phc2sys@eth0.service'])
    for (const own of OWN)
      expect(at(`systemctl --quiet stop ${rival}`)).toBeLessThan(at(`systemctl --quiet start ${own}`));
});

test('killed at any write, the undo brings all of it back', async () => {
  const whole = makePtpRig();
  await tuneRig(whole, { wanted: wantedOf({}) });
  const writes = whole.host.writeCount;
  expect(writes).toBeGreaterThan(10);
  for (let at = 1; at <= writes; at++) {
    for (const effect of ['die-before', 'die-after'] as const) {
      const rig = makePtpRig();
      const before = lookOf(rig);
      rig.host.faults = [{ at, effect }];
      const outcome = await tuneRig(rig, { wanted: wantedOf({}) });
      if (outcome !== undefined) continue;
      await recoverRig(rig);
      restart(rig);
      expect({ at, effect, ...lookOf(rig) }).toEqual({ at, effect, ...before });
    }
  }
});

test('a card that is gone for a moment takes nothing back; a profile without ptp takes all back', async () => {
  const rig = makePtpRig();
  const before = lookOf(rig);
  await tuneRig(rig, { wanted: wantedOf({}) });
  rig.host.commands.set('ethtool -T eth0', 'Cannot get device time stamping settings: No such device\n');
  const without = await planRig(rig, { wanted: wantedOf({}) });
  expect(without.plan.changes).toEqual([]);
  expect(without.plan.refused.map(({ id, kind }) => [id, kind])).toEqual([['ptp.timestamps@eth0', 'conflict']]);
  rig.host.commands.set('ethtool -T eth0', CARD);
  await tuneRig(rig, { wanted: { ...wantedOf({}), name: 'other', domains: {} } });
  expect(lookOf(rig)).toEqual(before);
});

test('another domain is one file that changes, and ptp4l is restarted by it', async () => {
  const rig = makePtpRig();
  await tuneRig(rig, { wanted: wantedOf({}) });
  const { plan } = await planRig(rig, { wanted: wantedOf({ domain: 24, systemClock: 'none' }) });
  const changes = plan.changes.map(({ setting, desired }) => [
    setting.id,
    desired === null ? 'gone' : desired.split('\n')[0],
  ]);
  const restarted = plan.changes.flatMap(({ setting: { tunable } }) =>
    tunable.kind === 'config-file' ? [tunable.restarts] : [],
  );
  expect(Object.fromEntries(changes)).toMatchObject({
    'ptp.file@/etc/hft/ptp/ptp4l.conf': expect.stringContaining('Written by hft'),
    'ptp.file@/etc/systemd/system/hft-phc2sys.service': 'gone',
    'ptp.activity@hft-phc2sys.service': 'inactive',
    'ptp.activity@chrony.service': 'active',
  });
  expect(restarted).toContain('hft-ptp4l.service');
});
