import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { Guest } from './guest.ts';
import type { Image } from './image.ts';
import { LabError } from './lab-error.ts';
import { uefiFirmware } from './machine.ts';
import type { GuestPlaces } from './places.ts';

const emptyVariables = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const espMib = 512;
const espStartSector = 2048;
const commandLine = 'ro console=ttyS0,115200 no_timer_check mitigations=off';

/**
 * The firmware's variables, as they leave the factory, and a disk with an EFI system partition that holds systemd-boot
 * and one entry of the stock kernel: enough for a first boot, after which `useSystemdBoot` has the distribution's tools
 * install it all properly. Made by mtools: no loop device, no root.
 */
export async function makeUefiFiles({ folder, uefi }: GuestPlaces, image: Image): Promise<void> {
  if (!existsSync(uefiFirmware)) throw new LabError(`There is no ${uefiFirmware}.`, 'apt-get install ovmf');
  await execa('cp', [emptyVariables, uefi.variables]);
  await execa('truncate', ['-s', `${espMib}M`, uefi.esp]);
  // The last 33 sectors of a GPT disk are a copy of its table.
  const sectors = espMib * 2048 - espStartSector - 2048;
  const table = `label: gpt\nstart=${espStartSector}, size=${sectors}, type=U\n`;
  await execa('sfdisk', ['-q', uefi.esp], { input: table });
  const place = ['--offset', String(espStartSector), uefi.esp, String(sectors / 2)];
  await execa('mkfs.vfat', ['-F', '32', '-n', 'ESP', ...place]);
  const tree = path.join(folder, 'esp');
  await writeEspTree(tree, image);
  const partition = `${uefi.esp}@@${espStartSector * 512}`;
  await execa('mcopy', ['-s', '-i', partition, path.join(tree, 'EFI'), path.join(tree, 'loader'), '::/']);
}

async function writeEspTree(tree: string, image: Image): Promise<void> {
  await mkdir(path.join(tree, 'EFI/BOOT'), { recursive: true });
  await mkdir(path.join(tree, 'EFI/lab'), { recursive: true });
  await mkdir(path.join(tree, 'loader/entries'), { recursive: true });
  // Where firmware looks on a disk that it has no entry for.
  await execa('cp', [path.join(image.folder, 'systemd-bootx64.efi'), path.join(tree, 'EFI/BOOT/BOOTX64.EFI')]);
  await execa('cp', [
    path.join(image.folder, 'vmlinuz'),
    path.join(image.folder, 'initrd.img'),
    path.join(tree, 'EFI/lab'),
  ]);
  const uuid = await readFile(path.join(image.folder, 'root-uuid'), 'utf8');
  const entry = [
    'title lab',
    'linux /EFI/lab/vmlinuz',
    'initrd /EFI/lab/initrd.img',
    `options root=UUID=${uuid} ${commandLine}`,
    '',
  ].join('\n');
  await writeFile(path.join(tree, 'loader/entries/lab.conf'), entry);
}

/** Where Debian mounts the EFI system partition. */
export const espFolder = '/boot/efi';

/** In a guest that has come up: has bootctl and kernel-install install systemd-boot and its kernel, as on a host. */
export async function useSystemdBoot(guest: Guest): Promise<void> {
  const script = `set -eu
mkdir -p ${espFolder} /etc/kernel
echo 'LABEL=ESP ${espFolder} vfat umask=0077 0 1' >> /etc/fstab
systemctl daemon-reload
mount ${espFolder}
echo "root=UUID=$(findmnt -n -o UUID /) ${commandLine}" > /etc/kernel/cmdline
bootctl --make-entry-directory=yes install
kernel-install add "$(uname -r)" "/boot/vmlinuz-$(uname -r)" "/boot/initrd.img-$(uname -r)"
rm -r ${espFolder}/EFI/lab ${espFolder}/loader/entries/lab.conf
sync
`;
  await guest.ssh('sh -s', { input: script, timeoutS: 300 });
}
