/**
 * CPU sets as ascending arrays of CPU numbers, and the two spellings the kernel has for them.
 * https://docs.kernel.org/admin-guide/kernel-parameters.html#cpu-lists
 */
export type CpuSet = readonly number[];

/** Thrown for text that is no CPU list or mask; `text` is the whole input. */
export class CpuSetSyntaxError extends Error {
  readonly text: string;

  constructor(text: string, expected: string) {
    super(`expected ${expected}, got ${JSON.stringify(text)}`);
    this.name = 'CpuSetSyntaxError';
    this.text = text;
  }
}

/** More CPUs than any kernel is built for (NR_CPUS is at most 8192): a typing error, not a machine. */
const MAX_CPUS = 8192;

/** Parses `0-3,8,16-31:2/4` (the kernel's cpulist, with its `used/group` strides). Empty text is the empty set. */
export function parseCpulist(text: string): CpuSet {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  const cpus: number[] = [];
  for (const part of trimmed.split(',')) {
    const match = RANGE.exec(part.trim());
    if (!match) throw new CpuSetSyntaxError(text, 'a CPU list such as 0-3,8');
    const first = Number(match[1]);
    const last = Number(match[2] ?? first);
    const used = Number(match[3] ?? 1);
    const group = Number(match[4] ?? 1);
    if (last < first || last >= MAX_CPUS || group < 1 || used < 1 || used > group) {
      throw new CpuSetSyntaxError(text, 'a CPU list such as 0-3,8');
    }
    for (let cpu = first; cpu <= last; cpu++) if ((cpu - first) % group < used) cpus.push(cpu);
  }
  return isAscending(cpus) ? cpus : [...new Set(cpus)].sort(ascending);
}

/** `8`, `0-3`, `16-31:2/4`: first, last, used, group. */
const RANGE = /^(\d+)(?:-(\d+)(?::(\d+)\/(\d+))?)?$/;

/** Prints the kernel's shortest form: `0-3,8`. The empty set is ''. */
export function printCpulist(cpus: Iterable<number>): string {
  const given = [...cpus];
  const sorted = isAscending(given) ? given : [...new Set(given)].sort(ascending);
  const parts: string[] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (sorted[end + 1] === (sorted[end] as number) + 1) end++;
    parts.push(start === end ? `${sorted[start]}` : `${sorted[start]}-${sorted[end]}`);
    start = end + 1;
  }
  return parts.join(',');
}

/** Parses `ff,00000001`, 32 bits a word, most significant first, as /proc/irq/default_smp_affinity has it. */
export function parseCpumask(text: string): CpuSet {
  const words = text.trim().replace(/^0x/, '').split(',');
  const cpus: number[] = [];
  for (const [index, word] of words.reverse().entries()) {
    if (!/^[0-9a-fA-F]{1,16}$/.test(word) || (words.length > 1 && word.length > 8)) {
      throw new CpuSetSyntaxError(text, 'a CPU mask such as ff or 1,00000001');
    }
    // A digit at a time: 16 of them are more than a number holds.
    for (let at = word.length - 1; at >= 0; at--) {
      const digit = Number.parseInt(word[at] as string, 16);
      const lowest = index * 32 + (word.length - 1 - at) * 4;
      for (let bit = 0; bit < 4; bit++) if (digit & (1 << bit)) cpus.push(lowest + bit);
    }
  }
  return cpus;
}

/** Prints a mask in 32-bit words: `1,00000001`. */
export function printCpumask(cpus: Iterable<number>): string {
  const words: number[] = [0];
  for (const cpu of cpus) {
    const index = Math.floor(cpu / 32);
    while (words.length <= index) words.push(0);
    words[index] = ((words[index] as number) | (1 << (cpu % 32))) >>> 0;
  }
  return words
    .reverse()
    .map((word, position) => (position === 0 ? word.toString(16) : word.toString(16).padStart(8, '0')))
    .join(',');
}

export function union(...sets: readonly CpuSet[]): CpuSet {
  return [...new Set(sets.flat())].sort(ascending);
}

export function without(cpus: CpuSet, removed: CpuSet): CpuSet {
  return cpus.filter((cpu) => !removed.includes(cpu));
}

export function intersection(left: CpuSet, right: CpuSet): CpuSet {
  return left.filter((cpu) => right.includes(cpu));
}

export function isSubset(part: CpuSet, whole: CpuSet): boolean {
  return part.every((cpu) => whole.includes(cpu));
}

/** Without repetitions: as the kernel prints them, and as they are kept here. */
function isAscending(cpus: readonly number[]): boolean {
  for (let at = 1; at < cpus.length; at++) if ((cpus[at] as number) <= (cpus[at - 1] as number)) return false;
  return true;
}

function ascending(left: number, right: number): number {
  return left - right;
}
