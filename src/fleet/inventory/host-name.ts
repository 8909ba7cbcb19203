/**
 * What Ansible takes for the name or address of a host, where ranges (`web[01:20]`, `[a:c]`, `[1:9:2]`) may stand for parts of it, and a port
 * behind it. It decides whether `a:b` is a host with a port or two patterns.
 */
export interface NamedHost {
  readonly name: string;
  readonly port: number | undefined;
}

const DECIMAL_RANGE = String.raw`\[[0-9]+:[0-9]+(?::[0-9]+)?\]`;
const WORD_RANGE = String.raw`\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]`;
const WORD = String.raw`[\p{L}\p{N}_]`;
const LABEL = `(?:${WORD}|${WORD_RANGE})(?:${WORD}|-|${WORD_RANGE})*(?<![_-])`;
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'iu');
const BYTE = `(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5]|${DECIMAL_RANGE})`;
const IPV4 = new RegExp(`^(?:${BYTE}\\.){3}${BYTE}$`);
const IPV6_RANGE = /\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\]/gi;
const IN_BRACKETS = /^\[(?<name>.+)\]:(?<port>[0-9]+)$/;
const WITH_PORT = /^(?<name>(?:[^:[\]]|\[[^\]]*\])*):(?<port>[0-9]+)$/;

/** undefined: not the name of a host. */
export function parseHostName(text: string): NamedHost | undefined {
  const groups = (IN_BRACKETS.exec(text) ?? WITH_PORT.exec(text))?.groups;
  const name = groups?.name ?? text;
  const port = groups?.port === undefined ? undefined : Number(groups.port);
  return IPV4.test(name) || isIpv6(name) || HOST_NAME.test(name) ? { name, port } : undefined;
}

/** Also with ranges in it. */
function isIpv6(text: string): boolean {
  if (!text.includes(':')) return false;
  const halves = text.replace(IPV6_RANGE, '0').split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const count = last.includes('.') ? groups.length + 1 : groups.length;
  const areGroups = groups.every((group, index) =>
    group.includes('.') ? index === groups.length - 1 && IPV4.test(group) : /^[0-9a-f]{1,4}$/i.test(group),
  );
  return areGroups && (halves.length === 1 ? count === 8 : halves.length === 2 && count < 8);
}
