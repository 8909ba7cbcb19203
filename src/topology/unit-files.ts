import type { HostReader } from '../host/host.ts';

/** The whole list, whatever is looked for. systemd looks for every link to every unit to make it, which takes seconds
 *  on a busy host; only captures hold it, so that they answer a later hft which knows more names. systemctl(1) */
export const LIST_UNIT_FILES = ['systemctl', 'list-unit-files', '--no-legend', '--no-pager', '--plain'];

/**
 * How the units of these names are enabled (enabled, static, masked …), those that are installed; of an older capture
 * all units. undefined: there is no systemd, or it does not answer (a dump, a container).
 */
export async function readUnitFiles(
  reader: HostReader,
  units: readonly string[],
): Promise<ReadonlyMap<string, string> | undefined> {
  if (units.length === 0) return new Map();
  const named = await reader.query([...LIST_UNIT_FILES, ...units]);
  const listed = named.found ? named : await reader.query(LIST_UNIT_FILES);
  if (!listed.found) return undefined;
  // Exit code 1 without a word: none of them is installed.
  if (listed.exitCode !== 0 && listed.stderr.trim() !== '') return undefined;
  return parseUnitTable(listed.stdout);
}

/** The first two columns of `systemctl list-unit-files` and `list-units`: a unit and its state. */
export function parseUnitTable(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [unit, state] = line.trim().split(/\s+/);
      return unit && state ? [[unit, state] as const] : [];
    }),
  );
}
