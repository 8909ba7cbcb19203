import { HostError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import {
  CLOCK_DAEMONS,
  type DaemonFile,
  type DaemonOptions,
  parseDaemonFile,
  parseDaemonLine,
  type SteeredClock,
  SYSTEM_CLOCK,
} from './daemon-line.ts';

/** A running program that can steer a clock. */
export interface ClockDaemon {
  readonly name: string;
  readonly pid: number;
  /** Of systemd; undefined: started by hand. */
  readonly unit: string | undefined;
  /** Empty: it only watches. undefined: its configuration cannot be read. */
  readonly steers: readonly SteeredClock[] | undefined;
  /** Where its options are in words: `phc2sys -a -r`. */
  readonly command: string;
  /** Of a ptp4l. */
  readonly ptp4l?: {
    readonly socket: string;
    /** Of 4.x: answers everybody. */
    readonly readOnlySocket: string;
    readonly domain: number;
    readonly isFreeRunning: boolean;
    readonly stamps: 'software' | 'hardware';
    readonly interfaces: readonly string[];
  };
}

/** Every running daemon that can steer a clock. A process that ends meanwhile, or that is closed to us, is left out. */
export async function findClockDaemons(reader: HostReader): Promise<readonly ClockDaemon[]> {
  const pids = ((await reader.list('/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => readDaemon(reader, Number(pid))));
  const daemons = found.filter((daemon) => daemon !== undefined);
  // chronyd has a helper of the same name, which resolves names.
  return daemons
    .filter(
      ({ parent, daemon }) =>
        !daemons.some((other) => other.daemon.pid === parent && other.daemon.name === daemon.name),
    )
    .map(({ daemon }) => daemon);
}

async function readDaemon(
  reader: HostReader,
  pid: number,
): Promise<{ readonly daemon: ClockDaemon; readonly parent: number } | undefined> {
  const name = CLOCK_DAEMONS.get((await readOrNothing(reader, `/proc/${pid}/comm`))?.trim() ?? '');
  if (name === undefined) return undefined;
  const argv = (await readOrNothing(reader, `/proc/${pid}/cmdline`))?.split('\0').slice(0, -1) ?? [];
  // A zombie has no command line any more.
  if (argv.length === 0) return undefined;
  const options = parseDaemonLine(name, argv);
  const path = options.short.get('f')?.at(-1);
  const text = path === undefined ? undefined : await readOrNothing(reader, await resolve(reader, pid, path));
  const isUnread = path !== undefined && text === undefined;
  const file = parseDaemonFile(text ?? '');
  const stat = (await readOrNothing(reader, `/proc/${pid}/stat`)) ?? '';
  const daemon: ClockDaemon = {
    name,
    pid,
    unit: await readUnit(reader, pid),
    steers: isUnread ? undefined : await nameClocks(reader, steeredBy(name, options, file)),
    command: [name, ...argv.slice(1)].join(' '),
    ...(name === 'ptp4l' && !isUnread && { ptp4l: describePtp4l(options, file) }),
  };
  return { daemon, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
}

/** A relative path is one of the folder that the daemon works in. */
async function resolve(reader: HostReader, pid: number, path: string): Promise<string> {
  if (path.startsWith('/')) return path;
  return `${(await readLinkOrNothing(reader, `/proc/${pid}/cwd`)) ?? ''}/${path}`;
}

/** `eth0` and `/dev/ptp0` can be one clock, and two ports of a card often have one: named by the device where there is one. */
async function nameClocks(reader: HostReader, clocks: readonly SteeredClock[]): Promise<readonly SteeredClock[]> {
  const named = clocks.map(async (clock) => {
    const devices = clock.includes('/') ? undefined : await reader.list(`/sys/class/net/${clock}/device/ptp`);
    const device = devices?.find((each) => /^ptp\d+$/.test(each));
    return device === undefined ? clock : `/dev/${device}`;
  });
  return [...new Set(await Promise.all(named))];
}

/** cgroup v2 has one line, `0::/system.slice/chrony.service`. */
async function readUnit(reader: HostReader, pid: number): Promise<string | undefined> {
  const text = await readOrNothing(reader, `/proc/${pid}/cgroup`);
  return /\/(?<unit>[^/\n]+\.service)$/m.exec(text ?? '')?.groups?.unit?.replaceAll('\\x2d', '-');
}

function optionOf(name: string, options: DaemonOptions, file: DaemonFile): string | undefined {
  return options.long.get(name) ?? file.global.get(name);
}

/** The default socket of 3.1.1 and of the programs of 4.x; the configuration that comes with 4.x names another one. */
const DEFAULT_SOCKET = '/var/run/ptp4l';
const DEFAULT_READ_ONLY_SOCKET = '/var/run/ptp4lro';

function describePtp4l(options: DaemonOptions, file: DaemonFile): NonNullable<ClockDaemon['ptp4l']> {
  return {
    socket: optionOf('uds_address', options, file) ?? DEFAULT_SOCKET,
    readOnlySocket: optionOf('uds_ro_address', options, file) ?? DEFAULT_READ_ONLY_SOCKET,
    domain: Number(optionOf('domainNumber', options, file) ?? 0),
    isFreeRunning: optionOf('free_running', options, file) === '1',
    stamps: stampsOf(options, file),
    interfaces: interfacesOf(options, file),
  };
}

function steeredBy(name: string, options: DaemonOptions, file: DaemonFile): readonly SteeredClock[] {
  if (name === 'ptp4l') return steeredByPtp4l(options, file);
  if (name === 'phc2sys') return steeredByPhc2sys(options, file);
  if (name === 'ts2phc') return [...(options.short.get('c') ?? []), ...file.interfaces];
  if (name === 'chronyd') return options.short.has('x') || options.short.has('Q') ? [] : [SYSTEM_CLOCK];
  return [SYSTEM_CLOCK];
}

function steeredByPtp4l(options: DaemonOptions, file: DaemonFile): readonly SteeredClock[] {
  const watches = ['free_running', 'masterOnly', 'serverOnly'].some((name) => optionOf(name, options, file) === '1');
  if (watches || isObserver(optionOf('clock_servo', options, file))) return [];
  return stampsOf(options, file) === 'software' ? [SYSTEM_CLOCK] : interfacesOf(options, file);
}

function stampsOf(options: DaemonOptions, file: DaemonFile): 'software' | 'hardware' {
  const isSoftware = options.short.has('S') || optionOf('time_stamping', options, file) === 'software';
  return isSoftware ? 'software' : 'hardware';
}

function interfacesOf(options: DaemonOptions, file: DaemonFile): readonly string[] {
  return [...new Set([...(options.short.get('i') ?? []), ...file.interfaces])];
}

/** The ptp4l that answers at a socket, either of its two. */
export function findBySocket(daemons: readonly ClockDaemon[], socket: string): ClockDaemon | undefined {
  return daemons.find(({ ptp4l }) => ptp4l !== undefined && [ptp4l.socket, ptp4l.readOnlySocket].includes(socket));
}

function steeredByPhc2sys(options: DaemonOptions, file: DaemonFile): readonly SteeredClock[] {
  const servo = options.short.get('E')?.at(-1) ?? optionOf('clock_servo', options, file) ?? 'pi';
  if (isObserver(servo) || optionOf('free_running', options, file) === '1') return [];
  if (options.short.has('a')) return options.short.has('r') ? [SYSTEM_CLOCK] : [];
  return options.short.get('c') ?? [SYSTEM_CLOCK];
}

/** Servos that hand the offset to somebody else, or to nobody. */
function isObserver(servo: string | undefined): boolean {
  return servo !== undefined && ['ntpshm', 'refclock_sock', 'nullf'].includes(servo);
}

/** Of another user, or of a process that ended (ESRCH). */
async function readOrNothing(reader: HostReader, path: string): Promise<string | undefined> {
  try {
    return await reader.readText(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

async function readLinkOrNothing(reader: HostReader, path: string): Promise<string | undefined> {
  try {
    return await reader.readLink(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
