import { HostError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { canonicalFormat, parseFormat, printFormat } from './formats.ts';
import type { TunableKind } from './kind.ts';
import type { FileFormat, FileTunable, Reading } from './tunable.ts';

/** A kernel file in /proc or /sys: one value, written with one write(2). */
export const fileKind: TunableKind<FileTunable> = {
  persistent: false,
  read: (reader, tunable) => readFormatted(reader, tunable.path, tunable.format),
  canonical: (tunable, value) => canonicalFormat(tunable.format, value),
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) throw new HostError('remove', tunable.path, 'EPERM');
      if (tunable.primer !== undefined) await host.writeText(tunable.primer.path, tunable.primer.text);
      await host.writeText(tunable.path, printFormat(tunable.format, value));
    }
  },
};

/** Reads a file in a format. Text that is not of the format is unreadable (EINVAL), never guessed at. */
export async function readFormatted(reader: HostReader, path: string, format: FileFormat): Promise<Reading> {
  try {
    const text = await reader.readText(path);
    if (text === undefined) return { status: 'missing', evidence: `${path}: not there` };
    const shown = text.trimEnd();
    try {
      return { status: 'value', value: parseFormat(format, text), evidence: `${path}: ${shown}` };
    } catch {
      return { status: 'unreadable', code: 'EINVAL', evidence: `${path}: not ${format}: ${JSON.stringify(shown)}` };
    }
  } catch (error) {
    return unreadable(error, path);
  }
}

/** The reading for a HostError; anything else is a bug and goes on. */
export function unreadable(error: unknown, where: string): Reading {
  if (error instanceof HostError)
    return { status: 'unreadable', code: error.code, evidence: `${where}: ${error.code}` };
  throw error;
}
