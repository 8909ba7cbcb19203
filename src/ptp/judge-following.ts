import type { VerifyResult } from '../engine/verify.ts';
import { judged } from './answer.ts';
import { findBySocket } from './daemons.ts';
import type { PtpExpectation } from './expectation.ts';
import { isLeapSeconds, type UtcOffset } from './leap-seconds.ts';
import type { PtpLook } from './look.ts';
import { formatNs } from './nanoseconds.ts';
import { followSync, type Track } from './track.ts';

/** Whether ptp4l answers. It runs and is silent: the domain or the socket is another one, or it hangs. */
export function judgeAnswers(track: Track, looks: readonly PtpLook[], { isPrivileged }: PtpExpectation): VerifyResult {
  const { target, seen, problem } = track;
  const id = `daemon@${target.socket}`;
  const expected = `answers in domain ${target.domain}`;
  const counted = `answered ${seen.length} of ${track.looks} times`;
  if (problem === undefined)
    return judged(id, 'pass', { expected, actual: counted, evidence: `${target.socket}: ${counted}` });
  const runs = findBySocket(looks.at(-1)?.daemons ?? [], target.socket);
  const said = { expected, actual: counted };
  if (!isPrivileged && seen.length === 0)
    return judged(id, 'unknown', {
      ...said,
      evidence: `${target.socket}: ${problem}. It takes root; linuxptp 4 also answers everybody on its uds_ro_address (--socket)`,
    });
  const now = looks.at(-1)?.clocks.find((each) => each.target.socket === target.socket)?.clock;
  if (runs === undefined && now !== undefined && 'problem' in now)
    return judged(id, 'fail', { ...said, evidence: `no ptp4l with ${target.socket} runs (any more): ${problem}` });
  if (seen.length > 0)
    return judged(id, 'unknown', { ...said, evidence: `${target.socket}: ${counted}, else ${problem}` });
  const domain = runs?.ptp4l?.domain;
  const hint = domain !== undefined && domain !== target.domain ? ` Its configuration says domain ${domain}.` : '';
  return judged(id, 'fail', {
    ...said,
    evidence: `${target.socket}: ${problem} in domain ${target.domain}, and ptp4l runs.${hint}`,
  });
}

export function judgePortState({ name, seen }: Track, { allowsFreeRunning }: PtpExpectation): VerifyResult {
  const states = [...new Set(seen.map(({ port }) => port.state))];
  const expected = allowsFreeRunning ? 'SLAVE or UNCALIBRATED' : 'SLAVE';
  const isFollowing = states.every((state) => state === 'SLAVE' || (allowsFreeRunning && state === 'UNCALIBRATED'));
  const actual = states.join(', then ');
  return judged(`port-state@${name}`, isFollowing ? 'pass' : 'fail', {
    expected,
    actual,
    evidence: `port ${seen.at(-1)?.port.number}: ${actual}${explainState(states.at(-1))}`,
  });
}

function explainState(state: string | undefined): string {
  if (state === 'LISTENING') return ': it hears no master in this domain';
  if (state === 'UNCALIBRATED') return ': its servo has not locked, or it only watches (free_running)';
  if (state === 'MASTER' || state === 'GRAND_MASTER') return ': it gives time and follows nobody';
  if (state === 'FAULTY') return ': see the log of ptp4l (a link that is down, stamps that do not come)';
  return '';
}

/** A dead grandmaster, or one whose Sync is lost, leaves all else as it was. */
export function judgeSync({ name, seen }: Track): VerifyResult {
  const { stillMs, patienceMs } = followSync(seen);
  const last = seen.at(-1);
  const said = { expected: `a Sync within ${patienceMs / 1000} s`, actual: null };
  const id = `sync@${name}`;
  if (seen.length < 2)
    return judged(id, 'unknown', { ...said, evidence: 'only one look was answered: nothing was seen to move' });
  if (last?.clock.ingressTimeNs === 0n)
    return judged(id, 'fail', {
      ...said,
      evidence: 'ingress_time is 0: no Sync has come, or the master is gone; its offset is no measurement',
    });
  const counted = describeCounters(seen);
  if (stillMs === undefined)
    return judged(id, 'fail', {
      ...said,
      evidence: `ingress_time stood still in all ${seen.length} looks: the offset is an old one${counted}`,
    });
  const evidence = `ingress_time last moved ${(stillMs / 1000).toFixed(1)} s before the last look${counted}`;
  return judged(id, stillMs > patienceMs ? 'fail' : 'pass', {
    ...said,
    actual: `${(stillMs / 1000).toFixed(1)} s ago`,
    evidence,
  });
}

function describeCounters(seen: Track['seen']): string {
  const [first, last] = [seen[0]?.port.received, seen.at(-1)?.port.received];
  if (first === undefined || last === undefined) return '';
  return `; ${last.sync - first.sync} Sync and ${last.announce - first.announce} Announce received meanwhile`;
}

export function judgeSteps({ name, seen }: Track): VerifyResult {
  const steps = [...new Set(seen.map(({ clock }) => clock.stepsRemoved))];
  const actual = steps.join(', then ');
  const isRight = steps.length === 1 && (steps[0] ?? 0) >= 1;
  const evidence = steps.includes(0)
    ? 'no step from the grandmaster: this clock follows nobody'
    : `${actual} step(s) from the grandmaster`;
  return judged(`steps-removed@${name}`, isRight ? 'pass' : 'fail', {
    expected: 'at least 1, and steady',
    actual,
    evidence,
  });
}

/** Light goes 20000 km in this time: no path in a data centre is as long. */
const LONGEST_PATH_NS = 100_000_000;

export function judgeDelay({ name, seen }: Track): VerifyResult {
  const delays = seen.map(({ clock }) => clock.pathDelayNs);
  const [least, most] = [Math.min(...delays), Math.max(...delays)];
  const isRight = least > 0 && most <= LONGEST_PATH_NS;
  const evidence =
    least <= 0
      ? `${formatNs(least)}: not measured yet, or stamps are wrong`
      : `${formatNs(least)} to ${formatNs(most)}`;
  const expected = `above 0, at most ${formatNs(LONGEST_PATH_NS)}`;
  return judged(`path-delay@${name}`, isRight ? 'pass' : 'fail', { expected, actual: formatNs(most), evidence });
}

/** The offset itself. A clock that never was set shows 0; one whose grandmaster has the wrong flags shows the leap seconds. */
export function judgeOffset({ name, seen }: Track, { limitNs }: PtpExpectation, utcOffset: UtcOffset): VerifyResult {
  const offsets = seen.map(({ clock }) => clock.offsetNs);
  const worst = offsets.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0);
  const said = { expected: `within ${formatNs(limitNs)}`, actual: formatNs(worst) };
  const id = `offset@${name}`;
  const isMeasured = seen.some(({ clock }) => clock.ingressTimeNs !== 0n);
  if (!isMeasured || (worst === 0 && seen.every(({ clock }) => clock.pathDelayNs === 0)))
    return judged(id, 'fail', {
      ...said,
      evidence: `${formatNs(worst)} without a Sync or a path delay: not a measurement`,
    });
  const evidence = `largest of ${offsets.length} looks ${formatNs(worst)}${isLeapSeconds(worst, utcOffset) ? ': TAI taken for UTC, or UTC for TAI (see the flags)' : ''}`;
  return judged(id, Math.abs(worst) <= limitNs ? 'pass' : 'fail', { ...said, evidence });
}
