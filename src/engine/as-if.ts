import type { HostReader } from '../host/host.ts';
import type { Pretence } from '../tunables/kind.ts';
import { kindOf } from '../tunables/kinds.ts';
import { canonicalOrNull } from './compare.ts';
import { type HeldPlace, unwind } from './held.ts';
import { readLiving } from './undo.ts';

/**
 * The machine as it would be if hft had never changed it, as far as a wish depends on that. Domains keep what is right
 * already, so on a tuned machine a second profile would keep what the first one wanted. Comparing is done with the
 * machine as it is.
 */
export async function asIfUntouched(reader: HostReader, places: readonly HeldPlace[]): Promise<HostReader> {
  const pretences: Pretence[] = [];
  for (const held of places) {
    const { tunable } = held.changes[0].step;
    const { asIf } = kindOf(tunable);
    if (asIf === undefined) continue;
    const reading = await readLiving(reader, { tunable });
    if (reading.status !== 'value') continue;
    const found = canonicalOrNull(tunable, reading.value);
    const { value } = unwind(held, found);
    if (value !== found) pretences.push(...asIf(tunable, value));
  }
  return pretences.length === 0 ? reader : pretend(reader, pretences);
}

function pretend(reader: HostReader, pretences: readonly Pretence[]): HostReader {
  const ofFiles = new Map<string, Pretence[]>();
  for (const each of pretences) {
    if ('path' in each) ofFiles.set(each.path, [...(ofFiles.get(each.path) ?? []), each]);
  }
  const ofCommands = pretences.filter((each) => 'argv' in each);
  const edit = (edits: readonly Pretence[], text: string) => edits.reduce((edited, each) => each.edit(edited), text);
  return {
    label: reader.label,
    async readText(path) {
      const text = await reader.readText(path);
      return text === undefined ? undefined : edit(ofFiles.get(path) ?? [], text);
    },
    list: (path) => reader.list(path),
    readLink: (path) => reader.readLink(path),
    async query(argv) {
      const result = await reader.query(argv);
      if (!result.found) return result;
      const edits = ofCommands.filter((each) => each.argv.every((word, index) => argv[index] === word));
      return edits.length === 0 ? result : { ...result, stdout: edit(edits, result.stdout) };
    },
  };
}
