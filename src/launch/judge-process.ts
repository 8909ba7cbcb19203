import { printCpulist } from '../topology/cpulist.ts';
import { judgeCpus, judgePolicy, judgeThread } from './judge-thread.ts';
import { type Judged, trackOf, type Watched } from './judged.ts';
import { matchThreads } from './match-threads.ts';

/** Everything of one process: its threads, and its memory. */
export function judgeProcess(watched: Watched, isolated: readonly number[]): Judged[] {
  const { placed, looks, pid } = watched;
  const last = looks.at(-1)?.process;
  const running = { id: `processes.running@${placed.name}`, domain: placed.name, expected: 'running' };
  if (last === undefined || last.threads.length === 0)
    return [
      { ...running, status: 'fail', actual: 'ended', evidence: `the process ${pid} ended while it was looked at` },
    ];
  return [
    { ...running, status: 'pass', actual: 'running', evidence: `process ${pid} with ${last.threads.length} threads` },
    ...judgeThreads(watched, isolated),
    ...judgeMemory(watched),
  ];
}

function judgeThreads({ placed, looks }: Watched, isolated: readonly number[]): Judged[] {
  const threads = looks.at(-1)?.process.threads ?? [];
  const processStart = threads[0]?.startTicks ?? '0';
  const { matched, missing } = matchThreads(placed.threads, threads);
  const counts = new Map<string, number>();
  const judged = matched.flatMap(({ rule, task, cpus }): Judged[] => {
    const nth = (counts.get(rule.name) ?? 0) + 1;
    counts.set(rule.name, nth);
    const about = `${placed.name}/${rule.name}${nth === 1 ? '' : `#${nth}`}`;
    const track = trackOf(task.tid, looks);
    const isIsolated = cpus.every((cpu) => isolated.includes(cpu));
    const thread = { about, process: placed.name, rule, cpus, track, processStart, isIsolated };
    return rule.key.kind === 'rest' ? [judgeCpus(thread), judgePolicy(thread)] : judgeThread(thread);
  });
  const named = missing.map(
    ({ rule, found }): Judged => ({
      id: `processes.thread@${placed.name}/${rule.name}`,
      domain: placed.name,
      status: 'fail',
      expected: `${rule.cpus.length} on ${rule.cpus.map((set) => printCpulist(set)).join(', ')}`,
      actual: `${found}`,
      evidence: `there are: ${threads.map(({ name }) => name).join(', ')}`,
    }),
  );
  return [...named, ...joinRest(judged, placed.name)];
}

/** All other threads are one answer, unless one of them differs: that one is named. */
function joinRest(judged: readonly Judged[], process: string): Judged[] {
  const isRest = ({ id }: Judged) => id.includes(`@${process}/*`);
  const kept = judged.filter((each) => !isRest(each) || each.status !== 'pass');
  const passed = judged.filter((each) => isRest(each) && each.status === 'pass');
  const kinds = [...new Set(passed.map(({ id }) => id.slice(0, id.indexOf('@'))))];
  const whole = kinds.filter((kind) => !kept.some((each) => isRest(each) && each.id.startsWith(`${kind}@`)));
  return [
    ...kept,
    ...whole.map((kind): Judged => {
      const same = passed.filter(({ id }) => id.startsWith(`${kind}@`));
      const first = same[0] as Judged;
      return { ...first, id: `${kind}@${process}/*`, evidence: `${same.length} other threads: ${first.evidence}` };
    }),
  ];
}

function judgeMemory({ placed, looks, locks, hugepages, pid }: Watched): Judged[] {
  const last = looks.at(-1)?.process;
  const status = last?.threads[0]?.status;
  const about = { domain: placed.name };
  const kib = (bytes: number | undefined) => (bytes === undefined ? null : `${bytes / 1024} KiB`);
  const locked: Judged = {
    ...about,
    id: `processes.locked@${placed.name}`,
    status: status?.lockedBytes === undefined ? 'unknown' : status.lockedBytes > 0 ? 'pass' : 'fail',
    expected: 'locked memory',
    actual: kib(status?.lockedBytes),
    evidence: `VmLck in /proc/${pid}/status; the process locks it itself (mlockall)`,
  };
  const swapped: Judged = {
    ...about,
    id: `processes.swap@${placed.name}`,
    status: status?.swapBytes === undefined ? 'unknown' : status.swapBytes === 0 ? 'pass' : 'fail',
    expected: '0 KiB',
    actual: kib(status?.swapBytes),
    evidence: `VmSwap in /proc/${pid}/status`,
  };
  const huge = judgeHugepages(placed.name, hugepages, status?.hugetlbBytes);
  return [...(locks ? [locked] : []), swapped, ...huge, ...judgeNodes(placed, last?.nodes, pid)];
}

/** Pages of all sizes together: the kernel does not tell them apart here. */
function judgeHugepages(process: string, wanted: Watched['hugepages'], bytes: number | undefined): Judged[] {
  const sizes = Object.entries(wanted);
  if (sizes.length === 0) return [];
  const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
  const expected = sizes.reduce(
    (sum, [size, count]) => sum + Number.parseInt(size, 10) * (units[size.at(-1) ?? ''] ?? 1) * count,
    0,
  );
  return [
    {
      id: `processes.hugepages@${process}`,
      domain: process,
      status: bytes === undefined ? 'unknown' : bytes >= expected ? 'pass' : 'fail',
      expected: `${expected / 1024} KiB`,
      actual: bytes === undefined ? null : `${bytes / 1024} KiB`,
      evidence: 'HugetlbPages in /proc/PID/status: what the process has taken so far',
    },
  ];
}

function judgeNodes(
  { name, memory }: Watched['placed'],
  nodes: ReadonlyMap<number, number> | undefined,
  pid: number,
): Judged[] {
  if (memory.policy !== 'bind') return [];
  const expected = printCpulist(memory.nodes);
  const base = { id: `processes.nodes@${name}`, domain: name, expected };
  if (nodes === undefined)
    return [
      {
        ...base,
        status: 'unknown',
        actual: null,
        evidence: `/proc/${pid}/numa_maps could not be read: root, and a kernel with NUMA`,
      },
    ];
  const used = [...nodes].filter(([, bytes]) => bytes > 0).sort(([left], [right]) => left - right);
  const isThere = used.every(([node]) => memory.nodes.includes(node));
  const evidence = used.map(([node, bytes]) => `node ${node}: ${Math.round(bytes / 1024)} KiB`).join(', ');
  return [{ ...base, status: isThere ? 'pass' : 'fail', actual: printCpulist(used.map(([node]) => node)), evidence }];
}
