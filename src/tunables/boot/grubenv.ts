/** GRUB's environment block: exactly 1024 bytes, `name=value` lines, filled up with `#`.
 *  https://www.gnu.org/software/grub/manual/grub/html_node/Environment-block.html */
const SIZE_BYTES = 1024;
const HEADER = '# GRUB Environment Block\n';

export type GrubEnvironment = ReadonlyMap<string, string>;

/** Reads the variables; an empty or missing block has none. GRUB escapes a backslash and a line end by a backslash. */
export function parseGrubenv(text: string | undefined): GrubEnvironment {
  const variables = new Map<string, string>();
  if (text === undefined) return variables;
  for (const line of text.replace(/\\\n/g, '\u0000').split('\n')) {
    const match = /^(?<name>[^#=][^=]*)=(?<value>.*)$/s.exec(line);
    if (!match?.groups) continue;
    const value = (match.groups.value as string).replace(/\u0000/g, '\n').replace(/\\(.)/g, '$1');
    variables.set(match.groups.name as string, value);
  }
  return variables;
}

/** undefined when the variables do not fit into the block. */
export function printGrubenv(variables: GrubEnvironment): string | undefined {
  const lines = [...variables].map(([name, value]) => `${name}=${value.replace(/([\\\n])/g, '\\$1')}\n`);
  const text = HEADER + lines.join('');
  const lengthBytes = Buffer.byteLength(text);
  return lengthBytes > SIZE_BYTES ? undefined : text + '#'.repeat(SIZE_BYTES - lengthBytes);
}
