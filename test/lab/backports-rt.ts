import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { findFreePort, Guest, removeGuest, startMachine } from './guest.ts';
import type { Image } from './image.ts';
import { writeBackportsSources } from './install-tools.ts';
import { LabError } from './lab-error.ts';
import { holdLock } from './lock.ts';
import { timeStep } from './log.ts';
import { type LabPlaces, locateGuest } from './places.ts';

/** The package that names the newest kernel of its kind. */
const META = 'linux-image-rt-amd64';
/** Unpacking and the initrd, in emulation. */
const installS = 1800;

/**
 * The disk of the optional kernel `backports-rt`: the stock disk with one package more, installed from within. Made when it is first
 * asked for, beside the image, which stays as it is.
 */
export async function buildBackportsDisk(lab: LabPlaces, image: Image): Promise<void> {
  const disk = image.diskOf('backports-rt');
  if (existsSync(disk)) return;
  await holdLock(`${disk}.lock`, async () => {
    if (existsSync(disk)) return;
    const packages = path.join(lab.apt, 'kernel');
    await timeStep('packages of backports-rt', () => downloadKernel(lab, packages));
    const draft = `${disk}.new`;
    await execa('cp', ['--sparse=always', '--reflink=auto', image.diskOf('stock'), draft]);
    await timeStep('disk of backports-rt', () => installKernel(lab, image, { disk: draft, packages }));
    await rename(draft, disk);
  });
}

/** The package alone, with nothing of this machine changed: it goes into the guest, whose other packages are new enough for it. */
async function downloadKernel(lab: LabPlaces, folder: string): Promise<void> {
  const options = await writeBackportsSources(lab);
  if (options === undefined)
    throw new LabError('bookworm-backports needs a Debian 12 machine: its packages are read through apt.');
  await execa('apt-get', [...options, 'update', '-qq']);
  const { stdout } = await execa('apt-cache', [...options, 'depends', `${META}/bookworm-backports`]);
  const kernel = /^\s*Depends: (?<name>linux-image-\S+)$/m.exec(stdout)?.groups?.name;
  if (kernel === undefined) throw new LabError(`${META} of bookworm-backports names no kernel:\n${stdout}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await execa('apt-get', [...options, '-t', 'bookworm-backports', 'download', '-q', kernel], { cwd: folder });
}

interface Install {
  readonly disk: string;
  readonly packages: string;
}

async function installKernel(lab: LabPlaces, image: Image, { disk, packages }: Install): Promise<void> {
  const places = locateGuest(lab, 'backports-rt-build');
  await removeGuest(places);
  await mkdir(places.folder, { recursive: true });
  const sshPort = await findFreePort();
  await startMachine(places, { disk: { file: disk, format: 'raw' }, sshPort, nics: [] });
  const guest = new Guest(places, { image: image.folder, key: image.key, kernel: 'stock', nics: [], sshPort });
  try {
    await guest.waitBoot();
    await guest.ssh('mkdir -p /root/kernel');
    for (const name of await readdir(packages)) await guest.copyIn(path.join(packages, name), `/root/kernel/${name}`);
    const script = await readFile(path.join(import.meta.dirname, 'backports-rt.sh'), 'utf8');
    await guest.ssh('sh -s', { input: script, timeoutS: installS });
    await guest.powerOff();
  } finally {
    if (await guest.isRunning()) await guest.powerCut();
    await rm(places.folder, { recursive: true, force: true });
  }
}
