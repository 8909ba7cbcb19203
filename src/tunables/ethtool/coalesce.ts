import { isValueText, linesAfterTitle, type Parameter, type Parameters, parseValue, splitLine } from './output.ts';

/** Two values on one line, and what `-C` calls them. */
const PAIRS: Readonly<Record<string, readonly [rx: string, tx: string]>> = {
  'Adaptive RX': ['adaptive-rx', 'adaptive-tx'],
  'CQE mode RX': ['cqe-mode-rx', 'cqe-mode-tx'],
};

/** The parameters that have a line of their own. ethtool 6 prints `rx-frame-low` for `rx-frames-low`. */
const SINGLE =
  /^(?:rx|tx)-(?:usecs|frames?|aggr)(?:-[a-z]+)*$|^(?:stats-block-usecs|sample-interval|pkt-rate-(?:low|high))$/;

/** Parses `ethtool -c DEVICE`: interrupt coalescing, times in microseconds. */
export function parseCoalesce(text: string, device: string): Parameters | undefined {
  const lines = linesAfterTitle(text, 'Coalesce parameters', device);
  if (lines === undefined) return undefined;
  const found = new Map<string, Parameter>();
  for (const line of lines) {
    const [name, rest] = splitLine(line) ?? ['', ''];
    const pair = Object.hasOwn(PAIRS, name) ? PAIRS[name] : undefined;
    if (pair !== undefined) readPair(found, pair, rest, line);
    else if (SINGLE.test(name) && isValueText(rest)) {
      found.set(name.replace(/-frame-/, '-frames-'), { value: parseValue(rest), line: line.trim() });
    }
  }
  return found;
}

function readPair(
  found: Map<string, Parameter>,
  [rx, tx]: readonly [string, string],
  rest: string,
  line: string,
): void {
  const match = /^ (?<rx>on|off|n\/a) {2}TX: (?<tx>on|off|n\/a)\s*$/.exec(rest);
  if (!match?.groups) return;
  found.set(rx, { value: parseValue(match.groups.rx as string), line: line.trim() });
  found.set(tx, { value: parseValue(match.groups.tx as string), line: line.trim() });
}
