/**
 * Errors that a user can act on. Everything else that is thrown is a bug in hft and exits with 70.
 * Each one says what, where, expected and got, and the next step (the message), and carries the exit code
 * of the contract in docs (0 as wanted; 1 differs; 2 usage or profile; 3 failed, everything undone;
 * 4 failed, not everything undone; 5 pending reboot; 6 inconclusive).
 */
export class HftError extends Error {
  readonly exitCode: number;
  /** What to do now, one sentence per entry. */
  readonly next: readonly string[];

  constructor(message: string, options: { exitCode?: number; next?: readonly string[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.exitCode = options.exitCode ?? 2;
    this.next = options.next ?? [];
  }
}

/** Wrong usage: a flag, a name, a file that is not what it should be. Exit 2. */
export class UsageError extends HftError {}

/** A mistake in a YAML file, with its place. Exit 2. `where` is `file:line:col`. */
export class ProfileError extends HftError {
  readonly where: string;

  constructor(where: string, message: string, options: { next?: readonly string[] } = {}) {
    super(`${where}  ${message}`, { exitCode: 2, ...options });
    this.where = where;
  }
}

/** An operation on the machine failed. `code` is the errno name (EACCES, EIO …); match it, never the message. */
export class HostError extends HftError {
  readonly code: string;
  readonly path: string;

  constructor(
    operation: string,
    path: string,
    code: string,
    options: { cause?: unknown; next?: readonly string[] } = {},
  ) {
    super(`${operation} ${path}: ${code}`, { exitCode: 3, ...options });
    this.code = code;
    this.path = path;
  }
}
