import { readFileSync } from 'node:fs';

/** A file of /proc; '' when there is none: a process may end, and its parent take it away, at any moment, also between two looks. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}

/** A process that has not ended: one that has, and that its parent has not taken away yet, is none. */
export function isAlive(pid: number): boolean {
  const stat = readProc(`/proc/${pid}/stat`);
  // Its name may have anything in it, and ends with the last bracket.
  return stat !== '' && !/^\) [ZX] /.test(stat.slice(stat.lastIndexOf(')')));
}

/** How often it has written, to anything: after META each block of a measurement is one more. */
export function writesOf(pid: number): number {
  return Number(/^syscw: (\d+)$/m.exec(readProc(`/proc/${pid}/io`))?.[1] ?? 0);
}

/** Whether it has a handler for SIGTERM, and can end in order: a program that is only just started has none. */
export function handlesSigterm(pid: number): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readProc(`/proc/${pid}/status`))?.[1] ?? '0';
  return ((BigInt(`0x${caught}`) >> 14n) & 1n) === 1n;
}
