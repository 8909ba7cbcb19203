import { HftError } from '../../errors.ts';
import { PROTOCOL } from '../protocol/request.ts';

/** A request that was not followed. Nothing was done. */
export class Refused extends HftError {
  constructor(message: string, next: readonly string[]) {
    super(message, { exitCode: 3, next });
  }
}

export function sayVersions(asked: number): Refused {
  const older = asked > PROTOCOL ? 'agent' : 'hft that asks';
  return new Refused(`The agent speaks version ${PROTOCOL} of the protocol, this hft ${asked}.`, [
    `Bring the ${older} up to date.`,
  ]);
}

export function sayNotUnderstood(reason: string): Refused {
  return new Refused(`The agent does not understand the request: ${reason}.`, [
    'Its release may be older than the hft that asks: compare `hft --version` and `hft agent status --host`.',
  ]);
}
