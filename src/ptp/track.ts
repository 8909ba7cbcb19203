import type { PtpClock, PtpPort } from './data-sets.ts';
import { type ClockLook, findPort, type PtpLook, type PtpTarget } from './look.ts';

/** One ptp4l in the looks that it answered, in the order of time. */
export interface Track {
  readonly target: PtpTarget;
  /** The interface of the following port; else the socket. What results are named by. */
  readonly name: string;
  readonly looks: number;
  readonly seen: readonly Seen[];
  /** Of the last look that it did not answer; undefined: it answered all. */
  readonly problem: string | undefined;
}

export interface Seen {
  readonly atMs: number;
  readonly clock: PtpClock;
  readonly port: PtpPort;
  readonly reading: ClockLook['reading'];
}

export function trackOf(target: PtpTarget, looks: readonly PtpLook[]): Track {
  const found = looks.map(({ atMs, clocks }) => ({
    atMs,
    look: clocks.find((each) => each.target.socket === target.socket),
  }));
  const seen = found.flatMap(({ atMs, look }): Seen[] => {
    if (look === undefined || 'problem' in look.clock) return [];
    const port = findPort(look.clock);
    return port === undefined ? [] : [{ atMs, clock: look.clock, port, reading: look.reading }];
  });
  const problems = found.flatMap(({ look }) =>
    look !== undefined && 'problem' in look.clock ? [look.clock.problem] : [],
  );
  return {
    target,
    name: seen.at(-1)?.port.interface ?? target.socket.slice(target.socket.lastIndexOf('/') + 1),
    looks: looks.length,
    seen,
    problem: problems.at(-1),
  };
}

/** How old the newest Sync can be before it counts as missing: a few are lost on any network, and looks are late on busy hosts. */
export const PATIENCE_MS = 3_000;
const INTERVALS = 5;
/** log2 of seconds: no profile sends Sync more rarely, and 127 stands for an interval that is not known. */
const SLOWEST_LOG_INTERVAL = 4;

export interface SyncProgress {
  /** ms that ingress_time has stood still at the last look; undefined: it has not moved at all. */
  readonly stillMs: number | undefined;
  /** ms that it may. */
  readonly patienceMs: number;
}

/** Whether Sync messages come: the one thing that tells a live grandmaster from the offsets that a dead one left behind. */
export function followSync(seen: readonly Seen[]): SyncProgress {
  const last = seen.at(-1);
  const interval = last === undefined ? 0 : 2 ** Math.min(last.port.logSyncInterval, SLOWEST_LOG_INTERVAL) * 1000;
  const patienceMs = Math.max(PATIENCE_MS, INTERVALS * interval);
  let movedAtMs: number | undefined;
  for (const [index, look] of seen.entries()) {
    const before = seen[index - 1];
    if (before === undefined || look.clock.ingressTimeNs === 0n) continue;
    if (look.clock.ingressTimeNs > before.clock.ingressTimeNs) movedAtMs = look.atMs;
  }
  const isGone = last === undefined || last.clock.ingressTimeNs === 0n;
  return { patienceMs, stillMs: movedAtMs === undefined || isGone ? undefined : last.atMs - movedAtMs };
}

/** Whether what is seen is of now. */
export function isLive(seen: readonly Seen[]): boolean {
  const { stillMs, patienceMs } = followSync(seen);
  return stillMs !== undefined && stillMs <= patienceMs;
}
