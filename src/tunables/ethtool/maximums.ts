import { isValueText, linesAfterTitle, type Parameter, type Parameters, parseValue, splitLine } from './output.ts';

/** The names of `ethtool -g`, and what `-G` calls them. Later versions added lines, in other spellings. */
const RING_KEYS: Readonly<Record<string, string>> = {
  RX: 'rx',
  'RX Mini': 'rx-mini',
  'RX Jumbo': 'rx-jumbo',
  TX: 'tx',
  'RX Buf Len': 'rx-buf-len',
  'CQE Size': 'cqe-size',
  'TX Push': 'tx-push',
  'RX Push': 'rx-push',
  'TX push buff len': 'tx-push-buf-len',
  'TCP data split': 'tcp-data-split',
};

const CHANNEL_KEYS: Readonly<Record<string, string>> = { RX: 'rx', TX: 'tx', Other: 'other', Combined: 'combined' };

/** Parses `ethtool -g DEVICE`: ring sizes in entries, with their maximums. */
export function parseRings(text: string, device: string): Parameters | undefined {
  return parseWithMaximums(linesAfterTitle(text, 'Ring parameters', device), RING_KEYS);
}

/** Parses `ethtool -l DEVICE`: queues by kind, with their maximums. */
export function parseChannels(text: string, device: string): Parameters | undefined {
  return parseWithMaximums(linesAfterTitle(text, 'Channel parameters', device), CHANNEL_KEYS);
}

function parseWithMaximums(
  lines: readonly string[] | undefined,
  keys: Readonly<Record<string, string>>,
): Parameters | undefined {
  if (lines === undefined) return undefined;
  const now = lines.findIndex((line) => line.trim() === 'Current hardware settings:');
  if (lines[0]?.trim() !== 'Pre-set maximums:' || now < 0) return undefined;
  const maximums = readSection(lines.slice(1, now), keys);
  const current = readSection(lines.slice(now + 1), keys);
  return new Map(
    [...current].map(([key, parameter]) => {
      const max = Number(maximums.get(key)?.value);
      return [key, Number.isFinite(max) ? { ...parameter, max } : parameter];
    }),
  );
}

function readSection(lines: readonly string[], keys: Readonly<Record<string, string>>): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  for (const line of lines) {
    const [name, rest] = splitLine(line) ?? ['', ''];
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (key !== undefined && isValueText(rest)) found.set(key, { value: parseValue(rest), line: line.trim() });
  }
  return found;
}
