import type { JournalRecord } from '../../../src/engine/journal.ts';
import type { Tunable } from '../../../src/tunables/tunable.ts';

/** A kernel file with the text that it has when the profile is applied. */
export interface FileSetting {
  readonly path: string;
  readonly text: string;
}

/** The files that a run of hft wrote, in its order. Throws when there is one that the other contenders cannot write. */
export function pathsOfJournal(journal: string): readonly string[] {
  const records = journal
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as JournalRecord);
  return records.flatMap((record) => (record.type === 'intent' ? [pathOf(record.tunable)] : []));
}

function pathOf(tunable: Tunable): string {
  if (tunable.kind === 'file') return tunable.path;
  if (tunable.kind === 'irq-affinity') return `/proc/irq/${tunable.irq}/smp_affinity_list`;
  throw new Error(`the profile of the comparison asks for a ${tunable.kind}, which is no file`);
}

/** What capture.sh prints. */
export function parseCapture(text: string): readonly FileSetting[] {
  return text
    .split('\n')
    .filter((line) => line.includes('\t'))
    .map((line) => {
      const [path = '', value = ''] = line.split('\t');
      return { path, text: selected(value) };
    });
}

/** `always madvise [never]` is written as `never`. */
function selected(text: string): string {
  return /\[(?<word>[^\]]+)\]/.exec(text)?.groups?.word ?? text;
}
