import { describe, expect, test } from 'vitest';
import { bootArgKind } from '../../../src/tunables/boot-arg.ts';
import type { BootArgTunable } from '../../../src/tunables/tunable.ts';
import { Killed } from '../../fake-host.ts';
import { debianMachine, fixture } from './grub-machine.ts';

const ISOLCPUS: BootArgTunable = {
  kind: 'boot-arg',
  names: ['isolcpus'],
  effect: { path: '/sys/devices/system/cpu/isolated', format: 'cpulist', value: '2-3' },
};
const NOHZ: BootArgTunable = { kind: 'boot-arg', names: ['nohz_full'] };
const HUGE: BootArgTunable = { kind: 'boot-arg', names: ['hugepagesz', 'hugepages'] };
const GRUB_CFG = '/boot/grub/grub.cfg';

const WRITES = [
  { tunable: ISOLCPUS, value: 'isolcpus=managed_irq,domain,2-3' },
  { tunable: NOHZ, value: 'nohz_full=2-3' },
  { tunable: HUGE, value: 'hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=512' },
];

async function staged(host: ReturnType<typeof debianMachine>, tunable: BootArgTunable) {
  return bootArgKind.readStaged?.(host, tunable);
}

describe('kernel arguments through GRUB on Debian', () => {
  test('are in the default entry after a write, and the user keeps his own', async () => {
    const host = debianMachine();
    await bootArgKind.write(host, WRITES);
    for (const { tunable, value } of WRITES)
      expect(await staged(host, tunable)).toMatchObject({ status: 'value', value });
    expect(host.files.get(GRUB_CFG)).toContain(
      'ro  quiet isolcpus=managed_irq,domain,2-3 nohz_full=2-3 hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=512\n',
    );
    expect(host.files.get('/etc/default/grub')).toBe(fixture('debian-default-grub'));
  });

  test('leave the recovery entries alone', async () => {
    const host = debianMachine();
    await bootArgKind.write(host, WRITES);
    const recovery = (host.files.get(GRUB_CFG) ?? '').split('\n').filter((line) => line.includes(' single '));
    expect(recovery).not.toHaveLength(0);
    for (const line of recovery) expect(line).not.toContain('isolcpus');
  });

  test('are gone without a trace when the old values are written back', async () => {
    const host = debianMachine();
    const before = new Map(host.files);
    await bootArgKind.write(host, WRITES);
    await bootArgKind.write(
      host,
      WRITES.map(({ tunable }) => ({ tunable, value: null })),
    );
    expect(host.files).toEqual(before);
  });

  test('run grub-mkconfig once for a batch', async () => {
    const host = debianMachine();
    await bootArgKind.write(host, WRITES);
    expect(host.log.filter((line) => line === '/usr/sbin/grub-mkconfig')).toHaveLength(1);
  });

  test('go into the file that a linked grub.cfg leads to', async () => {
    const host = debianMachine();
    host.links.set(GRUB_CFG, '../grub-shared/grub.cfg');
    host.files.set('/boot/grub-shared/grub.cfg', host.files.get(GRUB_CFG) as string);
    host.files.delete(GRUB_CFG);
    await bootArgKind.write(host, WRITES);
    expect(host.files.get('/boot/grub-shared/grub.cfg')).toContain('isolcpus=managed_irq,domain,2-3');
    expect(host.files.has(GRUB_CFG)).toBe(false);
  });
});

describe('what stands in the way', () => {
  test.each([
    [
      '/etc/default/grub.d/50-cloudimg-settings.cfg',
      'GRUB_CMDLINE_LINUX_DEFAULT="quiet isolcpus=1"\n',
      /50-cloudimg-settings\.cfg:1 sets isolcpus=1/,
    ],
    [
      '/etc/tuned/bootcmdline',
      '# tuned\nTUNED_BOOT_CMDLINE="skew_tick=1 isolcpus=1"\n',
      /bootcmdline:2 sets isolcpus=1/,
    ],
    [
      '/etc/default/grub.d/99-site.cfg',
      '# ours\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
      /99-site\.cfg:2 sets GRUB_CMDLINE_LINUX_DEFAULT anew/,
    ],
  ])('an argument of the administrator in %s is not overridden', async (path, text, reason) => {
    const host = debianMachine({ [path]: text });
    const before = new Map(host.files);
    await expect(bootArgKind.write(host, WRITES)).rejects.toThrow(reason);
    expect(host.files).toEqual(before);
  });

  test('the same argument in the administrator’s file is no conflict', async () => {
    const host = debianMachine({
      '/etc/default/grub.d/10-site.cfg': 'GRUB_CMDLINE_LINUX="isolcpus=domain,managed_irq,2,3"\n',
    });
    expect(await staged(host, ISOLCPUS)).toMatchObject({ value: 'isolcpus=managed_irq,domain,2-3' });
    await bootArgKind.write(host, [WRITES[1] as (typeof WRITES)[number]]);
    expect(await staged(host, NOHZ)).toMatchObject({ value: 'nohz_full=2-3' });
  });

  test('a command line that the kernel would cut off', async () => {
    const host = debianMachine();
    const before = new Map(host.files);
    const tunable: BootArgTunable = { kind: 'boot-arg', names: ['x'] };
    await expect(bootArgKind.write(host, [{ tunable, value: `x=${'y'.repeat(2048)}` }])).rejects.toMatchObject({
      code: 'E2BIG',
    });
    expect(host.files).toEqual(before);
  });

  test('a container has no boot loader, and says what to do', async () => {
    const host = debianMachine({ '/run/systemd/container': 'docker' });
    expect(await staged(host, ISOLCPUS)).toMatchObject({
      status: 'missing',
      evidence: expect.stringMatching(/container.*Tune the host/),
    });
  });

  test('a GRUB that takes signed files only is not written to', async () => {
    const host = debianMachine({}, `set check_signatures=enforce\n${fixture('debian-12.cfg')}`);
    const before = new Map(host.files);
    await expect(bootArgKind.write(host, WRITES)).rejects.toThrow(/takes signed files only/);
    expect(host.files).toEqual(before);
  });

  test('GRUB that did not start this kernel is not written to', async () => {
    const host = debianMachine({ '/proc/cmdline': 'console=ttyS0 root=/dev/vda\n' });
    await expect(bootArgKind.write(host, WRITES)).rejects.toThrow(/did not start this kernel/);
  });
});

describe('a grub.cfg that must not be installed', () => {
  test.each([
    [
      'grub-mkconfig fails',
      '/usr/sbin/grub-mkconfig',
      { found: true, exitCode: 1, stdout: 'menu', stderr: 'no device' },
    ],
    ['grub-mkconfig finds no kernel', '/usr/sbin/grub-mkconfig', 'set default="0"\n'],
    [
      'grub-mkconfig finds another root',
      '/usr/sbin/grub-mkconfig',
      "menuentry 'x' {\n linux /vmlinuz root=/dev/sdb1 isolcpus=2-3\n}\n",
    ],
    [
      'grub-mkconfig drops the arguments',
      '/usr/sbin/grub-mkconfig',
      "menuentry 'x' {\n linux /vmlinuz root=/dev/loop0p1\n}\n",
    ],
    ['the text is cut off', '/usr/sbin/grub-mkconfig', "menuentry 'x' {\n linux /vmlinuz root=/dev/loop0p1\n"],
    [
      'grub-script-check refuses it',
      '/usr/bin/grub-script-check',
      { found: true, exitCode: 1, stdout: '', stderr: 'syntax' },
    ],
  ] as const)('%s: the old one stays', async (_name, command, answer) => {
    const host = debianMachine();
    const before = new Map(host.files);
    host.commands.set(command, answer);
    await expect(bootArgKind.write(host, WRITES)).rejects.toThrow();
    expect(host.files).toEqual(before);
  });
});

describe('every fault at every write', () => {
  const effects = ['die-before', 'die-after', { errno: 'ENOSPC' }, { errno: 'EROFS' }, { errno: 'EIO' }] as const;

  test('leaves a menu that boots, and an undo brings everything back', async () => {
    const counted = debianMachine();
    const original = new Map(counted.files);
    await bootArgKind.write(counted, WRITES);
    for (let at = 1; at <= counted.writeCount; at++) {
      for (const effect of effects) {
        const host = debianMachine();
        host.faults = [{ at, effect }];
        await expect(
          bootArgKind.write(host, WRITES).then(
            () => 'done',
            (error: unknown) => error,
          ),
        ).resolves.toBeDefined();
        host.revive();
        const menu = host.files.get(GRUB_CFG) as string;
        expect(menu, `write ${at}, ${JSON.stringify(effect)}`).toSatisfy(
          (text: string) => text === original.get(GRUB_CFG) || text === counted.files.get(GRUB_CFG),
        );
        await bootArgKind.write(
          host,
          WRITES.map(({ tunable }) => ({ tunable, value: null })),
        );
        expect(host.files).toEqual(original);
      }
    }
  });

  test('a death between the drop-in and grub.cfg shows as neither old nor new', async () => {
    const host = debianMachine();
    host.faults = [{ at: '/usr/sbin/grub-mkconfig', effect: 'die-before' }];
    await expect(bootArgKind.write(host, WRITES)).rejects.toThrow(Killed);
    host.revive();
    expect(await staged(host, ISOLCPUS)).toMatchObject({
      value: 'none (cut off: hft was about to set isolcpus=managed_irq,domain,2-3)',
    });
  });
});

describe('what is in effect', () => {
  test.each([
    ['isolcpus=managed_irq,domain,2-3', '2-3', 'isolcpus=managed_irq,domain,2-3'],
    ['isolcpus=domain,managed_irq,3,2', '2-3', 'isolcpus=managed_irq,domain,2-3'],
    ['isolcpus=2-3', '', 'isolcpus=domain,2-3 (not taken: the kernel has none)'],
    ['isolcpus=0-3', '1-3', 'isolcpus=domain,0-3 (not taken: the kernel has 1-3)'],
    ['isolcpus=4-5', '4-5', 'isolcpus=domain,4-5'],
    ['isolcpus=2-3 isolcpus=4', '2-3', 'isolcpus=domain,2-3'],
    ['quiet -- isolcpus=2-3', '', null],
  ])('%s with %j isolated is %j', async (cmdline, isolated, value) => {
    const host = debianMachine({
      '/proc/cmdline': `BOOT_IMAGE=/vmlinuz ${cmdline}\n`,
      '/sys/devices/system/cpu/isolated': `${isolated}\n`,
    });
    expect(await bootArgKind.read(host, ISOLCPUS)).toMatchObject({ status: 'value', value });
  });

  test('a nohz_full that the kernel prints as (null) is empty', async () => {
    const path = '/sys/devices/system/cpu/nohz_full';
    const host = debianMachine({ '/proc/cmdline': 'nohz_full=2\n', [path]: '  (null)\n' });
    const tunable: BootArgTunable = { ...NOHZ, effect: { path, format: 'cpulist', value: '2' } };
    expect(await bootArgKind.read(host, tunable)).toMatchObject({
      value: 'nohz_full=2 (not taken: the kernel has none)',
    });
  });
});
