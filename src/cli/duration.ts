import { Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** `60s`, `2m`, `1h`, `90`: seconds. `flag` is where it was given. Throws UsageError. */
export function parseSeconds(flag: string, text: string): number {
  const match = /^(\d+)(s|m|h)?$/.exec(text.trim());
  if (!match) throw new UsageError(`${flag}: expected a time such as 60s or 2m, got ${JSON.stringify(text)}`);
  return Number(match[1]) * (UNIT_S[match[2] ?? 's'] as number);
}

export const confirmWithinFlag = Flags.string({
  default: '60s',
  helpValue: 'TIME',
  summary: "How long the host waits for `hft confirm` after a change to the session's own interface",
});
