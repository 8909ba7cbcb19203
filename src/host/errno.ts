import { HostError } from '../errors.ts';

/** The errno name (EACCES, EIO …) of what a system call threw, undefined when it is no system error. libuv has one name
 *  for EOPNOTSUPP and ENOTSUP, which are one number on Linux: ENOTSUP. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  EACCES: 'Run it as root, or give another place that you may use.',
  EPERM: 'Run it as root; root is refused too when the kernel is locked down or the file is immutable.',
  ENOSPC: 'Free some space on that file system and run it again.',
  EDQUOT: 'Free some of the disk quota and run it again.',
  EROFS: 'That file system is mounted read-only: remount it writable, or look in the kernel log why it is.',
};

/** A system error as a HostError. Anything else is a bug and passes through unchanged. */
export function toHostError(operation: string, path: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  const next = NEXT_STEPS[code];
  return new HostError(operation, path, code, { cause: error, ...(next === undefined ? {} : { next: [next] }) });
}

/** Runs one or more system calls on a path; a system error comes out as HostError. */
export function onPath<T>(operation: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw toHostError(operation, path, error);
  }
}

/**
 * The errnos that say "not there", which is a value and no error. ENOTDIR: a folder on the way is a file.
 * ENODEV: what sysfs says when the device of a file went away between look-up and read (kernfs_fop_open and
 * kernfs_seq_start in fs/kernfs/file.c of the kernel).
 * ESRCH: /proc says it for a process that ended between open and read, proc_pid(5).
 * ENXIO is not here: it is the answer of a driver about a device that does exist.
 */
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ESRCH']);

/** Like onPath, with undefined for what does not exist. */
export function unlessMissing<T>(operation: string, path: string, act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    const code = errnoOf(error);
    if (code !== undefined && MISSING.has(code)) return undefined;
    throw toHostError(operation, path, error);
  }
}
