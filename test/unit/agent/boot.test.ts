import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bringBack } from '../../../src/agent/boot.ts';
import { readRuns } from '../../../src/engine/journal.ts';
import { rollback } from '../../../src/engine/rollback.ts';
import type { Wanted } from '../../../src/engine/scope.ts';
import { readStatus } from '../../../src/engine/status.ts';
import { readTrialState } from '../../../src/engine/trial.ts';
import { tune } from '../../../src/engine/tune.ts';
import { defineDomain, type Setting } from '../../../src/tuning/domain.ts';
import { makeRig, planRig, type Rig, stateOf, tuneRig, wantedOf } from '../../faults/rig.ts';
import { debianMachine, fixture, runMkconfig } from '../boot/grub-machine.ts';
import { grubenv } from '../boot/other-machines.ts';

const CMDLINE = 'BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-rt-amd64 root=/dev/loop0p1 ro quiet';
const SWAPPINESS = '/proc/sys/vm/swappiness';
const DEFAULT_AFFINITY = '/proc/irq/default_smp_affinity';

/** Kernel arguments by name, as a profile of this test asks for them. */
const bootDomain = defineDomain<Record<string, string>, unknown>({
  name: 'boot',
  schema: async () => z.any(),
  observe: async () => ({}),
  desire: (part) => ({ settings: Object.entries(part).map(argument), refused: [] }),
});

function argument([name, value]: [string, string]): Setting {
  return {
    id: `boot.argument@${name}`,
    stage: 'values',
    tunable: { kind: 'boot-arg', names: [name] },
    value: `${name}=${value}`,
    why: 'A test.',
    ifRefused: 'fail',
    disruption: 'reboot',
  };
}

/** The machine of the fault tests, started by GRUB of Debian 12, with kernel arguments to tune. */
function makeBooted(): Rig {
  const rig = makeRig();
  const mounts = '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n';
  const booted = debianMachine({ '/proc/self/mountinfo': mounts, '/boot/grub/grubenv': grubenv({}) });
  for (const [path, text] of booted.files) rig.host.files.set(path, text);
  for (const [command, answer] of booted.commands) rig.host.commands.set(command, answer);
  rig.host.commands.set('systemctl', '');
  return { ...rig, engine: { ...rig.engine, domains: [...rig.engine.domains, bootDomain] } };
}

/** The power goes off and comes back: what is not on disk is as the kernel makes it, GRUB takes its one-time choice. */
function reboot({ host, state }: Rig, bootId: string): void {
  host.revive();
  state.revive();
  host.files.set('/proc/sys/kernel/random/boot_id', `${bootId}\n`);
  host.files.set(SWAPPINESS, '60\n');
  host.files.set('/sys/kernel/mm/transparent_hugepage/enabled', 'always');
  host.files.set(DEFAULT_AFFINITY, 'ff\n');
  const environment = host.files.get('/boot/grub/grubenv') ?? '';
  const isTrial = environment.includes('next_entry=hft-trial');
  host.files.set('/boot/grub/grubenv', environment.replace('next_entry=hft-trial', 'next_entry='));
  const menu = isTrial ? host.files.get('/boot/grub/custom.cfg') : host.files.get('/boot/grub/grub.cfg');
  const words = /^\s*linux\s+\S+ root=\S+ ro +(.*)$/m.exec(menu ?? '')?.[1] ?? '';
  host.files.set('/proc/cmdline', `${CMDLINE.replace(' quiet', '')} ${words.trim()}\n`);
}

async function tuneOnTrial(rig: Rig, wanted: Wanted) {
  const { engine } = rig;
  const planned = await planRig(rig, { wanted });
  const planAgain = () => planRig(rig, { wanted });
  return tune(engine, { wanted, planned, planAgain, origin: 'user', trial: true, approve: async () => true });
}

const statusOf = async ({ host, state }: Rig) => {
  const bootId = host.files.get('/proc/sys/kernel/random/boot_id')?.trim();
  return readStatus(host, await readRuns(state), { host: 'fake', bootId });
};

/** What the default entry of GRUB gives beside `quiet`. */
const defaultArguments = ({ host }: Rig) =>
  /^\s*linux\s+\S+ root=\S+ ro +(.*)$/m
    .exec(host.files.get('/boot/grub/grub.cfg') ?? '')?.[1]
    ?.replace(/ *quiet */, ' ')
    .trim();

const TUNED = wantedOf('tuned', { memory: {}, limits: {}, irq: {}, boot: { skew_tick: '1', audit: '0' } });
const OTHER = wantedOf('other', { memory: { 'memory.swappiness': '10' }, boot: { audit: '0' } });
const NONE = wantedOf('none', { memory: { 'memory.swappiness': '10' } });

describe('kernel arguments of another profile', () => {
  let rig: Rig;
  let untouched: Record<string, string>;

  beforeEach(async () => {
    rig = makeBooted();
    untouched = stateOf(rig);
    await tuneOnTrial(rig, TUNED);
    reboot(rig, 'boot-2');
    expect((await bringBack(rig.engine, {})).trial).toEqual({ passed: true });
    reboot(rig, 'boot-3');
    await bringBack(rig.engine, {});
    expect(defaultArguments(rig)).toBe('skew_tick=1 audit=0');
  });

  test('go back too: on trial first, promoted by the boot that verifies, and shown as pending until then', async () => {
    const { plan } = await planRig(rig, { wanted: OTHER });
    expect(plan.changes.find(({ setting }) => setting.id === 'boot.argument@skew_tick')).toMatchObject({
      current: 'skew_tick=1',
      desired: null,
      takesEffect: 'reboot',
    });
    const outcome = await tuneOnTrial(rig, OTHER);
    expect(outcome).toMatchObject({ result: 'applied', onTrial: true, after: { changes: [], reboot: true } });
    expect(defaultArguments(rig)).toBe('skew_tick=1 audit=0');
    reboot(rig, 'boot-4');
    expect((await bringBack(rig.engine, {})).trial).toEqual({ passed: true });
    expect(defaultArguments(rig)).toBe('audit=0');
    expect(await statusOf(rig)).toMatchObject({ profile: 'other', drift: [], pendingReboot: [] });
    expect(rig.host.files.get(SWAPPINESS)).toBe('10\n');
    expect(rig.host.files.get(DEFAULT_AFFINITY)).toBe('ff\n');
    await rollback(rig.engine, { scope: 'all' });
    expect(defaultArguments(rig)).toBe('');
  });

  test('without a trial: staged at once, and pending until the reboot', async () => {
    await tuneRig(rig, { wanted: NONE });
    expect(defaultArguments(rig)).toBe('');
    expect((await planRig(rig, { wanted: NONE })).plan).toMatchObject({ changes: [], reboot: true });
    expect((await statusOf(rig)).pendingReboot).toEqual(['boot.argument@audit', 'boot.argument@skew_tick']);
    reboot(rig, 'boot-4');
    expect((await planRig(rig, { wanted: NONE })).plan.reboot).toBe(false);
    expect((await statusOf(rig)).pendingReboot).toEqual([]);
  });

  test('rolled back, the first profile’s are the default again; all of it, the machine’s own', async () => {
    await tuneRig(rig, { wanted: NONE });
    await rollback(rig.engine, { scope: 'last' });
    expect(defaultArguments(rig)).toBe('skew_tick=1 audit=0');
    await rollback(rig.engine, { scope: 'all' });
    expect(defaultArguments(rig)).toBe('');
    expect(rig.host.files.get('/etc/security/limits.d/90-hft.conf')).toBe(undefined);
    expect(stateOf(rig)['/etc/default/grub']).toBe(untouched['/etc/default/grub']);
  });

  test('an administrator’s own argument stays', async () => {
    const { host } = rig;
    host.files.set('/etc/default/grub', `${host.files.get('/etc/default/grub')}GRUB_CMDLINE_LINUX="mine=1"\n`);
    host.files.set('/boot/grub/grub.cfg', runMkconfig(host, fixture('debian-12.cfg')));
    await tuneRig(rig, { wanted: NONE });
    expect(defaultArguments(rig)).toBe('mine=1');
  });
});

describe('a trial boot waits', () => {
  test('for another profile: it is called off, or replaced by that profile’s own', async () => {
    const rig = makeBooted();
    await tuneOnTrial(rig, TUNED);
    const { plan } = await planRig(rig, { wanted: NONE });
    const called = plan.changes.filter(({ setting }) => setting.id.startsWith('boot.'));
    expect(called.map(({ setting, desired }) => [setting.id, desired])).toEqual([
      ['boot.trial-once', null],
      ['boot.trial-entry', null],
      ['boot.trial-deadline', null],
    ]);
    await tuneOnTrial(rig, OTHER);
    expect(await readTrialState(rig.host)).toEqual({ state: 'armed', run: 'run-2' });
    expect(rig.host.files.get('/boot/grub/custom.cfg')).not.toContain('skew_tick');
    await tuneOnTrial(rig, NONE);
    expect(await readTrialState(rig.host)).toEqual({ state: 'none' });
    await rollback(rig.engine, { scope: 'all' });
    expect(rig.host.files.has('/boot/grub/custom.cfg')).toBe(false);
  });

  test('for other domains than those chosen now: it is left as it is', async () => {
    const rig = makeBooted();
    await tuneOnTrial(rig, TUNED);
    const scope = { only: ['memory'] };
    await tuneRig(rig, { wanted: NONE, scope });
    expect(await readTrialState(rig.host)).toEqual({ state: 'armed', run: 'run-1' });
  });
});

describe('parts of two profiles in force', () => {
  test('a reboot brings back each domain as it was chosen last, and nothing that was never chosen', async () => {
    const rig = makeBooted();
    await tuneRig(rig, { wanted: wantedOf('first', { memory: {}, irq: {} }) });
    const second = wantedOf('second', {
      memory: { 'memory.swappiness': '10' },
      limits: {},
      irq: { 'irq.default': '0-1' },
    });
    await tuneRig(rig, { wanted: second, scope: { only: ['irq'] } });
    const before = stateOf(rig);
    reboot(rig, 'boot-2');
    const { plan } = await bringBack(rig.engine, {});
    expect(plan?.changes.map(({ setting }) => setting.id)).toEqual(['memory.swappiness', 'memory.thp', 'irq.default']);
    const [now, was] = [stateOf(rig), before].map((state) => [state[SWAPPINESS], state[DEFAULT_AFFINITY]]);
    expect(now).toEqual(was);
    expect(rig.host.files.has('/etc/security/limits.d/90-hft.conf')).toBe(false);
  });

  test('a setting that was rolled back alone stays so, whichever run had set it', async () => {
    const rig = makeBooted();
    const wanted = wantedOf('first', { memory: {} });
    await tuneRig(rig, { wanted });
    rig.host.files.set('/sys/kernel/mm/transparent_hugepage/enabled', 'always');
    await tuneRig(rig, { wanted });
    await rollback(rig.engine, { scope: { items: ['memory.swappiness'] } });
    reboot(rig, 'boot-2');
    const { plan } = await bringBack(rig.engine, {});
    expect(plan?.changes.map(({ setting }) => setting.id)).toEqual(['memory.thp']);
  });
});
