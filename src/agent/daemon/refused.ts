import { HftError } from '../../errors.ts';

/** A request that was not followed. Nothing was done. */
export class Refused extends HftError {
  constructor(message: string, next: readonly string[]) {
    super(message, { exitCode: 3, next });
  }
}
