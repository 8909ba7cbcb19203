import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { findFreePort, Guest, removeGuest, startMachine } from './guest.ts';
import type { Image } from './image.ts';
import { type LabPlaces, locateGuest } from './places.ts';

/**
 * Boots the new disk once with a kernel from outside, installs GRUB on it from within and lets the first-boot services
 * (host keys, machine id) settle, so that every later guest starts as a machine that has been running before.
 */
export async function bootForTheFirstTime(lab: LabPlaces, image: Image): Promise<void> {
  const places = locateGuest(lab, 'first-boot');
  await removeGuest(places);
  await mkdir(places.folder, { recursive: true });
  const sshPort = await findFreePort();
  const uuid = await readFile(path.join(image.folder, 'root-uuid'), 'utf8');
  await startMachine(places, {
    disk: { file: image.diskOf('stock'), format: 'raw' },
    sshPort,
    nics: [],
    direct: {
      kernel: path.join(image.folder, 'vmlinuz'),
      initrd: path.join(image.folder, 'initrd.img'),
      commandLine: `root=UUID=${uuid} ro console=ttyS0,115200 no_timer_check mitigations=off`,
    },
  });
  const guest = new Guest(places, { image: image.folder, key: image.key, kernel: 'stock', nics: [], sshPort });
  await guest.waitBoot();
  const script = await readFile(path.join(import.meta.dirname, 'image', 'first-boot.sh'), 'utf8');
  await guest.ssh('sh -s', { input: script });
  await guest.powerOff();
  await execa('cp', [places.serialLog, path.join(image.folder, 'first-boot.log')]);
  await removeGuest(places);
}
