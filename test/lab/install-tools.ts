import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { LabError } from './lab-error.ts';
import { say, timeStep } from './log.ts';
import { uefiFirmware } from './machine.ts';
import type { LabPlaces } from './places.ts';

const defaultMirror = 'http://deb.debian.org/debian';

/** Debian package that brings each command the lab runs on this machine, or file that it needs. */
const packageOf: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  debootstrap: 'debootstrap',
  sfdisk: 'fdisk',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.vfat': 'dosfstools',
  mcopy: 'mtools',
  [uefiFirmware]: 'ovmf',
  debugfs: 'e2fsprogs',
  ssh: 'openssh-client',
  ip: 'iproute2',
};

/**
 * Installs the Debian packages that are missing. QEMU comes from bookworm-backports where that can be reached, because
 * the igb card (8 queues, PTP clock, SR-IOV) exists from QEMU 8 on and Debian 12 has 7.2. The package lists for that live
 * in the lab's folder: the sources of this machine stay as they are.
 */
export async function installTools(lab: LabPlaces): Promise<void> {
  const missing = await listMissingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new LabError(`These packages are missing: ${missing.join(' ')}.`, `apt-get install ${missing.join(' ')}`);
  }
  const qemu = missing.filter((name) => name.startsWith('qemu'));
  const others = missing.filter((name) => !name.startsWith('qemu'));
  await timeStep('packages for this machine', async () => {
    if (others.length > 0) {
      await aptGet(['update', '-qq']);
      await aptGet(['install', '-y', '-qq', '--no-install-recommends', ...others]);
    }
    if (qemu.length > 0) await installQemu(lab, qemu);
  });
}

async function listMissingPackages(): Promise<string[]> {
  const missing = new Set<string>();
  for (const [command, name] of Object.entries(packageOf)) {
    const found = await execa('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${command} || test -e ${command}`], {
      reject: false,
    });
    if (found.exitCode !== 0) missing.add(name);
  }
  return [...missing];
}

async function installQemu(lab: LabPlaces, packages: readonly string[]): Promise<void> {
  const options = await writeBackportsSources(lab);
  const install = ['install', '-y', '-qq', '--no-install-recommends'];
  if (options !== undefined) {
    await tryAptGet([...options, 'update', '-qq']);
    const installed = await tryAptGet([...options, ...install, '-t', 'bookworm-backports', ...packages]);
    if (installed.exitCode === 0) return;
  }
  say('bookworm-backports cannot be used: QEMU of the distribution instead. Before version 8 it has no igb card.');
  await aptGet(['update', '-qq']);
  await aptGet([...install, ...packages]);
}

/** Options that make apt read only the lab's own list of sources; undefined where this machine is not Debian 12. */
export async function writeBackportsSources(lab: LabPlaces): Promise<string[] | undefined> {
  if (!(await readFile('/etc/os-release', 'utf8')).includes('VERSION_CODENAME=bookworm')) return undefined;
  const mirror = await findMirror();
  const sources = path.join(lab.apt, 'sources.list.d');
  await mkdir(sources, { recursive: true });
  await mkdir(path.join(lab.apt, 'lists', 'partial'), { recursive: true });
  const suites = ['bookworm', 'bookworm-updates', 'bookworm-backports'];
  await writeFile(path.join(sources, 'lab.list'), suites.map((suite) => `deb ${mirror} ${suite} main\n`).join(''));
  const settings = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': sources,
    'Dir::State::lists': path.join(lab.apt, 'lists'),
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** The Debian mirror this machine uses for bookworm, so that the lab needs no other way out. */
export async function findMirror(): Promise<string> {
  const asked = process.env['HFT_LAB_MIRROR'];
  if (asked !== undefined) return asked;
  const listed = await execa('apt-get', ['indextargets', '--format', '$(RELEASE) $(REPO_URI)'], { reject: false });
  const line = listed.stdout?.split('\n').find((entry) => entry.startsWith('bookworm '));
  return line?.split(' ')[1]?.replace(/\/$/, '') ?? defaultMirror;
}

async function aptGet(args: readonly string[]): Promise<void> {
  const { exitCode, all } = await tryAptGet(args);
  if (exitCode !== 0) throw new LabError(`apt-get ${args.join(' ')} failed:\n${all}`);
}

async function tryAptGet(args: readonly string[]) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  return execa('apt-get', ['-o', 'DPkg::Lock::Timeout=600', ...args], { env, reject: false, all: true });
}
