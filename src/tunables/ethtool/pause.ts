import { linesAfterTitle, type Parameter, type Parameters, parseValue, splitLine } from './output.ts';

const KEYS: Readonly<Record<string, string>> = { Autonegotiate: 'autoneg', RX: 'rx', TX: 'tx' };

/**
 * Parses `ethtool -a DEVICE`. The text form only: `--json -a` of ethtool 6.1 says true for everything.
 * What was negotiated (`RX negotiated:`) and the statistics below are not settings.
 */
export function parsePause(text: string, device: string): Parameters | undefined {
  const lines = linesAfterTitle(text, 'Pause parameters', device);
  if (lines === undefined) return undefined;
  const found = new Map<string, Parameter>();
  for (const line of lines) {
    const [name, rest] = splitLine(line) ?? ['', ''];
    const key = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
    const value = parseValue(rest);
    if (key !== undefined && (value === 'on' || value === 'off')) found.set(key, { value, line: line.trim() });
  }
  return found;
}
