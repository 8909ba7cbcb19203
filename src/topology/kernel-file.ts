import { HostError, UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { type CpuSet, CpuSetSyntaxError, parseCpulist, parseCpumask } from './cpulist.ts';

/**
 * One-value files of /proc and /sys. A file that is missing, or that the kernel will not show (EACCES, EINVAL of a
 * link that is down, EIO), is the value undefined: facts are optional, and what a file lacks is seen by its user.
 */

/** The whole text, trimmed; undefined when the file is missing, unreadable or blank. */
export async function readValue(reader: HostReader, path: string): Promise<string | undefined> {
  return (await readEvenEmpty(reader, path)) || undefined;
}

/** A decimal number; undefined for anything else, such as the `<unknown>` of a card that is not plugged in. */
export async function readInteger(reader: HostReader, path: string): Promise<number | undefined> {
  return parseInteger(await readValue(reader, path));
}

export function parseInteger(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^-?\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** A cpulist; undefined when the file is missing. The kernel prints `(null)` for a set it never allocated. */
export async function readCpulist(reader: HostReader, path: string): Promise<CpuSet | undefined> {
  return readCpuSet(reader, path, parseCpulist);
}

/** A CPU mask in hex words; undefined when the file is missing. */
export async function readCpumask(reader: HostReader, path: string): Promise<CpuSet | undefined> {
  return readCpuSet(reader, path, parseCpumask);
}

/** The names in a folder; empty when it is missing or unreadable. */
export async function readNames(reader: HostReader, path: string): Promise<readonly string[]> {
  try {
    return (await reader.list(path)) ?? [];
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}

/** The last part of a link's target: `igb` of `../../../bus/pci/drivers/igb`. */
export async function readLinkName(reader: HostReader, path: string): Promise<string | undefined> {
  return (await readLinkTarget(reader, path))?.split('/').pop();
}

export async function readLinkTarget(reader: HostReader, path: string): Promise<string | undefined> {
  try {
    return await reader.readLink(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

async function readCpuSet(
  reader: HostReader,
  path: string,
  parse: (text: string) => CpuSet,
): Promise<CpuSet | undefined> {
  const text = await readEvenEmpty(reader, path);
  if (text === undefined) return undefined;
  if (text === '' || text === '(null)') return [];
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof CpuSetSyntaxError)) throw error;
    throw new UsageError(`${reader.label}: ${path}: ${error.message}`, {
      next: ['No kernel prints this: take the snapshot of that machine again.'],
      cause: error,
    });
  }
}

/** Kernel 3.10 ends the line of a set that it never allocated with a NUL. */
async function readEvenEmpty(reader: HostReader, path: string): Promise<string | undefined> {
  try {
    return (await reader.readText(path))?.replaceAll('\0', '').trim();
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
