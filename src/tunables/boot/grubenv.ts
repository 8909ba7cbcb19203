/** GRUB's environment block: exactly 1024 bytes, `name=value` lines, filled up with `#`.
 *  https://www.gnu.org/software/grub/manual/grub/html_node/Environment-block.html */
const SIZE_BYTES = 1024;
const HEADER = '# GRUB Environment Block\n';

export type GrubEnvironment = ReadonlyMap<string, string>;

/** One variable with its line; GRUB puts a backslash before a backslash and a line end. */
const LINE = /^(?<name>[^#=\n][^=\n]*)=(?<value>(?:\\[^]|[^\\\n])*)\n/gm;

/** Reads the variables; an empty or missing block has none. */
export function parseGrubenv(text: string | undefined): GrubEnvironment {
  const variables = new Map<string, string>();
  for (const { groups = {} } of (text ?? '').matchAll(LINE)) {
    variables.set(groups.name as string, (groups.value as string).replace(/\\([^])/g, '$1'));
  }
  return variables;
}

/** The block with one variable set, or taken out by null; all else stays. undefined when it does not fit. */
export function editGrubenv(text: string | undefined, name: string, value: string | null): string | undefined {
  const lines = (text ?? '').startsWith(HEADER) ? (text as string).replace(/#*$/, '') : HEADER;
  const line = value === null ? '' : `${name}=${value.replace(/([\\\n])/g, '\\$1')}\n`;
  let isPlaced = false;
  const replaced = lines.replace(LINE, (old, found: string) => {
    if (found !== name) return old;
    isPlaced = true;
    return line;
  });
  const edited = isPlaced ? replaced : replaced + line;
  const lengthBytes = Buffer.byteLength(edited);
  return lengthBytes > SIZE_BYTES ? undefined : edited + '#'.repeat(SIZE_BYTES - lengthBytes);
}
