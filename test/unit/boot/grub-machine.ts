import { readFileSync } from 'node:fs';
import { FakeHost } from '../../fake-host.ts';

export function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
}

const ASSIGNMENT = /^(?<name>GRUB_CMDLINE_LINUX(?:_DEFAULT)?)="?(?<value>[^"\n]*)"?$/gm;

/** What grub-mkconfig of Debian does with the shell variables: the file, then the drop-ins in order of their names. */
export function runMkconfig(host: FakeHost, template: string): string {
  const drops = [...host.files.keys()].filter((path) => path.startsWith('/etc/default/grub.d/')).sort();
  const variables: Record<string, string> = {};
  for (const path of ['/etc/default/grub', ...drops]) {
    for (const { groups = {} } of (host.files.get(path) ?? '').matchAll(ASSIGNMENT)) {
      variables[groups.name as string] = (groups.value as string).replace(
        /\$\{?(\w+)\}?/g,
        (_, name: string) => variables[name] ?? '',
      );
    }
  }
  const both = `${variables.GRUB_CMDLINE_LINUX ?? ''} ${variables.GRUB_CMDLINE_LINUX_DEFAULT ?? ''}`;
  return template
    .replace(/^(\s*linux\s+\S+ root=\S+ ro) {2}quiet$/gm, (_, head: string) => `${head} ${both}`)
    .replace(
      /^(\s*linux\s+\S+ root=\S+ ro single )$/gm,
      (_, head: string) => `${head}${variables.GRUB_CMDLINE_LINUX ?? ''}`,
    );
}

/** A Debian 12 machine started by GRUB, with the real texts of Debian's packages. */
export function debianMachine(extra: Record<string, string> = {}, template = fixture('debian-12.cfg')): FakeHost {
  const host = new FakeHost({
    '/proc/cmdline': 'BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-rt-amd64 root=/dev/loop0p1 ro quiet\n',
    '/etc/default/grub': fixture('debian-default-grub'),
    '/usr/sbin/grub-mkconfig': '#! /bin/sh\nfor x in $sysconfdir/default/grub.d/*.cfg ; do . "$x"; done\n',
    '/usr/bin/grub-script-check': 'ELF',
    ...extra,
  });
  host.files.set('/boot/grub/grub.cfg', extra['/boot/grub/grub.cfg'] ?? runMkconfig(host, template));
  host.commands.set('/usr/sbin/grub-mkconfig', (fake) => runMkconfig(fake, template));
  host.commands.set('/usr/bin/grub-script-check', '');
  return host;
}
