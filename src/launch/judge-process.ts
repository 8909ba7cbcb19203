import { printCpulist } from '../topology/cpulist.ts';
import type { Seen } from './judge.ts';
import { judgeBypass } from './judge-bypass.ts';
import { judgeMemory } from './judge-memory.ts';
import { judgeCpus, judgePolicy, judgeThread, nameTask } from './judge-thread.ts';
import { type Judged, trackOf, type Watched } from './judged.ts';
import type { TaskLook } from './look.ts';
import { matchThreads } from './match-threads.ts';

/** Everything of one process: its threads, and its memory. */
export function judgeProcess(watched: Watched, seen: Pick<Seen, 'looks' | 'cpus'>): Judged[] {
  const { placed, looks, pid } = watched;
  const last = looks.at(-1)?.process;
  const running = { id: `processes.running@${placed.name}`, domain: placed.name, expected: 'running' };
  if (last === undefined || last.threads.length === 0)
    return [
      { ...running, status: 'fail', actual: 'ended', evidence: `the process ${pid} ended while it was looked at` },
    ];
  const isNew = looks[0]?.process.threads.length === 0;
  const evidence = isNew
    ? `process ${pid} was started while it was looked at`
    : `process ${pid} with ${last.threads.length} threads`;
  return [
    { ...running, status: isNew ? 'fail' : 'pass', actual: isNew ? 'started again' : 'running', evidence },
    ...judgeThreads(watched, seen),
    ...judgeNewThreads(watched),
    ...judgeMemory(watched),
    ...judgeBypass(watched),
  ];
}

function judgeThreads({ placed, looks }: Watched, seen: Pick<Seen, 'looks' | 'cpus'>): Judged[] {
  const threads = looks.at(-1)?.process.threads ?? [];
  const processStart = threads[0]?.startTicks ?? '0';
  const { matched, missing } = matchThreads(placed.threads, threads);
  const counts = new Map<string, number>();
  const judged = matched.flatMap(({ rule, task, cpus }): Judged[] => {
    const nth = (counts.get(rule.name) ?? 0) + 1;
    counts.set(rule.name, nth);
    const about = `${placed.name}/${rule.name}${nth === 1 ? '' : `#${nth}`}`;
    const track = trackOf(task.tid, looks);
    const isIsolated = cpus.every((cpu) => seen.cpus.isolated.includes(cpu));
    const thread = { about, process: placed.name, rule, cpus, track, processStart, isIsolated, looks: seen.looks };
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

/**
 * Threads that came while it was looked at. A process whose threads are named has started all of them; what comes later has the CPUs of
 * the thread that started it. Of others nothing is promised.
 */
function judgeNewThreads({ placed, looks }: Watched): Judged[] {
  if (placed.threads.every(({ key }) => key.kind === 'rest')) return [];
  const first = looks.findIndex(({ process }) => process.threads.length > 0);
  const known = new Set(looks[first]?.process.threads.map(({ tid }) => tid));
  const came = new Map<number, TaskLook>();
  for (const { process } of looks.slice(first))
    for (const task of process.threads) if (!known.has(task.tid)) came.set(task.tid, task);
  const base = { id: `processes.threads@${placed.name}`, domain: placed.name, expected: 'no new one' };
  if (came.size === 0)
    return [
      { ...base, status: 'pass', actual: 'no new one', evidence: `${known.size} threads in ${looks.length} looks` },
    ];
  const processStart = looks[first]?.process.threads[0]?.startTicks ?? '0';
  const tasks = [...came.values()];
  const said = tasks.slice(0, MOST_NAMED).map((task) => {
    return `${nameTask(task, processStart)}, allowed on ${printCpulist(task.status?.allowed ?? [])}`;
  });
  const more = tasks.length > MOST_NAMED ? [`and ${tasks.length - MOST_NAMED} more`] : [];
  const names = tasks.slice(0, MOST_NAMED).map(({ name }) => name);
  return [{ ...base, status: 'fail', actual: [...names, ...more].join(', '), evidence: [...said, ...more].join('; ') }];
}

/** The first ones tell what is going on. */
const MOST_NAMED = 5;
