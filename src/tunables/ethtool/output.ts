/** What ethtool prints, line by line. Parsers take whole output only: cut text gives fewer values, never other ones. */

/** One parameter as ethtool shows it. */
export interface Parameter {
  /** A number, `on` or `off`; undefined for `n/a`: this driver does not have it. */
  readonly value: string | undefined;
  /** The largest value that the driver takes, where ethtool says so. */
  readonly max?: number;
  /** Features only: the kernel or driver does not let it change. */
  readonly isFixed?: boolean;
  /** The line it was read from, trimmed. */
  readonly line: string;
}

/** By the name that ethtool's set side has for it (`rx-usecs`). */
export type Parameters = ReadonlyMap<string, Parameter>;

/**
 * The lines after the title `<title> for <device>:`, undefined when the text has another title or none.
 * A last line without its line end may be cut in the middle of a number and is left out.
 */
export function linesAfterTitle(text: string, title: string, device: string): readonly string[] | undefined {
  const lines = text.split('\n').slice(0, -1);
  const start = lines.findIndex((line) => line.trim() !== '');
  if (start < 0 || lines[start]?.trim() !== `${title} for ${device}:`) return undefined;
  return lines.slice(start + 1);
}

/** `on`, `off` or a number as ethtool prints it; undefined for everything else, `n/a` included. */
export function parseValue(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === 'on' || trimmed === 'off') return trimmed;
  return /^\d{1,10}$/.test(trimmed) ? String(Number(trimmed)) : undefined;
}

/** Whether a text stands where a value stands: a value or `n/a`. Anything else is not ethtool's. */
export function isValueText(text: string): boolean {
  return text.trim() === 'n/a' || parseValue(text) !== undefined;
}

/** Splits `RX Mini:<tabs>n/a` into name and rest; undefined when there is no colon. */
export function splitLine(line: string): readonly [name: string, rest: string] | undefined {
  const at = line.indexOf(':');
  return at < 0 ? undefined : [line.slice(0, at).trim(), line.slice(at + 1)];
}
