import { parseCpulist } from '../topology/cpulist.ts';

/** What the kernel says of one thread. https://docs.kernel.org/filesystems/proc.html, proc_pid_stat(5). */
export interface TaskStat {
  /** As in comm: at most 15 characters. */
  readonly name: string;
  readonly state: string;
  readonly isKernel: boolean;
  /** A thread of the kernel that belongs to its CPU: nobody may move it. */
  readonly isBound: boolean;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** CPU time since its start, in ticks. */
  readonly ticks: number;
  readonly nice: number;
  /** Since boot, in ticks; as text, as it is compared. */
  readonly startTicks: string;
  /** Where it ran last, or runs. */
  readonly cpu: number;
  readonly priority: number;
  readonly policy: string;
}

/** include/linux/sched.h */
const PF_KTHREAD = 0x00200000;
const PF_NO_SETAFFINITY = 0x04000000;

/** sched(7) */
const POLICIES: Readonly<Record<number, string>> = {
  0: 'other',
  1: 'fifo',
  2: 'rr',
  3: 'batch',
  5: 'idle',
  6: 'deadline',
  7: 'ext',
};

/** USER_HZ: what /proc counts in, whatever the kernel's own HZ is. */
export const TICKS_PER_S = 100;

/** undefined: the thread has ended, or the text is none of a stat file. */
export function parseTaskStat(text: string): TaskStat | undefined {
  const [open, close] = [text.indexOf('('), text.lastIndexOf(')')];
  if (open < 0 || close < open) return undefined;
  const fields = text
    .slice(close + 2)
    .trim()
    .split(' ');
  // The state is field 3.
  const number = (field: number) => Number(fields[field - 3]);
  const state = fields[0] as string;
  if (fields.length < 39 || state === 'Z' || state === 'X') return undefined;
  return {
    name: text.slice(open + 1, close),
    state,
    isKernel: (number(9) & PF_KTHREAD) !== 0,
    isBound: (number(9) & PF_NO_SETAFFINITY) !== 0,
    minorFaults: number(10),
    majorFaults: number(12),
    ticks: number(14) + number(15),
    nice: number(19),
    startTicks: fields[19] as string,
    cpu: number(39),
    priority: number(40),
    policy: POLICIES[number(41)] ?? `policy ${number(41)}`,
  };
}

export interface TaskStatus {
  readonly allowed: readonly number[];
  readonly involuntary: number;
  readonly voluntary: number;
  /** Of the process, bytes; undefined: a kernel thread has no memory. */
  readonly lockedBytes: number | undefined;
  readonly swapBytes: number | undefined;
  readonly residentBytes: number | undefined;
  readonly hugetlbBytes: number | undefined;
}

/** Made once: a look at many threads needs them hundreds of times. */
const STATUS = {
  allowed: /^Cpus_allowed_list:\s*(.*)$/m,
  involuntary: /^nonvoluntary_ctxt_switches:\s*(.*)$/m,
  voluntary: /^voluntary_ctxt_switches:\s*(.*)$/m,
  locked: /^VmLck:\s*(\d+) kB$/m,
  swap: /^VmSwap:\s*(\d+) kB$/m,
  resident: /^VmRSS:\s*(\d+) kB$/m,
  hugetlb: /^HugetlbPages:\s*(\d+) kB$/m,
} as const;

export function parseTaskStatus(text: string): TaskStatus | undefined {
  const allowed = STATUS.allowed.exec(text)?.[1];
  if (allowed === undefined) return undefined;
  const bytes = (pattern: RegExp) => {
    const kibibytes = pattern.exec(text)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  return {
    allowed: parseCpulist(allowed.trim()),
    involuntary: Number(STATUS.involuntary.exec(text)?.[1] ?? 0),
    voluntary: Number(STATUS.voluntary.exec(text)?.[1] ?? 0),
    lockedBytes: bytes(STATUS.locked),
    swapBytes: bytes(STATUS.swap),
    residentBytes: bytes(STATUS.resident),
    hugetlbBytes: bytes(STATUS.hugetlb),
  };
}

/** How often it changed its CPU; undefined: a kernel without CONFIG_SCHED_DEBUG does not say. */
export function parseMigrations(text: string): number | undefined {
  const count = /^se\.nr_migrations\s*:\s*(?<count>\d+)/m.exec(text)?.groups?.count;
  return count === undefined ? undefined : Number(count);
}

/**
 * Bytes by NUMA node that belong to the process itself: heap, stacks, hugepages, what it wrote to. Pages of files that it only reads are left
 * out: they are wherever who read them first was. numa(7), /proc/PID/numa_maps.
 */
export function parseNumaMaps(text: string): Map<number, number> {
  const bytes = new Map<number, number>();
  for (const line of text.split('\n')) {
    const words = line.split(' ');
    if (!words.some((word) => word.startsWith('anon=') || word === 'huge')) continue;
    const page = Number(/kernelpagesize_kB=(?<size>\d+)/.exec(line)?.groups?.size ?? 4) * 1024;
    // Of a mapping with both, how many of the pages are whose is not said.
    if (words.some((word) => word.startsWith('file=')) && !words.includes('huge')) continue;
    for (const word of words) {
      const match = /^N(?<node>\d+)=(?<pages>\d+)$/.exec(word)?.groups;
      if (match === undefined) continue;
      const node = Number(match.node);
      bytes.set(node, (bytes.get(node) ?? 0) + Number(match.pages) * page);
    }
  }
  return bytes;
}
