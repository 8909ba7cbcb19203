/** What a line of ptp4l, phc2sys or ts2phc tells. Offsets, delays in ns; frequency in ppb. */
export type ServoLine =
  /** One sample. s0: unlocked, s1: stepped, s2: locked, s3: locked and stable. */
  | {
      readonly tells: 'sample';
      readonly daemon: Daemon;
      readonly clock: string;
      readonly offsetNs: number;
      readonly state: 's0' | 's1' | 's2' | 's3';
      readonly frequencyPpb: number;
      readonly delayNs: number | undefined;
    }
  /** A summary of several. */
  | {
      readonly tells: 'summary';
      readonly daemon: Daemon;
      readonly clock: string;
      readonly rmsNs: number;
      readonly maxNs: number;
    }
  | {
      readonly tells: 'state';
      readonly daemon: Daemon;
      readonly port: number;
      readonly from: string;
      readonly to: string;
      readonly event: string;
    }
  | { readonly tells: 'trouble'; readonly daemon: Daemon; readonly text: string };

export type Daemon = 'ptp4l' | 'phc2sys' | 'ts2phc';

const LINE = /^(?<daemon>ptp4l|phc2sys|ts2phc)\[\d+\.\d+\]: (?:\[[^\]]*\] )?(?<text>.*\S)\s*$/;
const SAMPLE =
  /^(?:(?<clock>\S+) )?(?:(?:master|phc|sys|nmea) )?offset +(?<offset>-?\d+) (?<state>s[0-3]) freq +(?<freq>[+-]?\d+)(?: (?:path )?delay +(?<delay>-?\d+))?$/;
const SUMMARY =
  /^(?:(?<clock>\S+) )?rms +(?<rms>\d+) max +(?<max>\d+) freq +[+-]?\d+ \+\/- +\d+(?: delay +-?\d+ \+\/- +\d+)?$/;
const STATE = /^port (?<port>\d+)(?: \([^)]*\))?: (?<from>[A-Z_]+) to (?<to>[A-Z_]+) on (?<event>[A-Z_ ()]+)$/;

/** Lines that mean that time is not what it should be, or will not be. */
const TROUBLE = [
  'timed out while polling for tx timestamp',
  'without timestamp',
  'does not support requested timestamping mode',
  'failed to create a clock',
  'clockcheck: clock',
  'foreign master not using PTP timescale',
  'Waiting for ptp4l',
  'failed to adjust the clock',
  'failed to step clock',
  'unknown option',
  'failed to parse configuration file',
  'nothing to synchronize',
];

/** One line of a log; undefined for one that tells nothing of these. */
export function parseServoLine(line: string): ServoLine | undefined {
  const { daemon, text } = LINE.exec(line)?.groups ?? {};
  if (daemon === undefined || text === undefined) return undefined;
  return readLine(daemon as Daemon, text);
}

function readLine(daemon: Daemon, text: string): ServoLine | undefined {
  const sample = SAMPLE.exec(text)?.groups;
  if (sample !== undefined)
    return {
      tells: 'sample',
      daemon,
      clock: sample.clock ?? 'master',
      offsetNs: Number(sample.offset),
      state: sample.state as 's0',
      frequencyPpb: Number(sample.freq),
      delayNs: sample.delay === undefined ? undefined : Number(sample.delay),
    };
  const summary = SUMMARY.exec(text)?.groups;
  if (summary !== undefined)
    return {
      tells: 'summary',
      daemon,
      clock: summary.clock ?? 'master',
      rmsNs: Number(summary.rms),
      maxNs: Number(summary.max),
    };
  const { port, from, to, event } = STATE.exec(text)?.groups ?? {};
  if (port !== undefined && from !== undefined && to !== undefined && event !== undefined)
    return { tells: 'state', daemon, port: Number(port), from, to, event };
  return TROUBLE.some((each) => text.includes(each)) ? { tells: 'trouble', daemon, text } : undefined;
}

/** The last sample of a daemon in its log; undefined when it has none. */
export function findLastSample(log: string, daemon: Daemon): Extract<ServoLine, { tells: 'sample' }> | undefined {
  for (const line of log.split('\n').reverse()) {
    const told = parseServoLine(line);
    if (told?.tells === 'sample' && told.daemon === daemon) return told;
  }
  return undefined;
}
