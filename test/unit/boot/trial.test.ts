import { describe, expect, test } from 'vitest';
import type { Change, Plan } from '../../../src/engine/plan.ts';
import { endTrialSettings, judgeTrial, readTrialState, trialSettings } from '../../../src/engine/trial.ts';
import { type BootFacts, readBootFacts } from '../../../src/tunables/boot/facts.ts';
import { defaultGrubEntry, type GrubEntry } from '../../../src/tunables/boot/grub-menu.ts';
import { detectBootLoader, type GrubMkconfig } from '../../../src/tunables/boot/loader.ts';
import { grubMenu } from '../../../src/tunables/boot/staged.ts';
import { findMount } from '../../../src/tunables/boot/trial-refusal.ts';
import { bootArgKind } from '../../../src/tunables/boot-arg.ts';
import { kindOf } from '../../../src/tunables/kinds.ts';
import type { BootArgTunable } from '../../../src/tunables/tunable.ts';
import type { Setting } from '../../../src/tuning/domain.ts';
import type { FakeHost } from '../../fake-host.ts';
import { debianMachine, fixture } from './grub-machine.ts';
import { grubenv, rhelMachine, SD_ENTRY, systemdBootMachine, utf16 } from './other-machines.ts';

const MOUNTS = '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n';
const FILES = { '/proc/self/mountinfo': MOUNTS, '/boot/grub/grubenv': grubenv({}) };

function bootArgChange(names: readonly string[], desired: string | null): Change {
  return {
    setting: { id: `x@${names[0]}`, tunable: { kind: 'boot-arg', names } } as unknown as Setting,
    domain: 'x',
    current: null,
    staged: null,
    desired,
    takesEffect: 'reboot',
    disruption: 'reboot',
    evidence: '',
  };
}

const CHANGES = [
  bootArgChange(['isolcpus'], 'isolcpus=managed_irq,domain,2-3'),
  bootArgChange(['panic'], 'panic=30'),
  bootArgChange(['quiet'], null),
];

async function apply(host: FakeHost, settings: readonly Setting[]): Promise<void> {
  for (const { tunable, value } of settings) await kindOf(tunable).write(host, [{ tunable, value }]);
}

async function nextEntry(host: FakeHost, oneTime: Record<string, string>): Promise<GrubEntry | undefined> {
  const facts: BootFacts = await readBootFacts(host);
  const loader = detectBootLoader(facts) as GrubMkconfig;
  return defaultGrubEntry(
    grubMenu(facts, loader, facts.files.get(loader.config) ?? '', new Map(Object.entries(oneTime))),
  );
}

function takeOneTimeChoice(host: FakeHost): void {
  host.files.set(
    '/boot/grub/grubenv',
    (host.files.get('/boot/grub/grubenv') ?? '').replace('next_entry=hft-trial', 'next_entry='),
  );
}

describe.each([
  ['debian-12.cfg', {}],
  ['debian-12-password.cfg', {}],
  ['debian-12-saved.cfg', { '/boot/grub/grubenv': fixture('grubenv-saved') }],
])('a trial on GRUB with %s', (template, extra) => {
  const make = () => debianMachine({ ...FILES, ...extra }, fixture(template));

  test('is what the next boot takes, and the default stays as it was', async () => {
    const host = make();
    const grubCfg = host.files.get('/boot/grub/grub.cfg');
    const usual = await nextEntry(host, {});
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    const trial = await nextEntry(host, { next_entry: 'hft-trial' });
    expect(trial?.linux?.path).toBe(usual?.linux?.path);
    expect(trial?.linux?.arguments).toMatch(
      /root=\S+ ro .*hft\.trial=r1 panic=10 .*isolcpus=managed_irq,domain,2-3 panic=30$/,
    );
    expect(trial?.linux?.arguments).not.toMatch(/\bquiet\b/);
    expect(trial?.source).not.toContain('savedefault');
    expect(trial?.options).toEqual(usual?.options);
    expect(await nextEntry(host, {})).toEqual(usual);
    expect(host.files.get('/boot/grub/grub.cfg')).toBe(grubCfg);
    expect(host.files.get('/boot/grub/grubenv')).toHaveLength(1024);
  });

  test('leaves nothing behind', async () => {
    const host = make();
    const before = Object.fromEntries(host.files);
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    await apply(host, endTrialSettings());
    expect(Object.fromEntries(host.files)).toEqual(before);
  });

  test('a fault at any write never changes what boots by default', async () => {
    const counted = make();
    const usual = await nextEntry(counted, {});
    await apply(counted, trialSettings(CHANGES, { run: 'r1' }));
    for (let at = 1; at <= counted.writeCount; at++) {
      for (const effect of ['die-before', 'die-after', { errno: 'ENOSPC' }] as const) {
        const host = make();
        host.faults = [{ at, effect }];
        await apply(host, trialSettings(CHANGES, { run: 'r1' })).catch((error: unknown) => expect(error).toBeDefined());
        host.revive();
        expect(await nextEntry(host, {}), `write ${at}`).toEqual(usual);
      }
    }
  });
});

describe('where a trial stands', () => {
  test('none, armed, running, fell back', async () => {
    const host = debianMachine(FILES);
    expect(await readTrialState(host)).toEqual({ state: 'none' });
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    expect(await readTrialState(host)).toEqual({ state: 'armed', run: 'r1' });
    takeOneTimeChoice(host);
    const usual = host.files.get('/proc/cmdline') as string;
    host.files.set('/proc/cmdline', `${usual.trim()} hft.trial=r1 panic=10\n`);
    expect(await readTrialState(host)).toEqual({ state: 'running', run: 'r1', isChosenAgain: false });
    host.files.set('/proc/cmdline', usual);
    expect(await readTrialState(host)).toEqual({ state: 'fell-back', run: 'r1' });
    await apply(host, endTrialSettings());
    expect(await readTrialState(host)).toEqual({ state: 'none' });
  });

  test('a one-time choice that GRUB could not forget is told', async () => {
    const host = debianMachine({ ...FILES, '/proc/cmdline': 'BOOT_IMAGE=/x root=/dev/loop0p1 hft.trial=r1\n' });
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    expect(await readTrialState(host)).toEqual({ state: 'running', run: 'r1', isChosenAgain: true });
  });
});

describe('the administrator’s custom.cfg', () => {
  test('is kept around the trial', async () => {
    const theirs = "menuentry 'memtest' {\n  linux16 /memtest\n}\n";
    const host = debianMachine({ ...FILES, '/boot/grub/custom.cfg': theirs });
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    expect(host.files.get('/boot/grub/custom.cfg')).toContain(theirs);
    await apply(host, endTrialSettings());
    expect(host.files.get('/boot/grub/custom.cfg')).toBe(theirs);
  });
});

describe('a machine that could not fall back', () => {
  test.each([
    ['btrfs', '22 1 8:1 / / rw - btrfs /dev/sda1 rw\n', /GRUB cannot write to btrfs/],
    ['zfs', '22 1 8:1 / / rw - zfs bpool/BOOT rw\n', /GRUB cannot write to zfs/],
    ['LVM', '22 1 8:1 / / rw - ext4 /dev/mapper/vg-root rw\n', /LVM, RAID or encryption/],
    ['RAID', '22 1 8:1 / / rw - ext4 /dev/md0 rw\n', /LVM, RAID or encryption/],
  ])('%s: the trial is refused', async (_name, mountinfo, reason) => {
    const host = debianMachine({ ...FILES, '/proc/self/mountinfo': mountinfo });
    for (const { tunable, value } of trialSettings(CHANGES, { run: 'r1' }).slice(1)) {
      expect(await kindOf(tunable).read(host, tunable)).toMatchObject({
        status: 'missing',
        evidence: expect.stringMatching(reason),
      });
      await expect(kindOf(tunable).write(host, [{ tunable, value }])).rejects.toThrow(reason);
    }
    expect(host.files.has('/boot/grub/custom.cfg')).toBe(false);
  });

  test('a separate /boot that GRUB can write counts, not the root', async () => {
    const host = debianMachine({
      ...FILES,
      '/proc/self/mountinfo': `22 1 8:1 / / rw - btrfs /dev/sda2 rw\n23 22 8:2 / /boot rw - ext4 /dev/sda1 rw\n`,
    });
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    expect(await readTrialState(host)).toMatchObject({ state: 'armed' });
  });

  test('a grub.cfg that does not read custom.cfg', async () => {
    const deaf = fixture('debian-12.cfg').replaceAll('custom.cfg', 'other.cfg');
    const host = debianMachine({ ...FILES, '/boot/grub/grub.cfg': deaf });
    await expect(apply(host, trialSettings(CHANGES, { run: 'r1' }))).rejects.toThrow(/does not read custom\.cfg/);
  });

  test('a full environment block', async () => {
    const host = debianMachine({ ...FILES, '/boot/grub/grubenv': grubenv({ x: 'y'.repeat(985) }) });
    await expect(apply(host, trialSettings(CHANGES, { run: 'r1' }))).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  test('the deepest mount that covers a path is its file system', () => {
    const mountinfo =
      '1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /boot rw - xfs /dev/b rw\n3 1 8:3 / /bootx rw - btrfs /dev/c rw\n';
    expect(findMount(mountinfo, '/boot/grub/grubenv')).toMatchObject({ type: 'xfs', source: '/dev/b' });
    expect(findMount(mountinfo, '/boo')).toMatchObject({ type: 'ext4' });
    expect(findMount('', '/boot')).toBeUndefined();
  });
});

describe('other boot loaders', () => {
  test('RHEL: the entry is a copy of the default one, with its variables resolved', async () => {
    const host = rhelMachine();
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    const trial = await nextEntry(host, { next_entry: 'hft-trial' });
    expect(trial?.linux).toMatchObject({ path: '/vmlinuz-5.14.0-427.el9.x86_64' });
    expect(trial?.linux?.arguments).toMatch(/^root=\/dev\/mapper\/rhel-root ro crashkernel=1G-4G:192M hft\.trial=r1/);
    expect(trial?.initrd).toEqual(['/initramfs-5.14.0-427.el9.x86_64.img']);
    expect((await nextEntry(host, {}))?.id).toBe('d3b07384d113edec49eaa6238ad5ff00-5.14.0-427.el9.x86_64');
  });

  test('systemd-boot: the entry sorts last and is chosen through bootctl', async () => {
    const host = systemdBootMachine();
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    expect(host.files.get('/efi/loader/entries/-hft-trial.conf')).toMatch(
      /^options root=UUID=1 ro hft\.trial=r1 .*panic=30$/m,
    );
    expect(host.log.at(-1)).toBe('bootctl set-oneshot -- -hft-trial.conf');
    expect(host.files.get(SD_ENTRY)).not.toContain('hft');
  });

  test('systemd-boot: a trial that would become the default is taken out again', async () => {
    const host = systemdBootMachine({ '/efi/loader/loader.conf': 'timeout 3\ndefault *hft*\n' });
    await expect(apply(host, trialSettings(CHANGES, { run: 'r1' }))).rejects.toThrow(/would become the default/);
    expect(host.files.has('/efi/loader/entries/-hft-trial.conf')).toBe(false);
  });

  test('systemd-boot: what bootctl says when the choice cannot be made is told', async () => {
    const host = systemdBootMachine();
    const stderr = "Failed to update EFI variable 'LoaderEntryOneShot': Read-only file system\n";
    host.commands.set('bootctl', { found: true, exitCode: 1, stdout: '', stderr });
    await expect(apply(host, trialSettings(CHANGES, { run: 'r1' }))).rejects.toThrow(
      /bootctl set-oneshot failed: Failed to update EFI variable 'LoaderEntryOneShot': Read-only file system$/,
    );
  });

  test('systemd-boot: the one-time choice is not the default', async () => {
    const host = systemdBootMachine();
    await apply(host, trialSettings(CHANGES, { run: 'r1' }));
    host.files.set(
      '/sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f',
      utf16('-hft-trial.conf'),
    );
    expect(await readTrialState(host)).toEqual({ state: 'armed', run: 'r1' });
    const root: BootArgTunable = { kind: 'boot-arg', names: ['hft.trial'] };
    expect(await bootArgKind.readStaged?.(host, root)).toMatchObject({ value: null });
  });
});

describe('the verdict of a trial', () => {
  const plan: Plan = {
    profile: 'colo',
    host: 'h',
    bootId: '1',
    layout: { housekeeping: '0', irq: '', isolated: '1' },
    changes: [],
    satisfied: [],
    refused: [],
    unread: [],
    kept: [],
    reboot: true,
  };
  const inEffect = { ...bootArgChange(['isolcpus'], 'isolcpus=domain,2'), current: 'isolcpus=domain,2' };

  test.each<[string, Partial<Plan>, unknown]>([
    ['all is in effect and only the default entry lacks it', { changes: [inEffect] }, { passed: true }],
    [
      'an argument was not taken',
      { changes: [{ ...inEffect, current: 'isolcpus=domain,2 (not taken: the kernel has none)' }] },
      { passed: false, failed: ['x@isolcpus'] },
    ],
    [
      'something else differs',
      {
        changes: [{ ...inEffect, setting: { id: 'kernel.sysctl@x', tunable: { kind: 'file' } } as unknown as Setting }],
      },
      { passed: false, failed: ['kernel.sysctl@x'] },
    ],
  ])('%s', (_name, part, verdict) => {
    expect(judgeTrial({ ...plan, ...part })).toEqual(verdict);
  });
});
