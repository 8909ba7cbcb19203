import { HftError } from '../../errors.ts';
import { CpuExpressionError } from '../../layout/cpu-expression.ts';
import { LayoutError } from '../../layout/layout-error.ts';
import { Contradiction } from '../../tuning/contradiction.ts';
import type { SentError } from '../protocol/message.ts';
import { Refused } from './refused.ts';

const BUG = 70;

/** An error as it goes to the controller, which has the profile's file and can say where in it the cause is. */
export function toSentError(error: unknown): SentError {
  if (!(error instanceof HftError)) {
    const message = `This is a bug in the agent: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'bug', message, next: ['Its log has more: `journalctl -u hft-agent` on the host.'], exitCode: BUG };
  }
  const { message, next, exitCode } = error;
  const sent = { message, next: [...next], exitCode };
  if (error instanceof LayoutError) return { kind: 'layout', about: error.key, ...sent };
  // A controller that is older takes it for any expected error.
  if (error instanceof Contradiction) return { kind: 'expected', about: error.path, ...sent };
  if (error instanceof CpuExpressionError) return { kind: 'cpus', about: error.expression, ...sent };
  return { kind: error instanceof Refused ? 'refused' : 'expected', ...sent };
}
