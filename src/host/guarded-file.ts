import fs from 'node:fs';
import { HftError } from '../errors.ts';
import { onPath, unlessMissing } from './errno.ts';

/** Group and others: read, write, execute. */
const ANYBODY_ELSE = 0o077;
/** Group and others: write. */
const WRITTEN_BY_OTHERS = 0o022;

/** The text of a file that nobody but its owner may read; undefined when there is none. Throws FileExposed, HostError. */
export function readSecret(path: string): string | undefined {
  return readGuarded(path, { forbidden: ANYBODY_ELSE, wanted: '600', danger: 'others may read the secret in it' });
}

/** The text of a file that nobody but its owner may write; undefined when there is none. Throws FileExposed, HostError. */
export function readTrusted(path: string): string | undefined {
  return readGuarded(path, { forbidden: WRITTEN_BY_OTHERS, wanted: '644', danger: 'others may write to it' });
}

interface Guarding {
  readonly forbidden: number;
  readonly wanted: string;
  readonly danger: string;
}

/** Mode and owner are those of the file that is read, whatever its name leads to a moment later. */
function readGuarded(path: string, guarding: Guarding): string | undefined {
  const fd = unlessMissing('open', path, () => fs.openSync(path, fs.constants.O_RDONLY));
  if (fd === undefined) return undefined;
  try {
    const { mode, uid } = onPath('read', path, () => fs.fstatSync(fd));
    const permissions = mode & 0o777;
    if ((permissions & guarding.forbidden) !== 0) {
      throw new FileExposed(path, `its mode is ${permissions.toString(8).padStart(4, '0')}: ${guarding.danger}`, [
        `Run \`chmod ${guarding.wanted} ${path}\`. What others may have read or written meanwhile is no longer to be trusted.`,
      ]);
    }
    const own = process.getuid?.();
    if (uid !== own && uid !== 0)
      throw new FileExposed(path, `it belongs to uid ${uid}, expected ${own} or root`, [`Run \`chown root ${path}\`.`]);
    return onPath('read', path, () => fs.readFileSync(fd, 'utf8'));
  } finally {
    fs.closeSync(fd);
  }
}

/** A file that decides who may do what can be read or written by somebody else. Exit 2: nothing was done. */
export class FileExposed extends HftError {
  constructor(path: string, reason: string, next: readonly string[]) {
    super(`${path} is not used: ${reason}.`, { next });
  }
}
