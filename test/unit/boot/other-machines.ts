import { FakeHost } from '../../fake-host.ts';
import { fixture } from './grub-machine.ts';

const MACHINE_ID = 'd3b07384d113edec49eaa6238ad5ff00';
export const RHEL_ENTRIES = '/boot/loader/entries';
export const RHEL_DEFAULT = `${RHEL_ENTRIES}/${MACHINE_ID}-5.14.0-427.el9.x86_64.conf`;
export const RHEL_OLDER = `${RHEL_ENTRIES}/${MACHINE_ID}-5.14.0-362.el9.x86_64.conf`;
export const RHEL_RESCUE = `${RHEL_ENTRIES}/${MACHINE_ID}-0-rescue.conf`;
const ROOT = 'root=/dev/mapper/rhel-root ro crashkernel=1G-4G:192M';

function entry(version: string, options: string): string {
  return [
    `title Red Hat Enterprise Linux (${version})`,
    `version ${version}`,
    `linux /vmlinuz-${version}`,
    `initrd /initramfs-${version}.img $tuned_initrd`,
    `options ${options}`,
    'grub_users $grub_users',
    'grub_class rhel',
    '',
  ].join('\n');
}

/** RHEL 9 on a BIOS machine with /boot on XFS, as the installer leaves it. */
export function rhelMachine(extra: Record<string, string> = {}, options = ROOT): FakeHost {
  return new FakeHost({
    '/proc/cmdline': `BOOT_IMAGE=(hd0,gpt2)/vmlinuz-5.14.0-427.el9.x86_64 ${ROOT}\n`,
    '/proc/self/mountinfo':
      '29 1 253:0 / / rw - xfs /dev/mapper/rhel-root rw\n31 29 8:2 / /boot rw - xfs /dev/sda2 rw\n',
    '/boot/grub2/grub.cfg': fixture('rhel/grub.cfg'),
    '/boot/grub2/grubenv': grubenv({ saved_entry: `${MACHINE_ID}-5.14.0-427.el9.x86_64`, boot_success: '1' }),
    '/etc/default/grub':
      'GRUB_TIMEOUT=5\nGRUB_DEFAULT=saved\nGRUB_CMDLINE_LINUX="crashkernel=1G-4G:192M"\nGRUB_ENABLE_BLSCFG=true\n',
    '/usr/sbin/grub2-mkconfig': '#!/bin/sh\n. $sysconfdir/default/grub\n',
    '/usr/sbin/grubby': '#!/bin/bash\n',
    [RHEL_DEFAULT]: entry('5.14.0-427.el9.x86_64', options),
    [RHEL_OLDER]: entry('5.14.0-362.el9.x86_64', options),
    [RHEL_RESCUE]: entry('0-rescue', ROOT),
    ...extra,
  });
}

export function grubenv(variables: Record<string, string>): string {
  const text = `# GRUB Environment Block\n${Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}`;
  return text + '#'.repeat(1024 - text.length);
}

export const SD_ENTRY = '/efi/loader/entries/d3b07384d113edec49eaa6238ad5ff00-6.1.0-18-amd64.conf';
export const SD_OTHER = '/efi/loader/entries/arch.conf';

/** A machine started by systemd-boot, with a second system that is none of hft's business. */
export function systemdBootMachine(extra: Record<string, string> = {}): FakeHost {
  const host = new FakeHost({
    '/proc/cmdline': 'initrd=\\x\\initrd root=UUID=1 ro quiet\n',
    '/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f': utf16('systemd-boot 252.39'),
    [SD_ENTRY]:
      'title Debian GNU/Linux 12\nversion 6.1.0-18-amd64\nsort-key debian\noptions    root=UUID=1 ro  quiet\nlinux /x/linux\ninitrd /x/initrd\n',
    [SD_OTHER]: 'title Arch\nlinux /arch/linux\noptions root=UUID=2 rw\n',
    '/etc/kernel/cmdline': 'root=UUID=1 ro quiet\n',
    ...extra,
  });
  host.commands.set('bootctl list --json=short --no-pager', (fake) => listEntries(fake));
  host.commands.set('bootctl', '');
  return host;
}

/** systemd-boot sorts by sort-key, then by version, newest first. */
function listEntries(host: FakeHost): string {
  const paths = [...host.files.keys()].filter((path) => path.startsWith('/efi/loader/entries/'));
  const sorted = paths.sort((left, right) => (order(host, left) < order(host, right) ? -1 : 1));
  // As systemd 252 prints it: an object a line, and not a word about the default.
  return sorted.map((path) => JSON.stringify({ id: path.split('/').at(-1), path, root: '/efi' })).join('\n');
}

function order(host: FakeHost, path: string): string {
  const text = host.files.get(path) ?? '';
  const key = /^sort-key (.*)$/m.exec(text)?.[1] ?? '~';
  return `${key} ${/^version 0$/m.test(text) ? 'z' : 'a'} ${path}`;
}

export function utf16(text: string): string {
  return `\u0006\u0000\u0000\u0000${[...text].map((character) => `${character}\u0000`).join('')}\u0000\u0000`;
}
