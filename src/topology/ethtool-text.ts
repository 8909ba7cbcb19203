/** What ethtool(8) prints, as far as inspecting shows it. Its JSON lacks most of this and has wrong values in 6.1. */

/** `driver: igb` and so on, of `ethtool -i`. */
export function parseDriverInfo(text: string): { version?: string; firmware?: string } {
  const values = parsePairs(text);
  const [version, firmware] = [values.get('version'), values.get('firmware-version')];
  return { ...(version && { version }), ...(firmware && firmware !== 'N/A' && { firmware }) };
}

/** A number of ring entries or queues: what it is and what the hardware can. */
export interface Limited {
  readonly current: number;
  readonly maximum: number | undefined;
}

/**
 * `ethtool -g` and `-l`: a section of maximums and one of current values. Keys in lower case (`rx`, `rx mini`,
 * `combined`); what a driver does not have (`n/a`, a maximum of 0) is left out.
 */
export function parseLimited(text: string): Readonly<Record<string, Limited>> {
  const [maximums = '', current = ''] = text.split(/^Current hardware settings:.*$/m);
  const limits = parsePairs(maximums);
  return Object.fromEntries(
    [...parsePairs(current)].flatMap(([key, value]) => {
      const maximum = toNumber(limits.get(key));
      const number = toNumber(value);
      return number === undefined || maximum === 0 ? [] : [[key.toLowerCase(), { current: number, maximum }]];
    }),
  );
}

/** `ethtool -c`: `rx-usecs: 3`, `Adaptive RX: off  TX: on`; parameters that the driver does not have are left out. */
export function parseCoalescing(text: string): Readonly<Record<string, number | 'on' | 'off'>> {
  const adaptive = /^Adaptive RX:\s*(\S+)\s+TX:\s*(\S+)/m.exec(text);
  const entries: [string, string | undefined][] = [...parsePairs(text)].filter(([key]) => /^[a-z]/.test(key));
  entries.push(['adaptive-rx', adaptive?.[1]], ['adaptive-tx', adaptive?.[2]]);
  return Object.fromEntries(
    entries.flatMap(([key, value]) => {
      const known = value === 'on' || value === 'off' ? value : toNumber(value);
      return known === undefined ? [] : [[key, known]];
    }),
  );
}

/** `ethtool -k`: `rx-gro-hw: off [fixed]`. */
export function parseFeatures(
  text: string,
): Readonly<Record<string, { readonly on: boolean; readonly fixed: boolean }>> {
  return Object.fromEntries(
    [...parsePairs(text)].flatMap(([key, value]) => {
      const match = /^(on|off)(?<fixed> \[fixed\])?/.exec(value);
      return match ? [[key, { on: match[1] === 'on', fixed: match.groups?.fixed !== undefined }]] : [];
    }),
  );
}

export interface Timestamping {
  readonly capabilities: readonly string[];
  readonly receiveFilters: readonly string[];
  /** Number of the PTP clock. */
  readonly clock: number | undefined;
}

/** `ethtool -T`: lists under headings, names before the constants in brackets. Newer versions call the clock a provider. */
export function parseTimestamping(text: string): Timestamping {
  const clock = /^(?:PTP Hardware Clock|Hardware timestamp provider index):\s*(\d+)/m.exec(text)?.[1];
  return {
    capabilities: listUnder(text, 'Capabilities'),
    receiveFilters: listUnder(text, 'Hardware Receive Filter Modes'),
    clock: toNumber(clock),
  };
}

function listUnder(text: string, heading: string): readonly string[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`${heading}:`));
  if (start < 0) return [];
  const end = lines.findIndex((line, at) => at > start && !/^\s+\S/.test(line));
  return lines.slice(start + 1, end < 0 ? undefined : end).map((line) => line.trim().split(/\s+/)[0] as string);
}

function parsePairs(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const match = /^\s*([^:]+?):\s*(\S.*)$/.exec(line);
      return match ? [[match[1] as string, (match[2] as string).trim()] as const] : [];
    }),
  );
}

function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
