/** Boot entries as small files, as GRUB (RHEL family) and systemd-boot read them.
 *  https://uapi-group.org/specifications/specs/boot_loader_specification/ */

export interface BlsEntry {
  /** The file's name without `.conf`, with a boot counter (`+3-1`) taken off. */
  readonly id: string;
  readonly file: string;
  readonly title: string | undefined;
  readonly version: string | undefined;
  readonly linux: string | undefined;
  readonly initrd: readonly string[];
  /** All `options` lines, joined by blanks. */
  readonly options: string;
}

export function parseBlsEntry(file: string, text: string): BlsEntry {
  const keys = text.split('\n').flatMap((line) => {
    const match = /^\s*(?<key>[^#\s]\S*)\s+(?<value>.*?)\s*$/.exec(line);
    return match?.groups ? [{ key: match.groups.key as string, value: match.groups.value as string }] : [];
  });
  const all = (key: string) => keys.filter((each) => each.key === key).map((each) => each.value);
  const name = file.slice(file.lastIndexOf('/') + 1);
  return {
    id: name.replace(/\.conf$/, '').replace(/\+\d+(?:-\d+)?$/, ''),
    file,
    title: all('title')[0],
    version: all('version')[0],
    linux: all('linux')[0],
    initrd: all('initrd'),
    options: all('options').join(' '),
  };
}

/** The text of an entry with each `options` line changed, and words added to the last one. All else stays as it is. */
export function editBlsOptions(text: string, change: (options: string) => string, added: string): string {
  const lines = text.split('\n');
  const last = lines.findLastIndex((line) => OPTIONS.test(line));
  if (last < 0) return added === '' ? text : `${text.replace(/\n*$/, '\n')}options ${added}\n`;
  return lines
    .map((line, index) => {
      const { key, value } = OPTIONS.exec(line)?.groups ?? {};
      if (key === undefined) return line;
      const changed = change(value ?? '');
      return key + (index === last ? appendWords(changed, added) : changed);
    })
    .join('\n');
}

const OPTIONS = /^(?<key>\s*options\s+)(?<value>.*)$/;

/** `text` with words behind its own, before the blanks and the line end that it ends with. */
export function appendWords(text: string, words: string): string {
  if (words === '') return text;
  const [, kept = '', end = ''] = /^([^]*?)(\s*)$/.exec(text) ?? [];
  return `${kept}${kept === '' ? '' : ' '}${words}${end}`;
}

/** As GRUB sorts them for its menu: newest first, by the file name compared as rpm compares versions. */
export function sortBlsEntries(entries: readonly BlsEntry[]): readonly BlsEntry[] {
  return [...entries].sort((left, right) => compareVersions(right.id, left.id));
}

/** rpm's order: runs of digits as numbers, runs of letters as text, digits newer than letters, `~` older than the end. */
export function compareVersions(left: string, right: string): number {
  const leftParts = left.match(/\d+|[A-Za-z]+|~/g) ?? [];
  const rightParts = right.match(/\d+|[A-Za-z]+|~/g) ?? [];
  for (let index = 0; index < Math.max(leftParts.length, rightParts.length); index++) {
    const order = compareParts(leftParts[index], rightParts[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(left: string | undefined, right: string | undefined): number {
  if (left === right) return 0;
  if (left === '~' || right === '~') return left === '~' ? -1 : 1;
  if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
  const leftIsNumber = /^\d/.test(left);
  if (leftIsNumber !== /^\d/.test(right)) return leftIsNumber ? 1 : -1;
  if (!leftIsNumber) return left < right ? -1 : 1;
  const difference = BigInt(left) - BigInt(right);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}
