import { describe, expect, test } from 'vitest';
import { bootArgKind } from '../../../src/tunables/boot-arg.ts';
import type { BootArgTunable } from '../../../src/tunables/tunable.ts';
import type { FakeHost } from '../../fake-host.ts';
import { fixture } from './grub-machine.ts';
import {
  grubenv,
  RHEL_DEFAULT,
  RHEL_OLDER,
  RHEL_RESCUE,
  rhelMachine,
  SD_ENTRY,
  SD_OTHER,
  systemdBootMachine,
} from './other-machines.ts';

const EFI_VARIABLES = '/sys/firmware/efi/efivars';
const ISOLCPUS: BootArgTunable = { kind: 'boot-arg', names: ['isolcpus'] };
const PANIC: BootArgTunable = { kind: 'boot-arg', names: ['panic'] };
const LOCKUP: BootArgTunable = { kind: 'boot-arg', names: ['softlockup_panic'] };
const WRITES = [
  { tunable: ISOLCPUS, value: 'isolcpus=managed_irq,domain,2-3' },
  { tunable: LOCKUP, value: 'softlockup_panic=1' },
  { tunable: PANIC, value: 'panic=10' },
];
const BACK = WRITES.map(({ tunable }) => ({ tunable, value: null }));

async function staged(host: FakeHost, tunable: BootArgTunable): Promise<string | null | undefined> {
  const reading = await bootArgKind.readStaged?.(host, tunable);
  return reading?.status === 'value' ? reading.value : undefined;
}

const MACHINES: readonly (readonly [string, () => FakeHost])[] = [
  ['RHEL 9', () => rhelMachine()],
  ['RHEL 9 with /etc/kernel/cmdline', () => rhelMachine({ '/etc/kernel/cmdline': 'root=/dev/mapper/rhel-root ro\n' })],
  ['RHEL 8 with $kernelopts', () => kerneloptsMachine()],
  ['systemd-boot', () => systemdBootMachine()],
];

function kerneloptsMachine(): FakeHost {
  const block = grubenv({
    saved_entry: RHEL_DEFAULT.replace(/.*\//, '').replace('.conf', ''),
    kernelopts: 'root=/dev/sda3 ro ',
  });
  return rhelMachine({ '/boot/grub2/grubenv': block }, '$kernelopts $tuned_params');
}

describe.each(MACHINES)('%s', (_name, make) => {
  test('the default entry has the arguments after a write', async () => {
    const host = make();
    await bootArgKind.write(host, WRITES);
    for (const { tunable, value } of WRITES) expect(await staged(host, tunable)).toBe(value);
  });

  test('nothing is left when the old values are written back', async () => {
    const host = make();
    const before = new Map(host.files);
    await bootArgKind.write(host, WRITES);
    await bootArgKind.write(host, BACK);
    expect(Object.fromEntries(host.files)).toEqual(Object.fromEntries(before));
  });

  test('one argument is replaced and the others stay', async () => {
    const host = make();
    await bootArgKind.write(host, WRITES);
    await bootArgKind.write(host, [{ tunable: PANIC, value: 'panic=30' }]);
    expect(await staged(host, PANIC)).toBe('panic=30');
    expect(await staged(host, LOCKUP)).toBe('softlockup_panic=1');
    await bootArgKind.write(host, [{ tunable: PANIC, value: null }]);
    expect(await staged(host, PANIC)).toBeNull();
    expect(await staged(host, LOCKUP)).toBe('softlockup_panic=1');
  });

  test('every fault at every write: the entries boot the old root, and an undo brings everything back', async () => {
    const counted = make();
    const original = Object.fromEntries(counted.files);
    const root = await staged(counted, { kind: 'boot-arg', names: ['root'] });
    await bootArgKind.write(counted, WRITES);
    for (let at = 1; at <= counted.writeCount; at++) {
      for (const effect of ['die-before', 'die-after', { errno: 'ENOSPC' }, { errno: 'EROFS' }] as const) {
        const host = make();
        host.faults = [{ at, effect }];
        await bootArgKind.write(host, WRITES).catch((error: unknown) => expect(error).toBeDefined());
        host.revive();
        expect(await staged(host, { kind: 'boot-arg', names: ['root'] })).toBe(root);
        await bootArgKind.write(host, BACK);
        expect(Object.fromEntries(host.files), `write ${at}, ${JSON.stringify(effect)}`).toEqual(original);
      }
    }
  });
});

describe('what stays the administrator’s', () => {
  test('an argument in an entry is a conflict, with its place', async () => {
    const host = rhelMachine({}, 'root=/dev/sda3 ro isolcpus=1');
    await expect(bootArgKind.write(host, WRITES)).rejects.toThrow(/5\.14\.0-427\.el9\.x86_64\.conf:5 sets isolcpus=1/);
  });

  test('the rescue entry of RHEL keeps its command line', async () => {
    const host = rhelMachine();
    const before = host.files.get(RHEL_RESCUE);
    await bootArgKind.write(host, WRITES);
    expect(host.files.get(RHEL_RESCUE)).toBe(before);
    expect(host.files.get(RHEL_OLDER)).toContain('panic=10');
  });

  test('an entry of another system keeps its command line', async () => {
    const host = systemdBootMachine();
    const before = host.files.get(SD_OTHER);
    await bootArgKind.write(host, WRITES);
    expect(host.files.get(SD_OTHER)).toBe(before);
    expect(host.files.get(SD_ENTRY)).toContain('options    root=UUID=1 ro  quiet isolcpus=managed_irq,domain,2-3');
  });

  test('new kernels get the arguments too', async () => {
    const sd = systemdBootMachine();
    await bootArgKind.write(sd, WRITES);
    expect(sd.files.get('/etc/kernel/cmdline')).toBe(
      'root=UUID=1 ro quiet isolcpus=managed_irq,domain,2-3 softlockup_panic=1 panic=10\n',
    );
    const rhel = rhelMachine();
    await bootArgKind.write(rhel, WRITES);
    expect(rhel.files.get('/etc/default/grub')).toContain(
      '"$GRUB_CMDLINE_LINUX_DEFAULT isolcpus=managed_irq,domain,2-3 softlockup_panic=1 panic=10"',
    );
  });

  test('a full environment block is refused and nothing changes', async () => {
    const block = grubenv({ kernelopts: `root=/dev/sda3 ro ${'x'.repeat(940)}` });
    const host = rhelMachine({ '/boot/grub2/grubenv': block }, '$kernelopts');
    const before = new Map(host.files);
    await expect(bootArgKind.write(host, WRITES)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(host.files).toEqual(before);
  });
});

describe('boot loaders that hft leaves alone', () => {
  test('a unified kernel image', async () => {
    const host = systemdBootMachine();
    host.commands.set(
      'bootctl list --json=short --no-pager',
      JSON.stringify([{ type: 'type2', id: 'debian.efi', path: '/efi/EFI/Linux/debian.efi', isDefault: true }]),
    );
    expect(await bootArgKind.readStaged?.(host, ISOLCPUS)).toMatchObject({
      status: 'missing',
      evidence: expect.stringContaining('unified kernel image'),
    });
  });

  test('one whose kernel shows no EFI variables', async () => {
    const host = systemdBootMachine({ '/boot/grub/grub.cfg': fixture('debian-12.cfg') });
    for (const path of host.files.keys()) if (path.startsWith(EFI_VARIABLES)) host.files.delete(path);
    host.folders.add(EFI_VARIABLES);
    expect(await bootArgKind.readStaged?.(host, ISOLCPUS)).toMatchObject({
      status: 'missing',
      evidence: expect.stringMatching(/shows no EFI variables.*Add efi=runtime/),
    });
  });

  test.each(['efi=noruntime', 'efi=debug,noruntime', 'noefi'])('%s would make it one', async (value) => {
    const tunable: BootArgTunable = { kind: 'boot-arg', names: [value.split('=')[0] as string] };
    await expect(bootArgKind.write(systemdBootMachine(), [{ tunable, value }])).rejects.toThrow(
      `with ${value} the kernel cannot reach systemd-boot's EFI variables`,
    );
    const rhel = rhelMachine();
    await bootArgKind.write(rhel, [{ tunable, value }]);
    expect(await staged(rhel, tunable)).toBe(value);
  });

  test('an ostree system', async () => {
    const host = rhelMachine({ '/run/ostree-booted': '' });
    expect(await bootArgKind.readStaged?.(host, ISOLCPUS)).toMatchObject({
      status: 'missing',
      evidence: expect.stringContaining('rpm-ostree kargs'),
    });
  });
});
