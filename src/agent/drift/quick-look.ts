import { canonicalOrNull } from '../../engine/compare.ts';
import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { kindOf } from '../../tunables/kinds.ts';
import type { Reading } from '../../tunables/tunable.ts';
import { withoutCommands } from './quiet-reader.ts';
import type { WatchedSetting } from './whole-look.ts';

/** What is there now, of settings that were read. */
export interface QuickLook {
  readonly seen: readonly { readonly setting: WatchedSetting; readonly is: string | null; readonly evidence: string }[];
  /** Their place is gone (an interrupt got another number): only a whole look finds them again. */
  readonly lost: readonly WatchedSetting[];
}

/** Reads one or a few files of each setting, and runs no command. */
export async function lookQuickly(reader: HostReader, settings: readonly WatchedSetting[]): Promise<QuickLook> {
  const seen: QuickLook['seen'][number][] = [];
  const lost: WatchedSetting[] = [];
  const quiet = withoutCommands(reader);
  for (const setting of settings) {
    const reading = await read(quiet, setting);
    if (reading.status === 'value')
      seen.push({ setting, is: canonicalOrNull(setting.tunable, reading.value), evidence: reading.evidence });
    else if (reading.status === 'missing' && setting.wanted !== null) lost.push(setting);
  }
  return { seen, lost };
}

/** Those that a quick look reads, and sees as the whole look saw them: it must not call drift what only it sees so. */
export async function chooseQuick(
  reader: HostReader,
  settings: readonly WatchedSetting[],
): Promise<readonly WatchedSetting[]> {
  // What is staged for the next boot has two values.
  const now = settings.filter(({ tunable }) => kindOf(tunable).readStaged === undefined);
  const { seen } = await lookQuickly(reader, now);
  return seen.filter(({ setting, is }) => is === setting.is).map(({ setting }) => setting);
}

async function read(reader: HostReader, { tunable }: WatchedSetting): Promise<Reading> {
  try {
    return await kindOf(tunable).read(reader, tunable);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { status: 'unreadable', code: error.code, evidence: error.message };
  }
}
