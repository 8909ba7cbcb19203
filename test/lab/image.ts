import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { bootForTheFirstTime } from './first-boot.ts';
import { findMirror, installTools } from './install-tools.ts';
import type { Kernel } from './kernels.ts';
import { LabError } from './lab-error.ts';
import { holdLock } from './lock.ts';
import { say, timeStep } from './log.ts';
import type { LabPlaces } from './places.ts';
import { pruneImages } from './prune.ts';

/** Debian packages of the guest, besides the minimal system, the kernels and GRUB. */
const guestPackages = [
  'systemd systemd-sysv dbus udev openssh-server ca-certificates',
  'util-linux procps kmod pciutils numactl iproute2 iputils-ping ethtool nftables tcpdump',
  'irqbalance tuned stress-ng rt-tests ipmitool libatomic1 libstdc++6 systemd-boot dosfstools',
].join(' ');

/** systemd-boot's program, for guests that UEFI firmware starts. */
const systemdBoot = 'usr/lib/systemd/boot/efi/systemd-bootx64.efi';

const diskBytes = 6 * 1024 ** 3;
/** Room for the boot record, GRUB's core image and alignment: 2048 sectors, as every partitioning tool leaves. */
const partitionStartBytes = 2048 * 512;

/** One built image: a folder named by the hash of everything that went into it. */
export interface Image {
  readonly folder: string;
  readonly key: string;
  /** Raw disks that overlays are made on, never written again. */
  diskOf(kernel: Kernel): string;
}

/** The image as the files of this folder describe it; undefined when it is not built yet. */
export async function findImage(lab: LabPlaces): Promise<Image | undefined> {
  const folder = path.join(lab.images, await hashInputs());
  return existsSync(path.join(folder, 'done')) ? describe(folder) : undefined;
}

/** Builds the image unless it is there already, one process at a time. */
export async function buildImage(lab: LabPlaces): Promise<Image> {
  return (await findImage(lab)) ?? holdLock(`${lab.images}.lock`, () => buildMissingImage(lab));
}

async function buildMissingImage(lab: LabPlaces): Promise<Image> {
  const built = await findImage(lab);
  if (built !== undefined) return built;
  await installTools(lab);
  if (process.getuid?.() !== 0) throw new LabError('Building the image needs root.', 'sudo, or a root shell');
  const folder = path.join(lab.images, await hashInputs());
  const image = describe(`${folder}.new`);
  await rm(image.folder, { recursive: true, force: true });
  await mkdir(image.folder, { recursive: true });
  await timeStep('image in all', async () => {
    const rootfs = path.join(image.folder, 'rootfs');
    await makeRootfs(image, rootfs);
    await timeStep('disk', () => makeDisk(image, rootfs));
    await timeStep('first boot', () => bootForTheFirstTime(lab, image));
    await timeStep('real-time disk', () => makeRtDisk(image));
    await rm(rootfs, { recursive: true });
    await writeFile(path.join(image.folder, 'done'), '');
  });
  await rename(image.folder, folder);
  await pruneImages(lab, folder);
  say(`image ${folder}`);
  return describe(folder);
}

function describe(folder: string): Image {
  return { folder, key: path.join(folder, 'id_ed25519'), diskOf: (kernel) => path.join(folder, `${kernel}.raw`) };
}

/** A change of this file, of first-boot.ts or of the scripts in image/ makes another image; formatting does too. */
async function hashInputs(): Promise<string> {
  const scripts = path.join(import.meta.dirname, 'image');
  const names = (await readdir(scripts)).sort().map((name) => path.join(scripts, name));
  const files = [...names, path.join(import.meta.dirname, 'image.ts'), path.join(import.meta.dirname, 'first-boot.ts')];
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

async function makeRootfs(image: Image, rootfs: string): Promise<void> {
  const mirror = await findMirror();
  await timeStep('debootstrap', () =>
    execa('debootstrap', ['--variant=minbase', 'bookworm', rootfs, mirror], { preferLocal: false }),
  );
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'hft-lab', '-f', image.key]);
  const script = await readFile(path.join(import.meta.dirname, 'image', 'rootfs.sh'), 'utf8');
  await writeFile(path.join(rootfs, 'etc/resolv.conf'), await readFile('/etc/resolv.conf', 'utf8'));
  const env = {
    ROOTFS: rootfs,
    MIRROR: mirror,
    PACKAGES: guestPackages,
    SSH_PUBLIC_KEY: (await readFile(`${image.key}.pub`, 'utf8')).trim(),
  };
  // The mounts live in a mount namespace of their own and are gone with it, also when the build is killed.
  const enter = [
    'mount --bind /dev "$ROOTFS/dev"',
    'mount -t proc proc "$ROOTFS/proc"',
    'mount -t sysfs -o ro sysfs "$ROOTFS/sys"',
    'exec chroot "$ROOTFS" /bin/sh',
  ].join(' && ');
  await timeStep('packages of the guest', async () => {
    const log = path.join(image.folder, 'rootfs.log');
    const result = await execa('unshare', ['--mount', 'sh', '-c', enter], {
      env,
      input: script,
      all: true,
      reject: false,
    });
    await writeFile(log, result.all ?? '');
    if (result.exitCode !== 0) throw new LabError(`image/rootfs.sh failed, see ${log}:\n${result.all?.slice(-2000)}`);
  });
}

async function makeDisk(image: Image, rootfs: string): Promise<void> {
  const disk = image.diskOf('stock');
  const uuid = (await readFile('/proc/sys/kernel/random/uuid', 'utf8')).trim();
  const fstab = path.join(rootfs, 'etc/fstab');
  await writeFile(fstab, (await readFile(fstab, 'utf8')).replace('__ROOT_UUID__', uuid));
  await writeFile(path.join(image.folder, 'root-uuid'), uuid);
  await execa('truncate', ['-s', String(diskBytes), disk]);
  await execa('sfdisk', ['-q', disk], { input: 'label: dos\nstart=2048, type=83, bootable\n' });
  const sizeKib = (diskBytes - partitionStartBytes) / 1024;
  const place = ['-E', `offset=${partitionStartBytes}`, '-d', rootfs, disk, `${sizeKib}k`];
  await execa('mkfs.ext4', ['-q', '-F', '-U', uuid, ...place]);
  const boot = path.join(rootfs, 'boot');
  const names = await readdir(boot);
  for (const kind of ['vmlinuz', 'initrd.img']) {
    const name = names.find((entry) => entry.startsWith(`${kind}-`) && !entry.includes('-rt-'));
    if (name === undefined) throw new LabError(`The image has no ${kind} in /boot.`);
    await execa('cp', [path.join(boot, name), path.join(image.folder, kind)]);
  }
  await execa('cp', [path.join(rootfs, systemdBoot), image.folder]);
}

/** The same disk with the other GRUB environment block: `grub-set-default` of the real-time kernel, done offline. */
async function makeRtDisk(image: Image): Promise<void> {
  const environment = path.join(image.folder, 'grubenv-rt');
  const device = (kernel: Kernel) => `${image.diskOf(kernel)}?offset=${partitionStartBytes}`;
  await execa('debugfs', ['-R', `dump /root/grubenv-rt ${environment}`, device('stock')]);
  await execa('cp', ['--sparse=always', '--reflink=auto', image.diskOf('stock'), image.diskOf('rt')]);
  const commands = `rm /boot/grub/grubenv\nwrite ${environment} /boot/grub/grubenv\n`;
  await execa('debugfs', ['-w', '-f', '-', device('rt')], { input: commands });
}
