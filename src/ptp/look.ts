import type { HostReader } from '../host/host.ts';
import { parseTimestamping } from '../topology/ethtool-text.ts';
import { type ChronyTracking, parseTracking } from './chrony-text.ts';
import { type ClockReading, parseClockReadings, type SystemClock } from './clock-readings.ts';
import { SYSTEM_CLOCK } from './daemon-line.ts';
import { type ClockDaemon, findBySocket, findClockDaemons } from './daemons.ts';
import { type PtpClock, QUESTIONS, readClock } from './data-sets.ts';
import { parseLeapSecondsList, parseTzdataLeaps, type UtcOffset, utcOffsetOf } from './leap-seconds.ts';
import { parsePmc } from './pmc-text.ts';
import { findLastSample } from './servo-log.ts';

/** A ptp4l to look at. */
export interface PtpTarget {
  /** Its uds_address. */
  readonly socket: string;
  readonly domain: number;
}

/** What one ptp4l and its clocks were at one moment. */
export interface ClockLook {
  readonly target: PtpTarget;
  readonly clock: PtpClock | { readonly problem: string };
  /** Its PTP clock compared with the system clock; undefined: it stamps in software, and steers the system clock itself. */
  readonly reading: ClockReading | undefined;
}

/** All of a host's time at one moment. */
export interface PtpLook {
  /** Since the first look, by a clock that nobody steers. */
  readonly atMs: number;
  /** Seconds since 1970. */
  readonly nowS: number;
  readonly clocks: readonly ClockLook[];
  readonly daemons: readonly ClockDaemon[];
  readonly system: SystemClock | undefined;
  /** How far TAI is ahead of UTC by what this host knows, whatever its grandmaster says. */
  readonly utcOffset: UtcOffset;
  /** Of a chronyd that steers the system clock. */
  readonly chrony: ChronyTracking | undefined;
  /** What the newest line of phc2sys in the journal of the last minute says; silent: hft's own says nothing; undefined: another one that
   *  says nothing, or none. */
  readonly phc2sys: { readonly state: string; readonly offsetNs: number } | 'silent' | undefined;
}

export interface LookRequest {
  readonly atMs: number;
  /** Seconds since 1970: which leap seconds have come. */
  readonly nowS: number;
  readonly targets: readonly PtpTarget[];
  /** Where hft-probe is. */
  readonly probe: string;
  /** Where pmc may make a socket of its own; undefined: where it does by default, which takes root. */
  readonly clientSocket: string | undefined;
}

/** The ptp4l that run here, each with its socket and domain. */
export async function findTargets(reader: HostReader): Promise<readonly PtpTarget[]> {
  const found = (await findClockDaemons(reader)).flatMap(({ ptp4l }) => ptp4l ?? []);
  const sockets = [...new Set(found.map(({ socket }) => socket))];
  return sockets.map((socket) => ({ socket, domain: found.find((each) => each.socket === socket)?.domain ?? 0 }));
}

/** Looks once. Changes nothing. */
export async function lookAtPtp(reader: HostReader, request: LookRequest): Promise<PtpLook> {
  const [daemons, ...answered] = await Promise.all([
    findClockDaemons(reader),
    ...request.targets.map((target) => askClock(reader, target, request.clientSocket)),
  ]);
  const found = await Promise.all(
    answered.map(({ target, clock }) => findDevice(reader, clock, findBySocket(daemons, target.socket))),
  );
  const devices = [...new Set(found.filter((device) => device?.startsWith('/dev/')))] as readonly string[];
  const readings = await readClocks(reader, request.probe, devices);
  return {
    atMs: request.atMs,
    nowS: request.nowS,
    clocks: answered.map(({ target, clock }, index) => ({
      target,
      clock,
      reading: readingOf(found[index], readings.devices),
    })),
    daemons,
    system: readings.system,
    utcOffset: await readUtcOffset(reader, request.nowS, readings.system),
    chrony: await readChrony(reader, daemons),
    phc2sys: await readPhc2sys(reader, daemons),
  };
}

function readingOf(device: string | undefined, readings: readonly ClockReading[]): ClockReading | undefined {
  if (device === undefined) return undefined;
  if (!device.startsWith('/dev/')) return { clock: device, error: 'not known which it is' };
  return (
    readings.find(({ clock }) => clock === device) ?? {
      clock: device,
      error: 'not read: hft-probe is missing or failed',
    }
  );
}

async function askClock(reader: HostReader, target: PtpTarget, clientSocket: string | undefined) {
  const argv = [
    ...['pmc', '-u', '-b', '0', '-d', String(target.domain), '-s', target.socket],
    ...(clientSocket === undefined ? [] : ['-i', clientSocket]),
    ...QUESTIONS.map((name) => `GET ${name}`),
  ];
  let clock: PtpClock | { readonly problem: string } = { problem: 'nothing was asked' };
  for (let tries = 0; 'problem' in clock && tries < MOST_TRIES; tries++) {
    const answer = await reader.query(argv);
    if (!answer.found) return { target, clock: { problem: 'pmc is not installed (apt-get install linuxptp)' } };
    clock = readClock(parsePmc(answer.stdout));
  }
  return { target, clock };
}

/** pmc waits a tenth of a second for an answer, which is too short on a busy host: one that comes late is no daemon that died. */
const MOST_TRIES = 5;

/**
 * The PTP clock that the following port stamps with; undefined: it stamps in software. The read-only socket of 4.x does not say how a
 * port stamps: then the configuration does, and where that is not known either, the clock is not, which is no 0. Numbers change when a
 * driver is bound again: asked of the interface.
 */
async function findDevice(
  reader: HostReader,
  clock: PtpClock | { problem: string },
  daemon: ClockDaemon | undefined,
): Promise<string | undefined> {
  const port = 'problem' in clock ? undefined : findPort(clock);
  if (port === undefined) return undefined;
  const stamps = port.timestamping?.toLowerCase() ?? daemon?.ptp4l?.stamps;
  if (stamps === 'software') return undefined;
  const [only, ...others] = daemon?.ptp4l?.interfaces ?? [];
  const name = port.interface ?? (others.length === 0 ? only : undefined);
  if (stamps === undefined || name === undefined) return 'its PTP clock';
  const shown = await reader.query(['ethtool', '-T', name]);
  const { clock: number } = parseTimestamping(shown.found ? shown.stdout : '');
  return number === undefined ? `the PTP clock of ${name}` : `/dev/ptp${number}`;
}

/** The port that follows a master, or that would. */
export function findPort({ ports }: PtpClock): PtpClock['ports'][number] | undefined {
  return (
    ports.find(({ state }) => state === 'SLAVE') ?? ports.find(({ state }) => state === 'UNCALIBRATED') ?? ports[0]
  );
}

async function readClocks(reader: HostReader, probe: string, devices: readonly string[]) {
  const shown = await reader.query([probe, 'read-clocks', ...devices]);
  return parseClockReadings(shown.found ? shown.stdout : '');
}

/** Where the time zone database keeps leap seconds. */
const LEAP_TABLES = [
  ['/usr/share/zoneinfo/leap-seconds.list', parseLeapSecondsList],
  ['/usr/share/zoneinfo/leapseconds', parseTzdataLeaps],
] as const;

async function readUtcOffset(reader: HostReader, nowS: number, system: SystemClock | undefined): Promise<UtcOffset> {
  const read = LEAP_TABLES.map(async ([path, parse]) => {
    const table = parse((await reader.readText(path)) ?? '');
    return table === undefined ? [] : [{ path, table }];
  });
  return utcOffsetOf({ nowS, tables: (await Promise.all(read)).flat(), kernelS: system?.taiOffsetS });
}

async function readChrony(reader: HostReader, daemons: readonly ClockDaemon[]): Promise<ChronyTracking | undefined> {
  if (!daemons.some(({ name, steers }) => name === 'chronyd' && steers?.includes(SYSTEM_CLOCK))) return undefined;
  const shown = await reader.query(['chronyc', '-n', '-c', 'tracking']);
  return shown.found ? parseTracking(shown.stdout) : undefined;
}

/** Lines that are enough to hold one sample: phc2sys writes one each second. */
const JOURNAL_LINES = '30';
/** What is older says nothing of now. */
const JOURNAL_SINCE = '-1min';

/** Ours writes every sample; another one may write summaries, or nowhere. */
const OWN_PHC2SYS = 'hft-phc2sys.service';

async function readPhc2sys(reader: HostReader, daemons: readonly ClockDaemon[]): Promise<PtpLook['phc2sys']> {
  const unit = daemons.find(({ name }) => name === 'phc2sys')?.unit;
  if (unit === undefined) return undefined;
  const argv = ['journalctl', '--unit', unit, '--boot', '--output', 'cat', '--no-pager', '--lines', JOURNAL_LINES];
  argv.push('--since', JOURNAL_SINCE);
  const shown = await reader.query(argv);
  const sample = shown.found ? findLastSample(shown.stdout, 'phc2sys') : undefined;
  if (sample !== undefined) return { state: sample.state, offsetNs: sample.offsetNs };
  return shown.found && unit === OWN_PHC2SYS ? 'silent' : undefined;
}
