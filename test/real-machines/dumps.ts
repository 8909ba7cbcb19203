import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A captured machine: an archive as it was found. */
export interface Dump {
  readonly name: string;
  readonly archive: string;
}

/** Beside the repository: `shared/machines`, dumps of real machines from the test data of util-linux and hwloc. */
const SHARED_MACHINES = path.resolve(import.meta.dirname, '../../../shared/machines');

/** Every archive in the folder of shared dumps and in the folder that HFT_MACHINE_DUMPS names. */
export function findDumps(): readonly Dump[] {
  const folders = [SHARED_MACHINES, process.env.HFT_MACHINE_DUMPS].filter((folder) => folder !== undefined);
  const dumps = folders.flatMap((folder) => (fs.existsSync(folder) ? listArchives(folder) : []));
  return [...new Map(dumps.map((dump) => [dump.name, dump])).values()];
}

function listArchives(folder: string): Dump[] {
  const names = fs.readdirSync(folder).filter((name) => /\.tar(\.\w+)?$/.test(name));
  return names.map((name) => ({ name: name.replace(/\.tar(\.\w+)?$/, ''), archive: path.join(folder, name) }));
}

/** A machine is thousands of tiny files: a tmpfs takes them in a second, a busy disk in a minute. */
const MEMORY = '/dev/shm';

export function makeFolder(): string {
  return fs.mkdtempSync(path.join(fs.existsSync(MEMORY) ? MEMORY : os.tmpdir(), 'hft-machine-'));
}

/** Unpacks a dump; gives the folder that holds `sys` and `proc`, and the folder to remove when done. */
export function unpack(dump: Dump): { root: string; folder: string } {
  const folder = makeFolder();
  execFileSync('tar', ['--no-same-owner', '--no-same-permissions', '-xf', dump.archive, '-C', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { root: findRoot(folder), folder };
}

/** Archives wrap the machine in a folder or two; some keep other files beside it. */
function findRoot(folder: string): string {
  for (let folders = [folder]; folders.length > 0; folders = folders.flatMap(listFolders)) {
    const root = folders.find((each) => ['sys', 'proc'].some((name) => fs.existsSync(path.join(each, name))));
    if (root !== undefined) return root;
  }
  throw new Error(`${folder}: expected a folder with sys or proc in it`);
}

function listFolders(folder: string): string[] {
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(folder, entry.name));
}

/**
 * lscpu refuses dumps of kernels before 2.6.29, which had no `possible` file. Adds it to an unpacked dump, and what
 * belongs to it, from the folders that are there. Returns whether it was missing.
 */
export function addCpuListsForLscpu(root: string): boolean {
  const cpuRoot = path.join(root, 'sys/devices/system/cpu');
  if (!fs.existsSync(cpuRoot) || fs.existsSync(path.join(cpuRoot, 'possible'))) return false;
  const cpus = fs
    .readdirSync(cpuRoot)
    .flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? [])
    .sort((left, right) => Number(left) - Number(right));
  const isOnline = (cpu: string) => {
    const file = path.join(cpuRoot, `cpu${cpu}/online`);
    return !fs.existsSync(file) || fs.readFileSync(file, 'utf8').trim() !== '0';
  };
  if (cpus.length === 0) return false;
  fs.writeFileSync(path.join(cpuRoot, 'possible'), `${cpus.join(',')}\n`);
  fs.writeFileSync(path.join(cpuRoot, 'present'), `${cpus.join(',')}\n`);
  fs.writeFileSync(path.join(cpuRoot, 'online'), `${cpus.filter(isOnline).join(',')}\n`);
  return true;
}
