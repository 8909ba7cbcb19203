import { HftError } from '../../errors.ts';

/** Nothing was changed there by it, or what was is whole: a session that could not be opened, or was lost. Exit 3. */
export class SshError extends HftError {
  constructor(host: string, reason: string, next: readonly string[]) {
    // What a server says is shown, and never obeyed by a terminal.
    super(`${host}: ${reason.replaceAll(/\p{Cc}/gu, ' ')}.`, { exitCode: 3, next });
  }
}

/** The login was refused with all that node-ssh could offer: the system's ssh may have more (tickets, certificates in an agent). */
export class LoginRefused extends SshError {}

/** Mismatched words of a shell are no danger: each is quoted as one. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
