import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { SshOptions, SshResult } from '../../lab/ssh.ts';
import type { Place } from './place.ts';

const PACKAGE = join(import.meta.dirname, '../../../out/hft-0.1.0-linux-x64.tar.xz');
const TUNED_PROFILE = '/etc/tuned/hft-bench';
const BUS_SOCKET = '/run/dbus/system_bus_socket';
const NEEDED = ['tuned', 'tuned-adm', 'ansible-playbook', 'dbus-daemon'];
const TUNED_WAIT_MS = 30_000;

/**
 * This machine itself, whose settings change for some seconds each round and are put back: for a real processor, which the
 * lab does not have. Refuses where tuned is already in use, since its profile would be lost.
 */
export async function openLocalPlace(scratch: string): Promise<Place> {
  const folder = join(scratch, 'apply');
  mkdirSync(folder, { recursive: true });
  const environment = {
    HFT_STATE_DIR: join(scratch, 'state'),
    PATH: `${join(scratch, 'hft-0.1.0-linux-x64/bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
  };
  const daemons: ChildProcess[] = [];
  const shell = (command: string, options?: SshOptions) => runShell(command, environment, options);
  return {
    folder,
    kind: 'this machine',
    shell,
    copyIn: async (localPath, path) => cpSync(localPath, path, { recursive: true }),
    install: () => install(scratch, shell),
    startTuned: () => startTuned(daemons, shell),
    race: async (rounds, contenders) =>
      (await shell(`sh ${folder}/rounds.sh ${rounds} ${contenders.join(' ')}`, { timeoutS: 3600 })).stdout,
    leave: async () => {
      for (const daemon of daemons.reverse()) await end(daemon);
      rmSync(TUNED_PROFILE, { recursive: true, force: true });
    },
  };
}

type Shell = (command: string, options?: SshOptions) => Promise<SshResult>;

async function runShell(command: string, env: NodeJS.ProcessEnv, options: SshOptions = {}): Promise<SshResult> {
  const { input, allowFail = false, timeoutS = 300 } = options;
  const limits = { timeout: timeoutS * 1000, reject: !allowFail };
  const ended = await execa('sh', ['-c', command], { env, ...limits, ...(input !== undefined && { input }) });
  return { code: ended.exitCode ?? 1, stdout: ended.stdout, stderr: ended.stderr };
}

async function install(scratch: string, shell: Shell): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('The comparison on this machine sets its settings, so it needs root.');
  for (const name of NEEDED) {
    const found = await shell(`command -v ${name}`, { allowFail: true });
    if (found.code !== 0) throw new Error(`${name} is missing. Debian: apt-get install tuned ansible-core dbus`);
  }
  const active = await shell('tuned-adm active', { allowFail: true });
  if (active.code === 0) throw new Error('tuned has a profile in force here; `tuned-adm off` and stop it first.');
  await shell(`tar -C ${scratch} -xf ${PACKAGE}`);
}

/** tuned waits for its orders on the system bus, which a machine without systemd may not have. */
async function startTuned(daemons: ChildProcess[], shell: Shell): Promise<void> {
  const hasBus = await shell(`test -S ${BUS_SOCKET}`, { allowFail: true });
  if (hasBus.code !== 0) {
    mkdirSync('/run/dbus', { recursive: true });
    daemons.push(spawn('dbus-daemon', ['--system', '--nofork'], { stdio: 'ignore' }));
  }
  // Without a profile of the caller's it would take the one that it recommends for this machine.
  daemons.push(spawn('tuned', ['--profile', 'hft-bench'], { stdio: 'ignore' }));
  const lateMs = performance.now() + TUNED_WAIT_MS;
  while ((await shell('tuned-adm off', { allowFail: true })).code !== 0) {
    if (performance.now() > lateMs) throw new Error('tuned did not start.');
    await sleep(200);
  }
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null) return;
  const exited = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  await exited;
}
