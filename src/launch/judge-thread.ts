import { printCpulist } from '../topology/cpulist.ts';
import { growthOf, type Judged, type Track } from './judged.ts';
import type { Look, TaskLook } from './look.ts';
import type { PlacedThread, Scheduling } from './placement.ts';
import { TICKS_PER_S } from './task-text.ts';
import { hasRunSince, sayWhoRan } from './who-ran.ts';

export interface JudgedThread {
  /** `market-data/md-rx`, with #2 for the second of a name. */
  readonly about: string;
  readonly process: string;
  readonly rule: PlacedThread;
  readonly cpus: readonly number[];
  readonly track: Track;
  /** When its process was started, ticks since boot. */
  readonly processStart: string;
  /** Its CPU is isolated by the running kernel. */
  readonly isIsolated: boolean;
  /** Of everything, for who else ran there. */
  readonly looks: readonly Look[];
}

/**
 * Above these a thread that was placed is disturbed. A busy thread on a nohz_full CPU was switched away from 2 times a second and on an ordinary
 * one 19 times (measured, Linux 6.1); memory that was touched before does not fault at all.
 */
const MOST_SWITCHES_PER_S = 10;
const MOST_FAULTS_PER_S = 100;

/** What one thread that the deployment names did while it was looked at. */
export function judgeThread(thread: JudgedThread): Judged[] {
  return [
    judgeCpus(thread),
    judgePolicy(thread),
    ...judgeMigrations(thread),
    ...judgeFaults(thread),
    ...judgeSwitches(thread),
  ];
}

/** What a thread may be and where it was, in every look. */
export function judgeCpus({ about, process, cpus, track, processStart }: JudgedThread): Judged {
  const expected = printCpulist(cpus);
  const base = { id: `processes.cpus@${about}`, domain: process, expected };
  const strayed = track.seen.find(
    ({ task }, index) =>
      !isAllowedOn(task, cpus) || (!cpus.includes(task.cpu) && hasRun(task, track.seen[index - 1]?.task)),
  );
  const last = track.seen.at(-1)?.task;
  if (strayed === undefined) {
    const isKnown = track.seen.some(({ task }) => task.status !== undefined);
    const evidence = `allowed on ${expected} and seen there in ${track.seen.length} looks`;
    return isKnown
      ? { ...base, status: 'pass', actual: expected, evidence }
      : { ...base, status: 'unknown', actual: null, evidence: `/proc/…/status of ${last?.tid} could not be read` };
  }
  const { task, atMs } = strayed;
  const allowed = printCpulist(task.status?.allowed ?? []);
  const since = (atMs - (track.seen[0]?.atMs ?? atMs)) / 1000;
  const when = since === 0 ? 'already at the first look' : `first seen after ${since.toFixed(1)} s`;
  return {
    ...base,
    status: 'fail',
    actual: allowed === expected ? `${task.cpu}` : allowed,
    evidence: `${nameTask(task, processStart)}: allowed on ${allowed}, ran on ${task.cpu}; ${when}`,
  };
}

/** Where a thread ran last is old news of one that sleeps since before it was placed. */
function hasRun(task: TaskLook, before: TaskLook | undefined): boolean {
  return before !== undefined && hasRunSince(task, before);
}

function isAllowedOn({ status }: TaskLook, cpus: readonly number[]): boolean {
  return status === undefined || printCpulist(status.allowed) === printCpulist(cpus);
}

export function judgePolicy({ about, process, rule, track, processStart }: JudgedThread): Judged {
  const expected = sayScheduled(rule.scheduling);
  const base = { id: `processes.policy@${about}`, domain: process, expected };
  const changed = track.seen.find(({ task }) => sayTask(task) !== expected);
  if (changed === undefined)
    return { ...base, status: 'pass', actual: expected, evidence: `so in ${track.seen.length} looks` };
  const actual = sayTask(changed.task);
  return {
    ...base,
    status: 'fail',
    actual,
    evidence: `${nameTask(changed.task, processStart)} is scheduled as ${actual}`,
  };
}

function sayScheduled({ policy, priority, nice }: Scheduling): string {
  if (policy === 'fifo' || policy === 'rr') return `${policy} ${priority}`;
  return policy === 'deadline' ? policy : `${policy} nice ${nice ?? 0}`;
}

function sayTask({ policy, priority, nice }: TaskLook): string {
  if (policy === 'fifo' || policy === 'rr') return `${policy} ${priority}`;
  return policy === 'other' || policy === 'batch' ? `${policy} nice ${nice}` : policy;
}

function judgeMigrations({ about, process, cpus, track }: JudgedThread): Judged[] {
  if (cpus.length !== 1) return [];
  const base = { id: `processes.migrations@${about}`, domain: process, expected: '0' };
  if (track.seen.some(({ task }) => task.migrations === undefined))
    return [
      {
        ...base,
        status: 'unsupported',
        actual: null,
        evidence: 'this kernel does not count them (CONFIG_SCHED_DEBUG)',
      },
    ];
  const { count, s } = growthOf(track, ({ migrations }) => migrations ?? 0);
  const evidence = `se.nr_migrations of ${track.tid} grew by ${count} in ${s.toFixed(1)} s`;
  return [{ ...base, status: count === 0 ? 'pass' : 'fail', actual: String(count), evidence }];
}

function judgeFaults({ about, process, track }: JudgedThread): Judged[] {
  const minor = growthOf(track, ({ minorFaults }) => minorFaults);
  const major = growthOf(track, ({ majorFaults }) => majorFaults);
  if (minor.s === 0) return [];
  const perS = minor.count / minor.s;
  const isQuiet = major.count === 0 && perS <= MOST_FAULTS_PER_S;
  return [
    {
      id: `processes.faults@${about}`,
      domain: process,
      status: isQuiet ? 'pass' : 'fail',
      expected: `at most ${MOST_FAULTS_PER_S}/s`,
      actual: `${Math.round(perS)}/s`,
      evidence: `thread ${track.tid}: ${minor.count} minor and ${major.count} major faults in ${minor.s.toFixed(1)} s`,
    },
  ];
}

/** Who shares a CPU is switched away from; who has an isolated one alone is not. */
function judgeSwitches({ about, process, rule, cpus, track, isIsolated, looks }: JudgedThread): Judged[] {
  if (!rule.isAlone || !isIsolated) return [];
  const { count, s } = growthOf(track, ({ status }) => status?.involuntary ?? 0);
  if (s === 0) return [];
  const perS = count / s;
  const isQuiet = perS <= MOST_SWITCHES_PER_S;
  const ran = isQuiet ? undefined : sayWhoRan(cpus[0] as number, looks);
  return [
    {
      id: `processes.switches@${about}`,
      domain: process,
      status: isQuiet ? 'pass' : 'fail',
      expected: `at most ${MOST_SWITCHES_PER_S}/s`,
      actual: `${perS.toFixed(1)}/s`,
      evidence: `thread ${track.tid} was switched away from ${count} times in ${s.toFixed(1)} s${ran === undefined ? '' : `; ${ran}`}`,
    },
  ];
}

/** A thread as its owner knows it: its name, its number, and when it came. */
export function nameTask({ name, tid, startTicks }: TaskLook, processStart: string): string {
  const s = (Number(startTicks) - Number(processStart)) / TICKS_PER_S;
  return `thread ${JSON.stringify(name)} (${tid}), started ${s.toFixed(1)} s after its process`;
}
