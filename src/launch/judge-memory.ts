import { printCpulist } from '../topology/cpulist.ts';
import type { Judged, Watched } from './judged.ts';
import type { TaskStatus } from './task-text.ts';

/** Where the memory of a process is and whether it stays there, in every look. */
export function judgeMemory(watched: Watched): Judged[] {
  const { lock, hugepages } = watched.placed.memory;
  const locked = lock ? [judgeLocked(watched)] : [];
  return [...locked, judgeSwap(watched), ...judgeHugepages(watched, hugepages), ...judgeNodes(watched)];
}

interface Amount {
  readonly atMs: number;
  readonly bytes: number;
}

/** What the process had in each look that saw it. */
function amountsOf({ looks }: Watched, of: (status: TaskStatus) => number | undefined): Amount[] {
  return looks.flatMap(({ atMs, process }) => {
    const status = process.threads[0]?.status;
    const bytes = status === undefined ? undefined : of(status);
    return bytes === undefined ? [] : [{ atMs, bytes }];
  });
}

function judgeLocked(watched: Watched): Judged {
  const amounts = amountsOf(watched, ({ lockedBytes }) => lockedBytes);
  const open = amounts.find(({ bytes }) => bytes === 0);
  const base = {
    id: `processes.locked@${watched.placed.name}`,
    domain: watched.placed.name,
    expected: 'locked memory',
  };
  const last = open ?? amounts.at(-1);
  if (last === undefined) return { ...base, status: 'unknown', actual: null, evidence: sayUnread('VmLck', watched) };
  const status = open === undefined ? 'pass' : 'fail';
  const evidence = `VmLck in /proc/${watched.pid}/status${sayWhen(open, watched)}; the process locks it itself (mlockall)`;
  return { ...base, status, actual: sayKib(last.bytes), evidence };
}

function judgeSwap(watched: Watched): Judged {
  const amounts = amountsOf(watched, ({ swapBytes }) => swapBytes);
  const swapped = amounts.find(({ bytes }) => bytes > 0);
  const base = { id: `processes.swap@${watched.placed.name}`, domain: watched.placed.name, expected: sayKib(0) };
  if (amounts.length === 0) return { ...base, status: 'unknown', actual: null, evidence: sayUnread('VmSwap', watched) };
  const most = Math.max(...amounts.map(({ bytes }) => bytes));
  const evidence = `VmSwap in /proc/${watched.pid}/status${sayWhen(swapped, watched)}`;
  return { ...base, status: swapped === undefined ? 'pass' : 'fail', actual: sayKib(most), evidence };
}

function sayWhen(found: Amount | undefined, { looks }: Watched): string {
  if (found === undefined) return '';
  const s = (found.atMs - (looks[0]?.atMs ?? 0)) / 1000;
  return s === 0 ? ', so at the first look' : `, first seen after ${s.toFixed(1)} s`;
}

function sayUnread(what: string, { pid }: Watched): string {
  return `${what} in /proc/${pid}/status could not be read`;
}

function sayKib(bytes: number): string {
  return `${bytes / 1024} KiB`;
}

const UNIT_BYTES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Pages of all sizes together: the kernel does not tell them apart here. */
function judgeHugepages(watched: Watched, wanted: Readonly<Record<string, number>>): Judged[] {
  const sizes = Object.entries(wanted);
  if (sizes.length === 0) return [];
  const { name } = watched.placed;
  const bytes = amountsOf(watched, ({ hugetlbBytes }) => hugetlbBytes).at(-1)?.bytes;
  const expected = sizes.reduce(
    (sum, [size, count]) => sum + Number.parseInt(size, 10) * (UNIT_BYTES[size.at(-1) ?? ''] ?? 1) * count,
    0,
  );
  return [
    {
      id: `processes.hugepages@${name}`,
      domain: name,
      status: bytes === undefined ? 'unknown' : bytes >= expected ? 'pass' : 'fail',
      expected: sayKib(expected),
      actual: bytes === undefined ? null : sayKib(bytes),
      evidence: 'HugetlbPages in /proc/PID/status: what the process has taken so far',
    },
  ];
}

/** Pages that went astray in any look at them; else what the last look found. */
function judgeNodes({ placed, looks, pid }: Watched): Judged[] {
  const { name, memory } = placed;
  if (memory.policy !== 'bind') return [];
  const expected = printCpulist(memory.nodes);
  const base = { id: `processes.nodes@${name}`, domain: name, expected };
  const seen = looks.flatMap(({ process }) => (process.nodes === undefined ? [] : [usedNodes(process.nodes)]));
  const isThere = (used: readonly (readonly [number, number])[]) => used.every(([node]) => memory.nodes.includes(node));
  const astray = seen.find((used) => !isThere(used));
  const used = astray ?? seen.at(-1);
  if (used === undefined) {
    const evidence = `/proc/${pid}/numa_maps could not be read: root, and a kernel with NUMA`;
    return [{ ...base, status: 'unknown', actual: null, evidence }];
  }
  const evidence = used.map(([node, bytes]) => `node ${node}: ${Math.round(bytes / 1024)} KiB`).join(', ');
  const actual = printCpulist(used.map(([node]) => node));
  return [{ ...base, status: astray === undefined ? 'pass' : 'fail', actual, evidence }];
}

function usedNodes(nodes: ReadonlyMap<number, number>): (readonly [number, number])[] {
  return [...nodes].filter(([, bytes]) => bytes > 0).sort(([left], [right]) => left - right);
}
