import { Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** `60s`, `2m`, `1h`, `90`: seconds. `flag` is where it was given. Throws UsageError. */
export function parseSeconds(flag: string, text: string): number {
  const match = /^(\d+)(s|m|h)?$/.exec(text.trim());
  if (!match) throw new UsageError(`${flag}: expected a time such as 60s or 2m, got ${JSON.stringify(text)}`);
  return Number(match[1]) * (UNIT_S[match[2] ?? 's'] as number);
}

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };

/** `100ns`, `2us`, `1.5ms`: nanoseconds. Throws UsageError. */
export function parseNanoseconds(flag: string, text: string): number {
  const { number, unit } = /^(?<number>\d+(?:\.\d+)?)(?<unit>ns|us|ms|s)$/.exec(text.trim())?.groups ?? {};
  const ns = Number(number) * (UNIT_NS[unit ?? ''] ?? Number.NaN);
  if (!(ns > 0)) throw new UsageError(`${flag}: expected a time such as 100ns or 2us, got ${JSON.stringify(text)}`);
  return ns;
}

export const confirmWithinFlag = Flags.string({
  default: '60s',
  helpValue: 'TIME',
  summary: "How long the host waits for `hft confirm` after a change to the session's own interface",
});
