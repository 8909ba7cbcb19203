import type { ManagementResponse } from './pmc-text.ts';

/** IEEE 1588-2019, table 20; GRAND_MASTER is linuxptp's own. */
export const PORT_STATES = [
  'INITIALIZING',
  'FAULTY',
  'DISABLED',
  'LISTENING',
  'PRE_MASTER',
  'MASTER',
  'PASSIVE',
  'UNCALIBRATED',
  'SLAVE',
  'GRAND_MASTER',
] as const;
export type PortState = (typeof PORT_STATES)[number];

/** One port of a clock. */
export interface PtpPort {
  readonly number: number;
  readonly state: PortState;
  /** Of the network; undefined when this ptp4l does not say. */
  readonly interface: string | undefined;
  /** Undefined when this ptp4l does not say. */
  readonly timestamping: 'SOFTWARE' | 'HARDWARE' | 'LEGACY_HW' | 'ONESTEP' | 'P2P1STEP' | undefined;
  /** log2 of seconds. */
  readonly logSyncInterval: number;
  /** Sync and Announce messages received since ptp4l started; undefined when this ptp4l does not say. */
  readonly received: { readonly sync: number; readonly announce: number } | undefined;
}

/** What one ptp4l says of itself at one moment. */
export interface PtpClock {
  readonly identity: string;
  readonly domain: number;
  readonly slaveOnly: boolean;
  readonly twoStep: boolean;
  /** To the master, by the last Sync: old when `ingressTimeNs` does not move. */
  readonly offsetNs: number;
  /** When the last Sync came, in the grandmaster's time; 0: none has, or the master is gone. */
  readonly ingressTimeNs: bigint;
  readonly pathDelayNs: number;
  readonly stepsRemoved: number;
  readonly grandmaster: {
    readonly isPresent: boolean;
    readonly identity: string;
    readonly class: number;
    /** clockAccuracy of IEEE 1588: 0x20 … 0x31, 0xfe unknown. */
    readonly accuracy: number;
  };
  readonly time: {
    /** TAI less UTC, s. */
    readonly utcOffsetS: number;
    readonly isUtcOffsetValid: boolean;
    /** The grandmaster counts TAI; else a time of its own. */
    readonly isPtpTimescale: boolean;
    readonly isTraceable: boolean;
    /** A leap second is announced for the end of the day: 61 or 59 seconds in its last minute. */
    readonly leap: 61 | 59 | undefined;
  };
  readonly ports: readonly PtpPort[];
}

/** What is needed of a ptp4l, as `pmc` asks for it. */
export const QUESTIONS = [
  'TIME_STATUS_NP',
  'PORT_DATA_SET',
  'CURRENT_DATA_SET',
  'PARENT_DATA_SET',
  'TIME_PROPERTIES_DATA_SET',
  'DEFAULT_DATA_SET',
  'PORT_STATS_NP',
  'PORT_PROPERTIES_NP',
] as const;

/** An answer that is not there, or not what it should be. */
class Unreadable extends Error {}

/** The clock behind the answers, or why there is none: one sentence's end (`CURRENT_DATA_SET is missing`). */
export function readClock(responses: readonly ManagementResponse[]): PtpClock | { readonly problem: string } {
  if (responses.length === 0) return { problem: 'nothing answered' };
  try {
    return assemble(responses);
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message };
    throw error;
  }
}

function assemble(responses: readonly ManagementResponse[]): PtpClock {
  const status = only(responses, 'TIME_STATUS_NP');
  const parent = only(responses, 'PARENT_DATA_SET');
  const current = only(responses, 'CURRENT_DATA_SET');
  const own = only(responses, 'DEFAULT_DATA_SET');
  const identity = status.take('gmIdentity', IDENTITY);
  if (parent.take('grandmasterIdentity', IDENTITY) !== identity)
    throw new Unreadable('PARENT_DATA_SET and TIME_STATUS_NP name two grandmasters');
  const ports = readPorts(responses);
  if (ports.length !== own.integer('numberPorts')) throw new Unreadable('PORT_DATA_SET is not there for every port');
  return {
    identity: own.take('clockIdentity', IDENTITY),
    domain: own.integer('domainNumber'),
    slaveOnly: own.flag('slaveOnly'),
    twoStep: own.flag('twoStepFlag'),
    offsetNs: status.integer('master_offset'),
    ingressTimeNs: BigInt(status.take('ingress_time', /^\d+$/)),
    pathDelayNs: current.decimal('meanPathDelay'),
    stepsRemoved: current.integer('stepsRemoved'),
    grandmaster: {
      isPresent: status.flag('gmPresent'),
      identity,
      class: parent.integer('gm.ClockClass'),
      accuracy: Number(parent.take('gm.ClockAccuracy', /^0x[0-9a-f]{1,2}$/)),
    },
    time: readTime(only(responses, 'TIME_PROPERTIES_DATA_SET')),
    ports,
  };
}

function readTime(properties: Fields): PtpClock['time'] {
  return {
    utcOffsetS: properties.integer('currentUtcOffset'),
    isUtcOffsetValid: properties.flag('currentUtcOffsetValid'),
    isPtpTimescale: properties.flag('ptpTimescale'),
    isTraceable: properties.flag('timeTraceable'),
    leap: properties.flag('leap61') ? 61 : properties.flag('leap59') ? 59 : undefined,
  };
}

function readPorts(responses: readonly ManagementResponse[]): readonly PtpPort[] {
  const ports = responses
    .filter(({ name }) => name === 'PORT_DATA_SET')
    .map((response): PtpPort => {
      const data = new Fields(response);
      const stats = find(responses, 'PORT_STATS_NP', response.port);
      const properties = find(responses, 'PORT_PROPERTIES_NP', response.port);
      return {
        number: response.port,
        state: data.take('portState', STATE) as PortState,
        interface: properties?.take('interface', /^\S{1,15}$/),
        timestamping: properties?.take('timestamping', STAMPING) as PtpPort['timestamping'],
        logSyncInterval: data.integer('logSyncInterval'),
        received: stats && { sync: stats.integer('rx_Sync'), announce: stats.integer('rx_Announce') },
      };
    });
  if (new Set(ports.map(({ number }) => number)).size !== ports.length)
    throw new Unreadable('PORT_DATA_SET is there twice for one port');
  return ports.sort((left, right) => left.number - right.number);
}

const IDENTITY = /^[0-9a-f]{6}\.[0-9a-f]{4}\.[0-9a-f]{6}$/;
const STATE = new RegExp(`^(?:${PORT_STATES.join('|')})$`);
const STAMPING = /^(?:SOFTWARE|HARDWARE|LEGACY_HW|ONESTEP|P2P1STEP)$/;
const FLAGS: Readonly<Record<string, boolean>> = { '0': false, '1': true, false: false, true: true };

function only(responses: readonly ManagementResponse[], name: string): Fields {
  const found = responses.filter((response) => response.name === name);
  const [first, second] = found;
  if (first === undefined) throw new Unreadable(`${name} is missing`);
  if (second !== undefined) throw new Unreadable(`${name} was answered ${found.length} times`);
  return new Fields(first);
}

function find(responses: readonly ManagementResponse[], name: string, port: number): Fields | undefined {
  const found = responses.find((response) => response.name === name && response.port === port);
  return found && new Fields(found);
}

/** The fields of one answer, each checked when it is taken. */
class Fields {
  readonly #response: ManagementResponse;

  constructor(response: ManagementResponse) {
    this.#response = response;
  }

  take(key: string, pattern: RegExp): string {
    const { name, fields } = this.#response;
    const text = fields.get(key);
    if (text === undefined) throw new Unreadable(`${name} has no ${key}`);
    if (!pattern.test(text)) throw new Unreadable(`${name} has ${key} ${JSON.stringify(text)}`);
    return text;
  }

  /** Exact in a double: nothing that is read so counts beyond 2^53. */
  integer(key: string): number {
    const value = Number(this.take(key, /^-?\d+$/));
    if (!Number.isSafeInteger(value)) throw new Unreadable(`${this.#response.name} has ${key} ${value}`);
    return value;
  }

  decimal(key: string): number {
    return Number(this.take(key, /^-?\d{1,15}(?:\.\d+)?$/));
  }

  flag(key: string): boolean {
    return FLAGS[this.take(key, /^(?:0|1|true|false)$/)] as boolean;
  }
}
