import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './run-hft.ts';

/** Another linuxptp than the one that is installed: a folder with ptp4l and pmc in it. */
const LINUXPTP = process.env.HFT_LINUXPTP;
const PATH = [...(LINUXPTP === undefined ? [] : [LINUXPTP]), process.env.PATH, '/usr/sbin', '/sbin'].join(':');
const env = { ...process.env, PATH, LC_ALL: 'C' };

/** Why there can be no bed here; undefined: there can. */
export function whyNoBed(): string | undefined {
  if (process.getuid?.() !== 0) return 'it takes root';
  for (const program of ['cc', 'ptp4l', 'pmc', 'unshare', 'nsenter', 'setpriv', 'ip', 'nft'])
    if (spawnSync('which', [program], { env }).status !== 0) return `${program} is not installed`;
  const tried = spawnSync(
    'unshare',
    ['--pid', '--fork', '--mount', '--net', '--mount-proc', 'ip', 'link', 'add', 'slave', 'type', 'veth'],
    { env },
  );
  return tried.status === 0 ? undefined : 'this kernel makes no namespaces with veth';
}

/** No Debian package but linuxptp's own says which it is. */
export function linuxptpVersion(): string {
  return spawnSync('ptp4l', ['-v'], { env, encoding: 'utf8' }).stdout.trim();
}

/** A namespace with an interface `slave`, wired to `master` in another. Pids, mounts and networks end with its first process. */
const ENTER = `set -e
mkdir -p /run/netns && mount -t tmpfs none /run/netns
ip netns add master
ip link add slave type veth peer name master netns master
ip addr add 10.77.0.2/24 dev slave && ip link set dev slave up && ip link set lo up
ip -n master addr add 10.77.0.1/24 dev master && ip -n master link set dev master up
echo ready
exec sleep infinity`;

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** After ten seconds without Announce a slave gives up its master, so that a busy machine is not taken for a dead grandmaster. */
const PATIENT = { announceReceiptTimeout: '40' };
/** After two, where that is what a test waits for. */
export const IMPATIENT = { announceReceiptTimeout: '8' };

/** Two ptp4l on one machine, in software stamps; nothing outside sees them, and none can set the clock of the machine. */
export class PtpBed {
  readonly folder = mkdtempSync(join(tmpdir(), 'hft-ptp-'));
  readonly #first: ChildProcess;
  readonly #inside: readonly string[];
  readonly #pretence = join(this.folder, 'pretence.so');
  readonly #sockets = new Map<string, string>();
  readonly #running = new Map<string, ChildProcess>();

  private constructor(first: ChildProcess, inner: string) {
    this.#first = first;
    this.#inside = ['nsenter', '--target', inner, '--pid', '--mount', '--net'];
  }

  static async make(): Promise<PtpBed> {
    const flags = ['--pid', '--fork', '--kill-child', '--mount', '--net', '--mount-proc'];
    // It ends with whoever runs the tests, however that ends.
    const first = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...flags, 'sh', '-c', ENTER], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const piece of first.stdout as AsyncIterable<Buffer>) if (piece.includes('ready')) break;
    const inner = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').trim();
    const bed = new PtpBed(first, inner);
    await bed.#mustBeHarmless();
    const { status, stderr } = await bed.run(['cc', '-shared', '-fPIC', '-x', 'c', '-', '-o', bed.#pretence], PRETENCE);
    if (status !== 0) throw new Error(stderr);
    return bed;
  }

  get #harmless(): readonly string[] {
    return [...WITHOUT_TIME, 'env', `LD_PRELOAD=${this.#pretence}`];
  }

  /** What runs without CAP_SYS_TIME cannot set the clock: known before anything is started that would. */
  async #mustBeHarmless(): Promise<void> {
    const status = (await this.run([...WITHOUT_TIME, 'cat', '/proc/self/status'])).stdout;
    const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? 'f'.repeat(16)}`);
    if ((capabilities >> 25n) & 1n) throw new Error('CAP_SYS_TIME could not be given up');
  }

  /** Not spawnSync: other tests have beds of their own at the same time. */
  async run(argv: readonly string[], input = ''): Promise<Ran> {
    const child = this.start(argv, 'pipe');
    child.stdin?.on('error', () => {}).end(input);
    const ended = once(child, 'close');
    const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map((each) => textOf(each as Readable)));
    await ended;
    return { stdout: stdout ?? '', stderr: stderr ?? '', status: child.exitCode };
  }

  async hft(...args: readonly string[]) {
    const { stdout, stderr, status } = await this.run([join(ROOT, 'bin/hft'), 'verify', 'ptp', ...args]);
    return { stdout, stderr, exitCode: status };
  }

  /** What runs on. */
  start(argv: readonly string[], stderr: 'pipe' | 'inherit' = 'inherit'): ChildProcess {
    const [command, ...rest] = [...this.#inside, ...argv] as [string, ...string[]];
    return spawn(command, rest, {
      env: { ...env, HFT_STATE_DIR: join(this.folder, 'state') },
      stdio: ['pipe', 'pipe', stderr],
    });
  }

  socket(name: string): string {
    return this.#sockets.get(name) ?? join(this.folder, `${name}.uds`);
  }

  /** A grandmaster that only gives time, in the other namespace. */
  startMaster(options: Readonly<Record<string, string>> = {}): void {
    const own = { masterOnly: '1', free_running: '1', priority1: '10', clockClass: '6', clockAccuracy: '0x21' };
    this.#startPtp4l('master', { ...own, ...options }, ['ip', 'netns', 'exec', 'master']);
  }

  /** One that follows, and would steer the system clock if it could. */
  startSlave(options: Readonly<Record<string, string>> = {}, name = 'slave'): void {
    this.#startPtp4l(name, { slaveOnly: '1', ...PATIENT, ...UNCHECKED, ...options }, this.#harmless);
  }

  #startPtp4l(name: string, options: Readonly<Record<string, string>>, before: readonly string[]): void {
    // 4.x has one path for all whose name is not said.
    const readOnly = linuxptpVersion().startsWith('4') ? { uds_ro_address: `${this.socket(name)}ro` } : {};
    const base = {
      ...readOnly,
      time_stamping: 'software',
      network_transport: 'UDPv4',
      domainNumber: '24',
      tx_timestamp_timeout: '1000',
    };
    const rates = {
      logAnnounceInterval: '-2',
      logSyncInterval: '-3',
      logMinDelayReqInterval: '-3',
      // A grandmaster begins after so many intervals without another one.
      announceReceiptTimeout: '2',
    };
    const all = { ...base, ...rates, uds_address: this.socket(name), ...options };
    const text = [
      '[global]',
      ...Object.entries(all).map((pair) => pair.join(' ')),
      `[${name === 'master' ? 'master' : 'slave'}]`,
    ];
    this.#startFile(name, `${text.join('\n')}\n`, before);
  }

  /** One with a configuration of somebody else's making, whose socket is at `socket`. */
  startText(name: string, text: string, socket: string): void {
    this.#sockets.set(name, socket);
    this.#startFile(name, text, this.#harmless);
  }

  logOf(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8');
  }

  #startFile(name: string, text: string, before: readonly string[]): void {
    const file = join(this.folder, `${name}.conf`);
    writeFileSync(file, text);
    const log = openSync(join(this.folder, `${name}.log`), 'w');
    const [command = '', ...rest] = [...this.#inside, ...before, 'ptp4l', '-f', file, '-m', '-q'];
    const child = spawn(command, rest, { env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#running.set(name, child);
  }

  /** Ends it as a crash would: without a word to the other side. */
  async kill(name: string): Promise<void> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    for (const pid of await this.pidsOf(`${name}.conf`)) await this.run(['kill', '-KILL', pid]);
    await ended;
  }

  async pidsOf(text: string): Promise<readonly string[]> {
    const { stdout } = await this.run(['pgrep', '-x', 'ptp4l', '-a']);
    return stdout.split('\n').flatMap((line) => (line.includes(text) ? [line.split(' ')[0] as string] : []));
  }

  async pmc(name: string, command: string, domain = 24): Promise<string> {
    const { stdout } = await this.run([
      ...['pmc', '-u', '-b', '0', '-d', String(domain), '-s', this.socket(name)],
      command,
    ]);
    return stdout;
  }

  /** Waits until pmc says so. Slow machines take long; one that never gets there fails with what it says. */
  async until(name: string, command: string, pattern: RegExp, domain = 24): Promise<void> {
    let said = '';
    for (let tries = 0; tries < 600; tries++) {
      said = await this.pmc(name, command, domain);
      if (pattern.test(said)) return;
      await sleep(100);
    }
    throw new Error(
      `${name}: ${command} never gave ${pattern}: ${said}\n${readFileSync(join(this.folder, `${name}.log`), 'utf8')}`,
    );
  }

  /** Drops Sync on its way to the slave; Announce and Follow_Up come as ever. */
  async dropSync(): Promise<void> {
    const chain = '{ type filter hook input priority 0 ; }';
    for (const words of [
      'add table ip drops',
      `add chain ip drops in ${chain}`,
      'add rule ip drops in udp dport 319 drop',
    ]) {
      const { status, stderr } = await this.run(['nft', words]);
      if (status !== 0) throw new Error(stderr);
    }
  }

  /** What the grandmaster announces of its time. */
  async announce(changed: Readonly<Record<string, string>>): Promise<void> {
    const all = {
      ...{
        clockClass: '6',
        clockAccuracy: '0x21',
        offsetScaledLogVariance: '0x4e5d',
        currentUtcOffset: '37',
        leap61: '0',
        leap59: '0',
      },
      ...{
        currentUtcOffsetValid: '0',
        ptpTimescale: '0',
        timeTraceable: '0',
        frequencyTraceable: '0',
        timeSource: '0x20',
      },
      ...changed,
    };
    const words = Object.entries(all).map((pair) => pair.join(' '));
    // pmc waits a tenth of a second for the answer; setting the same twice changes nothing.
    await this.until(
      'master',
      `SET GRANDMASTER_SETTINGS_NP ${words.join(' ')}`,
      /RESPONSE MANAGEMENT GRANDMASTER_SETTINGS_NP/,
    );
  }

  /** The kernel ends everything inside with its first process. */
  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.#first.once('exit', resolve));
    this.#first.kill('SIGKILL');
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** linreg locks in seconds, pi with software stamps in half a minute; and nobody checks whether the clock does as it is told. */
export const UNCHECKED = { clock_servo: 'linreg', sanity_freq_limit: '0' };

/** A clock that says it was set: without one, ptp4l 4 never locks. The real one stays out of reach, since the capability is gone. */
const PRETENCE = `#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
int clock_adjtime(clockid_t clock, struct timex *set) { return set->modes ? 0 : (int)syscall(SYS_clock_adjtime, clock, set); }
int adjtimex(struct timex *set) { return clock_adjtime(CLOCK_REALTIME, set); }
int clock_settime(clockid_t clock, const struct timespec *time) { (void)clock; (void)time; return 0; }
`;

const WITHOUT_TIME = ['setpriv', '--bounding-set=-sys_time', '--inh-caps=-sys_time', '--'];
