import { Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';

/** `60s`, `2m`, `90`: seconds. */
export function parseSeconds(text: string): number {
  const match = /^(\d+)(s|m)?$/.exec(text.trim());
  if (!match) throw new UsageError(`expected a time such as 60s or 2m, got ${JSON.stringify(text)}`);
  return Number(match[1]) * (match[2] === 'm' ? 60 : 1);
}

export const confirmWithinFlag = Flags.string({
  default: '60s',
  helpValue: 'TIME',
  summary: "How long the host waits for `hft confirm` after a change to the session's own interface",
});
