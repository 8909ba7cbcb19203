import type { OrderedProcess } from './order.ts';

/**
 * down: nothing of it runs, and nobody wants it to. waiting: for others. starting: between the decision and the process.
 * placing: it runs and its threads do not yet. backoff: until the next start. ended: on its own, and stays so. broken: it failed too often.
 */
export type Phase =
  | 'down'
  | 'waiting'
  | 'starting'
  | 'placing'
  | 'running'
  | 'stopping'
  | 'backoff'
  | 'ended'
  | 'broken';

/** What is known of one process. All of it is on disk, so that the next supervisor goes on where this one was killed. */
export interface ProcessRecord {
  readonly name: string;
  readonly phase: Phase;
  /** One sentence: what it waits for, why it ended. */
  readonly why: string | undefined;
  /** In the environment of the process (HFT_LAUNCH), by which it is found when only the decision to start it was written. */
  readonly token: string | undefined;
  readonly pid: number | undefined;
  /** Of proc_pid_stat(5): with the pid no other process. */
  readonly startTicks: string | undefined;
  /** ms of the monotonic clock: when this phase began. */
  readonly sinceMs: number;
  /** ms of the monotonic clock: the starts that the breaker counts. */
  readonly startsMs: readonly number[];
  /** Starts after the first since it was asked for; -1: none yet. */
  readonly restarts: number;
  /** How it ended last. */
  readonly lastEnd: string | undefined;
  readonly asked: number;
  /** While stopping: what was sent. */
  readonly sent: 'signal' | 'SIGKILL' | undefined;
  /** While stopping: it is started again afterwards. */
  readonly startsAgain: boolean;
  readonly failedChecks: number;
  /** ms of the monotonic clock: when it last said that it lives, or was given time to. */
  readonly beatMs: number;
  readonly isReady: boolean;
}

/** What is seen of it now. */
export interface ProcessFacts {
  readonly nowMs: number;
  readonly alive: boolean;
  /** How it ended, where that is known: it is not of a process that an earlier supervisor started. */
  readonly end: ProcessEnd | undefined;
  /** What it waits for, one phrase; undefined: nothing. */
  readonly waitsFor: string | undefined;
  /** Processes that need this one and still run: they stop first. */
  readonly isNeeded: boolean;
  /** What place-threads said: undefined until it has ended. */
  readonly placed: { readonly failed: string | undefined } | undefined;
}

export interface ProcessEnd {
  readonly exitCode: number;
}

export type Action =
  | { readonly kind: 'start' }
  | { readonly kind: 'signal'; readonly name: string }
  /** What it left behind in its session. */
  | { readonly kind: 'clear' };

export interface Decision {
  readonly record: ProcessRecord;
  readonly action?: Action;
}

export function newRecord(name: string): ProcessRecord {
  return {
    name,
    phase: 'down',
    why: undefined,
    token: undefined,
    pid: undefined,
    startTicks: undefined,
    sinceMs: 0,
    startsMs: [],
    restarts: -1,
    lastEnd: undefined,
    asked: 0,
    sent: undefined,
    startsAgain: false,
    failedChecks: 0,
    beatMs: 0,
    isReady: false,
  };
}

/** What is to be done next with one process. Pure; the same semantics as the services of systemd (docs/decisions/0016). */
export function supervise(process: OrderedProcess, record: ProcessRecord, facts: ProcessFacts): Decision {
  switch (record.phase) {
    case 'down':
    case 'ended':
    case 'broken':
    case 'waiting':
    case 'backoff':
      return rest(process, record, facts);
    case 'starting':
      return facts.alive ? { record: enter(record, 'placing', facts) } : afterEnd(process, record, facts);
    case 'placing':
    case 'running':
      return live(process, record, facts);
    case 'stopping':
      return stop(process, record, facts);
  }
}

function rest(process: OrderedProcess, record: ProcessRecord, facts: ProcessFacts): Decision {
  if (process.goal === 'down') return { record: record.phase === 'down' ? record : enter(record, 'down', facts) };
  const isNew = process.asked !== record.asked;
  if (isNew) return begin({ ...record, asked: process.asked, startsMs: [], restarts: -1, lastEnd: undefined }, facts);
  if (record.phase === 'ended' || record.phase === 'broken') return { record };
  if (record.phase === 'backoff' && facts.nowMs - record.sinceMs < process.wanted.restart.delay / US_PER_MS)
    return { record };
  return begin(record, facts);
}

const US_PER_MS = 1000;

function begin(record: ProcessRecord, facts: ProcessFacts): Decision {
  const { waitsFor, nowMs } = facts;
  if (waitsFor !== undefined) {
    if (record.phase === 'waiting' && record.why === waitsFor) return { record };
    return { record: { ...enter(record, 'waiting', facts), why: waitsFor } };
  }
  const started = enter(record, 'starting', facts);
  return {
    record: {
      ...started,
      restarts: record.restarts + 1,
      startsMs: [...record.startsMs, nowMs],
      pid: undefined,
      startTicks: undefined,
      beatMs: nowMs,
      isReady: false,
    },
    action: { kind: 'start' },
  };
}

function live(process: OrderedProcess, record: ProcessRecord, facts: ProcessFacts): Decision {
  const { nowMs } = facts;
  const { health, ready, readyWithin } = process.wanted;
  if (!facts.alive) return afterEnd(process, record, facts);
  if (process.goal === 'down') return beginStop(process, record, { facts, why: undefined, name: undefined });
  if (record.phase === 'placing') {
    if (facts.placed?.failed !== undefined) return fail(process, record, { facts, why: facts.placed.failed });
    const isReady = ready === 'exec' || record.isReady;
    if (facts.placed !== undefined && isReady) return { record: { ...enter(record, 'running', facts), beatMs: nowMs } };
    if (nowMs - record.sinceMs > (readyWithin + GRACE_S) * MS_PER_S)
      return fail(process, record, { facts, why: `it was not ready within ${readyWithin} s` });
    return { record };
  }
  if (health?.watchdog !== undefined && nowMs - record.beatMs > health.watchdog / US_PER_MS)
    return fail(process, record, {
      facts,
      why: `it did not say that it lives for ${Math.round(nowMs - record.beatMs)} ms`,
      name: 'SIGABRT',
    });
  if (health?.command !== undefined && record.failedChecks >= health.failures)
    return fail(process, record, { facts, why: `${record.failedChecks} health checks in a row failed` });
  return { record };
}

const MS_PER_S = 1000;
/** place-threads gives up by itself, and says which thread is missing. */
const GRACE_S = 5;

interface Stopping {
  readonly facts: ProcessFacts;
  readonly why: string | undefined;
  readonly name?: string | undefined;
}

/** It is ended and counts as failed. */
function fail(process: OrderedProcess, record: ProcessRecord, { facts, why, name }: Stopping): Decision {
  const decision = signalNow(process, record, { facts, why, name });
  return { ...decision, record: { ...decision.record, startsAgain: true } };
}

function beginStop(process: OrderedProcess, record: ProcessRecord, { facts, why, name }: Stopping): Decision {
  if (facts.isNeeded) return { record };
  return signalNow(process, record, { facts, why, name });
}

function signalNow(process: OrderedProcess, record: ProcessRecord, { facts, why, name }: Stopping): Decision {
  return {
    record: { ...enter(record, 'stopping', facts), why, sent: 'signal', startsAgain: false },
    action: { kind: 'signal', name: name ?? process.wanted.stop.signal },
  };
}

function stop(process: OrderedProcess, record: ProcessRecord, facts: ProcessFacts): Decision {
  if (!facts.alive) {
    const failed = record.startsAgain && process.goal === 'up';
    if (failed) return restartOrBreak(process, { ...record, lastEnd: record.why }, { facts, isFailure: true });
    return { record: { ...gone(record, facts, 'down'), lastEnd: sayEnd(facts.end) }, action: { kind: 'clear' } };
  }
  const isLate = facts.nowMs - record.sinceMs > process.wanted.stop.within * MS_PER_S;
  if (!isLate || record.sent === 'SIGKILL') return { record };
  return { record: { ...record, sent: 'SIGKILL' }, action: { kind: 'signal', name: 'SIGKILL' } };
}

/** It ended by itself, or somebody else ended it. */
function afterEnd(process: OrderedProcess, record: ProcessRecord, facts: ProcessFacts): Decision {
  const isFailure = facts.end === undefined || !CLEAN.has(facts.end.exitCode);
  return restartOrBreak(process, { ...record, lastEnd: sayEnd(facts.end) }, { facts, isFailure });
}

/** systemd.service(5), "clean exit codes": 0, and SIGHUP, SIGINT, SIGTERM, SIGPIPE. */
const CLEAN: ReadonlySet<number> = new Set([0, 129, 130, 143, 141]);

interface Ended {
  readonly facts: ProcessFacts;
  readonly isFailure: boolean;
}

function restartOrBreak(process: OrderedProcess, record: ProcessRecord, { facts, isFailure }: Ended): Decision {
  const { when, breaker } = process.wanted.restart;
  const action: Action = { kind: 'clear' };
  if (process.goal === 'down') return { record: gone(record, facts, 'down'), action };
  if (when === 'never' || (when === 'on-failure' && !isFailure))
    return { record: { ...gone(record, facts, 'ended'), why: record.lastEnd }, action };
  const recent = record.startsMs.filter((ms) => facts.nowMs - ms < breaker.within * MS_PER_S);
  // The first start counts too, as for systemd's StartLimitBurst=.
  if (recent.length > breaker.restarts) {
    const why = `${record.lastEnd}; started ${recent.length} times within ${breaker.within} s, and stays down`;
    return { record: { ...gone(record, facts, 'broken'), why, startsMs: recent }, action };
  }
  return { record: { ...gone(record, facts, 'backoff'), why: record.lastEnd, startsMs: recent }, action };
}

/** The pid stays until the next start: it names the session in which something may be left. */
function gone(record: ProcessRecord, facts: ProcessFacts, phase: Phase): ProcessRecord {
  return { ...enter(record, phase, facts), sent: undefined, startsAgain: false, token: undefined };
}

function enter(record: ProcessRecord, phase: Phase, { nowMs }: ProcessFacts): ProcessRecord {
  return { ...record, phase, why: undefined, sinceMs: nowMs, failedChecks: 0 };
}

/** What `hft-probe start` and systemd end with before the program runs. systemd.exec(5). */
const CODES: Readonly<Record<number, string>> = {
  200: 'its working directory cannot be entered',
  201: 'its nice value is not allowed',
  203: 'the program could not be run',
  205: 'its limits are not allowed: the hard limit is lower, and raising it needs CAP_SYS_RESOURCE',
  206: 'its oomScoreAdjust is not allowed',
  209: 'its log cannot be written',
  214: 'its scheduling policy is not allowed',
  215: 'its CPUs are not there',
  216: 'its group cannot be taken',
  217: 'its user cannot be taken',
  219: 'the cpuset partition of its CPUs is not in effect (see its log)',
  242: 'its NUMA nodes are not there',
  243: 'its variables cannot be read',
};

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

export function sayEnd(end: ProcessEnd | undefined): string {
  if (end === undefined) return 'it ended, how is not known';
  const { exitCode } = end;
  const known = CODES[exitCode];
  if (known !== undefined) return `it ended with ${exitCode}: ${known}`;
  if (exitCode <= 128) return `it ended with ${exitCode}`;
  return `it was ended by ${SIGNALS[exitCode - 128] ?? `signal ${exitCode - 128}`}`;
}
