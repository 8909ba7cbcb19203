/** The clock that a daemon steers: `CLOCK_REALTIME`, or an interface whose PTP clock it is, or a device such as `/dev/ptp0`. */
export type SteeredClock = string;

export const SYSTEM_CLOCK = 'CLOCK_REALTIME';

/** Programs that can steer clocks, by the name in /proc/PID/comm (15 characters). */
export const CLOCK_DAEMONS: ReadonlyMap<string, string> = new Map([
  ['ptp4l', 'ptp4l'],
  ['phc2sys', 'phc2sys'],
  ['ts2phc', 'ts2phc'],
  ['chronyd', 'chronyd'],
  ['ntpd', 'ntpd'],
  ['systemd-timesyn', 'systemd-timesyncd'],
]);

/** Options of getopt(3) that take a value. */
const WITH_VALUE: Readonly<Record<string, string>> = {
  ptp4l: 'fipl',
  phc2sys: 'fcdsEPISFRNOLMiuntlz',
  ts2phc: 'cfils',
};

/** What a command line says, and the configuration file that it names. Long options and those of the file count alike. */
export interface DaemonOptions {
  readonly short: ReadonlyMap<string, readonly string[]>;
  readonly long: ReadonlyMap<string, string>;
}

/** Reads a command line as getopt_long(3) would. */
export function parseDaemonLine(daemon: string, argv: readonly string[]): DaemonOptions {
  const short = new Map<string, string[]>();
  const long = new Map<string, string>();
  const rest = [...argv.slice(1)];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith('--')) {
      const [name = '', ...value] = word.slice(2).split('=');
      long.set(name, value.length > 0 ? value.join('=') : (rest.shift() ?? ''));
    } else if (word.startsWith('-')) readShort(word.slice(1), { daemon, short, rest });
  }
  return { short, long };
}

interface Reading {
  readonly daemon: string;
  readonly short: Map<string, string[]>;
  readonly rest: string[];
}

/** `-a -r`, `-ar`, `-s eth0`, `-seth0`. */
function readShort(letters: string, { daemon, short, rest }: Reading): void {
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] as string;
    const values = short.get(letter) ?? [];
    short.set(letter, values);
    if (!(WITH_VALUE[daemon] ?? '').includes(letter)) {
      values.push('');
      continue;
    }
    values.push(letters.slice(at + 1) || (rest.shift() ?? ''));
    return;
  }
}

/** `ptp4l.conf` and its like: global options, and the sections that name interfaces. ptp4l(8), FILE OPTIONS */
export interface DaemonFile {
  readonly global: ReadonlyMap<string, string>;
  readonly interfaces: readonly string[];
}

export function parseDaemonFile(text: string): DaemonFile {
  const global = new Map<string, string>();
  const interfaces: string[] = [];
  let section = '';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[(?<name>[^\]]+)\]$/.exec(line)?.groups?.name;
    if (heading !== undefined) {
      section = heading;
      if (!['global', 'unicast_master_table', 'nmea'].includes(heading)) interfaces.push(heading);
    } else if (section === 'global') {
      const { key, value } = /^(?<key>\S+)\s+(?<value>.*)$/.exec(line)?.groups ?? {};
      if (key !== undefined && value !== undefined) global.set(key, value);
    }
  }
  return { global, interfaces };
}
