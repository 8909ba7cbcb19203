import type { HostReader } from '../host/host.ts';
import { type BypassLibrary, isLibrary } from './bypass-facts.ts';
import type { LookMemory } from './look-memory.ts';
import { listOrNothing, readOrNothing } from './read-or-nothing.ts';

/** What a process has of the library that was to be loaded before it. */
export interface BypassLook {
  /** The path of what is mapped; null: it is not; undefined: /proc/PID/maps cannot be read. */
  readonly mapped: string | null | undefined;
  /** What its file descriptors tell; undefined: nobody asked, or it cannot be read. */
  readonly files: BypassFiles | undefined;
}

export interface BypassFiles {
  /** Onload: its sockets (`onload:[tcp:1:2]`) and stacks. VMA: RDMA devices that it drives (`/dev/infiniband/uverbs0`). */
  readonly accelerated: readonly string[];
  /** TCP and UDP sockets of the kernel; undefined: /proc/PID/net cannot be read. */
  readonly kernelSockets: number | undefined;
}

export interface BypassRequest {
  readonly atMs: number;
  readonly library: BypassLibrary;
  /** Whether somebody asks for file descriptors too. */
  readonly isThorough: boolean;
  readonly memory: LookMemory;
}

/** Reading maps holds up the memory of a process: a hundredth of the time at most, and no more once the library is there. */
const SHARE = 100;
const EVERY_MS = 900;

export async function lookAtBypass(reader: HostReader, pid: number, request: BypassRequest): Promise<BypassLook> {
  const { atMs, library, isThorough, memory } = request;
  const last = memory.bypass.get(pid);
  if (last !== undefined && atMs - last.atMs < Math.max(last.costMs * SHARE, EVERY_MS)) return last.look;
  const startMs = performance.now();
  const maps = await readOrNothing(reader, `/proc/${pid}/maps`);
  const look = {
    mapped: findMapped(maps, library),
    files: isThorough ? await readFiles(reader, pid, library) : undefined,
  };
  memory.bypass.set(pid, { atMs, costMs: performance.now() - startMs, look });
  return look;
}

/** proc_pid_maps(5): the sixth field is the path; ` (deleted)` after it where the file was replaced since. */
export function findMapped(maps: string | undefined, library: BypassLibrary): string | null | undefined {
  if (maps === undefined || maps === '') return undefined;
  const paths = [...maps.matchAll(/^[0-9a-f]+-[0-9a-f]+ (\S{4}) \S+ \S+ \d+ +(\/.*?)(?: \(deleted\))?$/gm)];
  // Its code, not a file that somebody reads.
  const found = paths.find(([, rights, path]) => rights?.includes('x') && isLibrary(library, path as string));
  return found?.[2] ?? null;
}

async function readFiles(reader: HostReader, pid: number, library: BypassLibrary): Promise<BypassFiles | undefined> {
  const names = await listOrNothing(reader, `/proc/${pid}/fd`);
  if (names === undefined) return undefined;
  const links: string[] = [];
  for (const name of names) links.push((await readLinkOrNothing(reader, `/proc/${pid}/fd/${name}`)) ?? '');
  const accelerated = library === 'onload' ? /^onload:\[/ : /^\/dev\/infiniband\/uverbs\d+$/;
  const inodes = links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
  return {
    accelerated: [...new Set(links.filter((link) => accelerated.test(link)))].sort(),
    kernelSockets: inodes.length === 0 ? 0 : await countInternet(reader, pid, inodes),
  };
}

/** A file can be closed between two looks at it. */
async function readLinkOrNothing(reader: HostReader, path: string): Promise<string | undefined> {
  try {
    return await reader.readLink(path);
  } catch (error) {
    if (['ESRCH', 'ENOENT', 'EACCES', 'EPERM'].includes((error as { code?: string }).code ?? '')) return undefined;
    throw error;
  }
}

async function countInternet(reader: HostReader, pid: number, inodes: readonly string[]): Promise<number | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6', 'udp', 'udp6'].map((table) => readOrNothing(reader, `/proc/${pid}/net/${table}`)),
  );
  if (tables.every((table) => table === undefined)) return undefined;
  const internet = new Set(tables.flatMap((table) => listInodes(table ?? '')));
  return inodes.filter((inode) => internet.has(inode)).length;
}

/** The tenth field of each line of /proc/net/tcp and its like. Other lines are left out. */
export function listInodes(table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return /^\d+:$/.test(fields[0] ?? '') && /^[1-9]\d*$/.test(fields[9] ?? '') ? [fields[9] as string] : [];
  });
}
