/**
 * The kernel's command line as the kernel splits and reads it, and the one spelling of each argument that hft compares.
 * https://docs.kernel.org/admin-guide/kernel-parameters.html
 */
import { parseCpulist, printCpulist } from '../../topology/cpulist.ts';

export interface KernelArgument {
  /** As written, without quotes: `nohz_full`. */
  readonly name: string;
  /** undefined for a bare word such as `quiet`. */
  readonly value: string | undefined;
}

const CPULIST_ARGUMENTS = new Set(['nohz_full', 'rcu_nocbs', 'irqaffinity', 'kthread_cpus']);

/** Later ones of these are ignored by the kernel ("Housekeeping: nohz_full= must match isolcpus="); of all others the last one counts. */
const FIRST_ONE_COUNTS = new Set(['isolcpus', 'nohz_full']);

const ISOLCPUS_FLAGS = ['managed_irq', 'domain', 'nohz'];

/** Splits a command line at blanks outside double quotes. What follows ` -- ` is init's and not returned. */
export function parseCommandLine(text: string): KernelArgument[] {
  const found: KernelArgument[] = [];
  for (const word of splitAtBlanks(text)) {
    if (word === '--') break;
    const plain = word.startsWith('"') ? word.replace(/^"|"$/g, '') : word;
    const equals = plain.indexOf('=');
    if (equals < 0) found.push({ name: plain, value: undefined });
    else found.push({ name: plain.slice(0, equals), value: plain.slice(equals + 1).replace(/^"|"$/g, '') });
  }
  return found;
}

/** Prints an argument as it stands on a command line, quoted when it has blanks. */
export function printArgument({ name, value }: KernelArgument): string {
  if (value === undefined) return name;
  return /\s/.test(value) ? `${name}="${value}"` : `${name}=${value}`;
}

export function printArguments(given: readonly KernelArgument[]): string {
  return given.map(printArgument).join(' ');
}

/** Dashes and underscores in names are the same to the kernel. */
export function sameName(left: string, right: string): boolean {
  return left.replaceAll('-', '_') === right.replaceAll('-', '_');
}

export function isNamed(argument: KernelArgument, names: readonly string[]): boolean {
  return names.some((name) => sameName(argument.name, name));
}

/**
 * What a command line says for some names, canonical; null when it has none of them. Of one name the occurrence that the
 * kernel obeys counts; several names belong together (`hugepagesz=1G hugepages=4`) and keep all occurrences in order.
 */
export function pickArguments(given: readonly KernelArgument[], names: readonly string[]): string | null {
  const found = given.filter((argument) => isNamed(argument, names));
  const first = found[0];
  if (!first) return null;
  if (names.length > 1) return found.map(canonicalArgument).join(' ');
  const obeyed = FIRST_ONE_COUNTS.has(first.name.replaceAll('-', '_')) ? first : (found.at(-1) as KernelArgument);
  return canonicalArgument(obeyed);
}

/** `isolcpus=domain,managed_irq,3,2` is `isolcpus=managed_irq,domain,2-3`. Text that hft cannot read stays as it is. */
export function canonicalArgument(argument: KernelArgument): string {
  const name = argument.name.replaceAll('-', '_');
  if (argument.value === undefined) return printArgument(argument);
  if (name === 'isolcpus') return `isolcpus=${canonicalIsolcpus(argument.value)}`;
  if (CPULIST_ARGUMENTS.has(name)) return `${name}=${canonicalCpulist(argument.value)}`;
  return printArgument(argument);
}

/** The CPUs that a canonical argument names, undefined when it names none. */
export function cpusOfArgument(text: string): string | undefined {
  const [argument] = parseCommandLine(text);
  if (argument?.value === undefined) return undefined;
  const list = argument.name === 'isolcpus' ? splitIsolcpus(argument.value).list : argument.value;
  return isCpulist(list) ? canonicalCpulist(list) : undefined;
}

function canonicalIsolcpus(value: string): string {
  const { flags, list } = splitIsolcpus(value);
  if (!flags.every((flag) => ISOLCPUS_FLAGS.includes(flag)) || !isCpulist(list)) return value;
  const known = ISOLCPUS_FLAGS.filter((flag) => flags.includes(flag));
  return [...(known.length === 0 ? ['domain'] : known), canonicalCpulist(list)].join(',');
}

function splitIsolcpus(value: string): { flags: string[]; list: string } {
  const parts = value.split(',');
  const firstCpu = parts.findIndex((part) => /^(?:\d|all\b|N\b)/.test(part));
  const flags = firstCpu < 0 ? parts : parts.slice(0, firstCpu);
  return { flags, list: firstCpu < 0 ? '' : parts.slice(firstCpu).join(',') };
}

function canonicalCpulist(value: string): string {
  return isCpulist(value) ? printCpulist(parseCpulist(value)) : value;
}

function isCpulist(text: string): boolean {
  try {
    return parseCpulist(text).length > 0;
  } catch {
    return false;
  }
}

function splitAtBlanks(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  for (const character of text.trim()) {
    if (character === '"') quoted = !quoted;
    if (!quoted && /\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
    } else word += character;
  }
  if (word !== '') words.push(word);
  return words;
}
