import type { Recording } from './recording.ts';
import { splitPath } from './snapshot-tree.ts';

/** Names and numbers that belong to one machine and have no form of their own, found where the kernel keeps them. */
export interface PrivateValues {
  /** Replaced everywhere. */
  readonly everywhere: ReadonlySet<string>;
  /** Also ordinary words, such as a host called `vm`: replaced only where they stand alone for the machine. */
  readonly atSource: ReadonlySet<string>;
}

const HOST_NAME_FILES = /^\/(etc\/hostname|proc\/sys\/kernel\/(hostname|domainname))$/;
/** DMI, block devices, NVMe and switch ports, https://docs.kernel.org/admin-guide/abi-stable.html and -testing. */
const SERIAL_FILES =
  /\/([a-z]+_serial|[a-z]+_asset_tag|serial|serial_number|wwid|wwn|eui|nguid|unique_id|phys_port_id|phys_switch_id)$/;
const SERIAL_IN_OUTPUT =
  /(?:serial(?:[ _-]?number|_short)?|asset[ _]tag|service[ _]tag)["\s]*[:=]\s*"?([^\s",][^\n",]*)/gi;
const NAMES_IN_CONFIGURATION: readonly (readonly [file: RegExp, names: RegExp])[] = [
  [/^\/etc\/hosts$/, /^[ \t]*[0-9a-f:.]+[ \t]+([^#\n]+)/gim],
  [/^\/etc\/resolv\.conf$/, /^(?:search|domain)[ \t]+([^#\n]+)/gm],
  [/^\/etc\/(?:chrony\/|chrony\.)/, /^[ \t]*(?:server|pool|peer)[ \t]+(\S+)/gm],
];

/** What vendors write where a serial number should be, and names that say nothing about whose machine it is. */
const SAYS_NOTHING =
  /^(none|n\/a|\(none\)|unknown|default string|(system |chassis |board )?serial number|not (specified|available|present|applicable)|to be filled.*|0*|(0?1?2?3?456789)+|no asset.*|.*localhost.*|ip6-.*)$/i;
const DISTRIBUTIONS = /^(debian|ubuntu|rhel|redhat|centos|rocky|almalinux|fedora|suse|opensuse|sles|arch|amzn|linux)$/;
const SHORTEST = 4;
/** No file of the kernel is called like a serial number of this length. */
const UNMISTAKABLE = 10;

/** Whether the whole text of a file is one private value. */
export function isPrivateFile(path: string): boolean {
  return HOST_NAME_FILES.test(path) || SERIAL_FILES.test(path);
}

/** Whether a command prints the host's name as a word. */
export function namesTheHost(argv: readonly string[]): boolean {
  return /(^|\/)(hostname|hostnamectl|uname)$/.test(argv[0] ?? '');
}

export function findPrivateValues(recording: Recording): PrivateValues {
  const found = new Set([
    ...namesOfTheHost(recording),
    ...serialNumbers(recording),
    ...namesInConfiguration(recording),
  ]);
  const words = ordinaryWords(recording);
  const isOwn = (value: string) => value.length >= UNMISTAKABLE && /[0-9]/.test(value);
  const isOrdinary = (value: string) =>
    value.length < SHORTEST || DISTRIBUTIONS.test(value) || (words.has(value) && !isOwn(value));
  return {
    everywhere: new Set([...found].filter((value) => !isOrdinary(value))),
    atSource: new Set([...found].filter(isOrdinary)),
  };
}

function textsOf(recording: Recording, wanted: (path: string) => boolean): string[] {
  const answers = recording.answers.filter(({ question, path }) => question === 'read' && wanted(path));
  return answers.flatMap(({ answer }) => ('value' in answer && typeof answer.value === 'string' ? [answer.value] : []));
}

function keepSayings(values: readonly string[]): string[] {
  return values.map((value) => value.trim()).filter((value) => value !== '' && !SAYS_NOTHING.test(value));
}

/** A full name also counts as its first part and as its domain. */
function namesOfTheHost(recording: Recording): string[] {
  const outputs = recording.commands.filter(
    ({ argv }) => argv.join(' ') === 'hostname' || argv.join(' ') === 'uname -n',
  );
  const printed = outputs.flatMap(({ answer }) => ('stdout' in answer ? [answer.stdout] : []));
  const label = recording.label.includes('/') ? [] : [recording.label];
  return keepSayings([...label, ...printed, ...textsOf(recording, (path) => HOST_NAME_FILES.test(path))]).flatMap(
    withParts,
  );
}

function withParts(name: string): string[] {
  const [short = '', ...domain] = name.split('.');
  return domain.length > 1 ? [name, short, domain.join('.')] : [name, short];
}

function serialNumbers(recording: Recording): string[] {
  const outputs = recording.commands.flatMap(({ answer }) => ('stdout' in answer ? [answer.stdout] : []));
  const printed = outputs.flatMap((text) => [...text.matchAll(SERIAL_IN_OUTPUT)].map((match) => match[1] as string));
  const isSerial = (value: string) => /[0-9]/.test(value) && value.length >= SHORTEST;
  return keepSayings([...textsOf(recording, (path) => SERIAL_FILES.test(path)), ...printed.filter(isSerial)]);
}

function namesInConfiguration(recording: Recording): string[] {
  const lists = NAMES_IN_CONFIGURATION.flatMap(([file, names]) => {
    const texts = textsOf(recording, (path) => file.test(path));
    return texts.flatMap((text) => [...text.matchAll(names)].map((match) => match[1] as string));
  });
  return keepSayings(lists.flatMap((list) => list.split(/\s+/)))
    .filter((name) => !/^[0-9a-f:.]+$/i.test(name))
    .flatMap(withParts);
}

/** Every name in a path: replacing one would change what the kernel's files are called. */
function ordinaryWords(recording: Recording): Set<string> {
  const words = new Set([...recording.links.values()].flatMap(splitPath));
  for (const { path, question, answer } of recording.answers) {
    for (const name of splitPath(path)) words.add(name);
    if (question === 'list' && 'value' in answer) for (const name of answer.value ?? []) words.add(name);
  }
  return words;
}
