import type { HostReader } from '../host/host.ts';

/** Threads and interrupts end at any time, and some files are for their owner alone. */
const REFUSED: ReadonlySet<string> = new Set(['ESRCH', 'ENOENT', 'EACCES', 'EPERM', 'EIO']);

/** undefined: it is not there any more, or this user may not read it. Throws HostError otherwise. */
export async function readOrNothing(reader: HostReader, path: string): Promise<string | undefined> {
  return unlessRefused(() => reader.readText(path));
}

export async function listOrNothing(reader: HostReader, path: string): Promise<readonly string[] | undefined> {
  return unlessRefused(() => reader.list(path));
}

async function unlessRefused<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (REFUSED.has((error as { code?: string }).code ?? '')) return undefined;
    throw error;
  }
}
