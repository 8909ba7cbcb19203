import { describe, expect, test } from 'vitest';
import { trialSettings } from '../../../src/engine/trial.ts';
import { bootArgKind } from '../../../src/tunables/boot-arg.ts';
import { kindOf } from '../../../src/tunables/kinds.ts';
import type { BootArgTunable } from '../../../src/tunables/tunable.ts';
import type { FakeHost } from '../../fake-host.ts';
import { debianMachine, fixture, runMkconfig } from './grub-machine.ts';
import { grubenv } from './other-machines.ts';

const ISOLCPUS: BootArgTunable = { kind: 'boot-arg', names: ['isolcpus'] };
const VALUE = 'isolcpus=managed_irq,domain,2-3';

async function staged(host: FakeHost): Promise<unknown> {
  return bootArgKind.readStaged?.(host, ISOLCPUS);
}

describe('a GRUB whose grub-mkconfig reads no drop-ins (SUSE, Arch, RHEL 7)', () => {
  const make = () => {
    const host = debianMachine();
    host.files.delete('/usr/sbin/grub-mkconfig');
    host.files.set('/usr/sbin/grub2-mkconfig', '#!/bin/sh\n. $sysconfdir/default/grub\n');
    host.files.set('/boot/grub2/grub.cfg', host.files.get('/boot/grub/grub.cfg') as string);
    host.files.delete('/boot/grub/grub.cfg');
    host.commands.set('/usr/sbin/grub2-mkconfig', (fake) => runMkconfig(fake, fixture('debian-12.cfg')));
    return host;
  };

  test('gets a marked block at the end of /etc/default/grub, and is as before without it', async () => {
    const host = make();
    const before = new Map(host.files);
    await bootArgKind.write(host, [{ tunable: ISOLCPUS, value: VALUE }]);
    expect(await staged(host)).toMatchObject({ value: VALUE });
    expect(host.files.get('/etc/default/grub')).toContain(`${before.get('/etc/default/grub')}\n# hft begin`);
    await bootArgKind.write(host, [{ tunable: ISOLCPUS, value: null }]);
    expect(host.files).toEqual(before);
  });

  test('the administrator’s argument above the block is a conflict', async () => {
    const host = make();
    host.files.set('/etc/default/grub', 'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX="isolcpus=7"\n');
    await expect(bootArgKind.write(host, [{ tunable: ISOLCPUS, value: VALUE }])).rejects.toThrow(
      '/etc/default/grub:2 sets isolcpus=7',
    );
  });
});

/** Ubuntu tries without an initrd first, and notes a boot that did not end well. */
const UBUNTU = `if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "\${initrdfail}" = 2 ]; then
   set initrdfail=
elif [ "\${initrdfail}" = 1 ]; then
   set next_entry="\${prev_entry}"
   set prev_entry=
   save_env prev_entry
   if [ "\${next_entry}" ]; then
      set initrdfail=2
   fi
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi
function recordfail {
  set recordfail=1
  if [ -n "\${have_grubenv}" ]; then if [ -z "\${boot_once}" ]; then save_env recordfail; fi; fi
}
menuentry 'Ubuntu' --class ubuntu $menuentry_id_option 'gnulinux-simple-1' {
	recordfail
	savedefault
	load_video
	if [ "\${initrdfail}" = 1 ]; then
	  linux	/vmlinuz root=UUID=1 ro console=ttyS0
	  initrd	/initrd.img
	else
	  linux	/vmlinuz root=PARTUUID=2 ro console=ttyS0 panic=-1
	fi
	initrdfail
}
if [ -f  \${config_directory}/custom.cfg ]; then
  source \${config_directory}/custom.cfg
fi
`;

describe('Ubuntu', () => {
  const make = () =>
    debianMachine({
      '/boot/grub/grub.cfg': UBUNTU,
      '/boot/grub/grubenv': grubenv({}),
      '/proc/self/mountinfo': '22 1 8:1 / / rw - ext4 /dev/vda1 rw\n',
    });

  test('the default entry is what it boots first, without an initrd', async () => {
    const reading = await bootArgKind.readStaged?.(make(), { kind: 'boot-arg', names: ['root'] });
    expect(reading).toMatchObject({ value: 'root=PARTUUID=2' });
  });

  test('a trial has its arguments on both ways, and neither recordfail nor savedefault', async () => {
    const host = make();
    for (const { tunable, value } of trialSettings([], { run: 'r1' }))
      await kindOf(tunable).write(host, [{ tunable, value }]);
    const custom = host.files.get('/boot/grub/custom.cfg') as string;
    expect(custom.match(/^\s+linux.* hft\.trial=r1 panic=10/gm)).toHaveLength(2);
    expect(custom).not.toMatch(/^\s*(recordfail|savedefault)$/m);
    expect(custom).not.toContain('panic=-1');
  });
});
