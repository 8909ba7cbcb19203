import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseCpulist } from '../../src/topology/cpulist.ts';
import type { Guest } from './guest.ts';
import type { SshResult } from './ssh.ts';

const root = path.join(import.meta.dirname, '..', '..');
const inputs = ['src', 'bin', 'profiles', 'agents', 'scripts', 'package.json'];

export interface Packages {
  readonly deb: string;
  readonly tarball: string;
}

/** The packages of the sources as they are now; made anew when a source is newer. */
export async function makePackages(): Promise<Packages> {
  const found = await findPackages();
  if (found !== undefined && (await stat(found.deb)).mtimeMs > (await newestInputMs())) return found;
  const run = promisify(execFile);
  await run(process.execPath, ['scripts/build.ts'], { cwd: root });
  await run(process.execPath, ['scripts/package.ts', '--fast'], { cwd: root });
  const made = await findPackages();
  if (made === undefined) throw new Error('scripts/package.ts made no packages in out/');
  return made;
}

async function findPackages(): Promise<Packages | undefined> {
  const out = path.join(root, 'out');
  const names = await readdir(out).catch(() => []);
  const [deb, tarball] = [/\.deb$/, /\.tar\.xz$/].map((end) => names.find((name) => end.test(name)));
  return deb && tarball ? { deb: path.join(out, deb), tarball: path.join(out, tarball) } : undefined;
}

async function newestInputMs(): Promise<number> {
  const times = await Promise.all(inputs.map((input) => newestMs(path.join(root, input))));
  return Math.max(...times);
}

async function newestMs(place: string): Promise<number> {
  const { mtimeMs } = await stat(place);
  const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const times = await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs));
  return Math.max(mtimeMs, ...times);
}

/** Installs the package when the guest has none, so that every part can run by itself on a fresh guest. */
export async function needHft(guest: Guest): Promise<void> {
  if ((await guest.ssh('test -x /usr/bin/hft', { allowFail: true })).code !== 0) await installHft(guest);
}

/** Installs the package of the sources as they are now. Returns what dpkg said. */
export async function installHft(guest: Guest): Promise<SshResult> {
  const { deb } = await makePackages();
  const sum = createHash('md5')
    .update(await readFile(deb))
    .digest('hex');
  await guest.copyIn(deb, '/root/hft.deb');
  await guest.ssh(`echo '${sum}  /root/hft.deb' | md5sum -c --status`);
  const installed = await guest.ssh('dpkg -i /root/hft.deb && rm /root/hft.deb', { allowFail: true, timeoutS: 300 });
  return installed;
}

/** Runs hft in the guest; any exit code is an answer. */
export async function hft(guest: Guest, args: string, timeoutS = 300): Promise<SshResult> {
  const startMs = performance.now();
  const result = await guest.ssh(`hft ${args}`, { allowFail: true, timeoutS });
  process.stdout.write(`   hft ${args}: exit ${result.code}, ${((performance.now() - startMs) / 1000).toFixed(0)} s\n`);
  return result;
}

/** The JSON that hft printed, with its exit code. Throws with what it printed when that is no JSON. */
export async function hftJson<T>(
  guest: Guest,
  args: string,
): Promise<{ readonly code: number | undefined; readonly json: T }> {
  const { code, stdout, stderr } = await hft(guest, `${args} --json`);
  try {
    return { code, json: JSON.parse(stdout) as T };
  } catch {
    throw new Error(
      `hft ${args} --json ended with ${code} and printed no JSON:\n${stdout.slice(-1000)}\n${stderr.slice(-2000)}`,
    );
  }
}

/** Waits until the unit at boot has ended, well or badly, and returns what it came to. */
export async function waitForTuneUnit(guest: Guest, timeoutS = 900): Promise<string> {
  const endMs = performance.now() + timeoutS * 1000;
  for (;;) {
    const state = (await guest.ssh('systemctl is-active hft-tune.service', { allowFail: true })).stdout;
    if (state !== 'activating' && state !== 'reloading') return state;
    if (performance.now() > endMs) return state;
    await guest.ssh('sleep 2');
  }
}

/**
 * Interrupts that arrive on one of these CPUs though they could be elsewhere, as `number actions CPUs`. Read from /proc
 * apart from hft. What the kernel manages refuses the write of its own value (EIO), so it cannot be moved.
 */
export async function listMovableIrqsOn(guest: Guest, cpus: string): Promise<readonly string[]> {
  const listing = await guest.read(
    `for i in /proc/irq/[0-9]*; do n=\${i##*/}; read -r a < /sys/kernel/irq/$n/actions; [ -n "$a" ] || continue; ` +
      'read -r e < $i/effective_affinity_list; [ -n "$e" ] || continue; ' +
      'if cat $i/smp_affinity_list > $i/smp_affinity_list; then echo "$n $a $e"; fi 2>/dev/null; done',
  );
  const wanted = parseCpulist(cpus);
  return listing
    .split('\n')
    .filter(
      (line) => line !== '' && parseCpulist(line.split(' ').at(-1) as string).some((cpu) => wanted.includes(cpu)),
    );
}

/** Puts a profile of a part's own on the guest, as /root/NAME.yaml. */
export async function writeProfile(guest: Guest, name: string, text: string): Promise<void> {
  await guest.ssh(`cat > /root/${name}.yaml`, { input: `name: ${name}\n${text}` });
}

/** The exit code and the end of what was printed, where the reason of a failure stands: evidence for a check. */
export function endOf({ code, stdout, stderr }: SshResult): string {
  return `exit ${code}: ${stdout.slice(-700)} ${code === 0 ? '' : stderr.slice(-700)}`;
}
