import { linesAfterTitle, type Parameter, type Parameters } from './output.ts';

const LINE = /^(?<name>\S(?:.*\S)?)\s*: (?<value>on|off)$/;

/** Parses `ethtool --show-priv-flags DEVICE`: the driver's own switches. */
export function parsePrivateFlags(text: string, device: string): Parameters | undefined {
  const lines = linesAfterTitle(text, 'Private flags', device);
  if (lines === undefined) return undefined;
  const found = new Map<string, Parameter>();
  for (const line of lines) {
    const groups = LINE.exec(line)?.groups;
    if (groups !== undefined) found.set(groups.name as string, { value: groups.value, line: line.trim() });
  }
  return found;
}
