import type { VerifyResult } from '../engine/verify.ts';
import { judged } from './answer.ts';
import { type Budget, budgetOf, limitRows, systemErrorNs } from './budget.ts';
import type { PtpExpectation } from './expectation.ts';
import { judgeAnswers, judgeDelay, judgeOffset, judgePortState, judgeSteps, judgeSync } from './judge-following.ts';
import { judgeGrandmaster, judgeTimescale } from './judge-grandmaster.ts';
import { judgeChrony, judgeServo, judgeSteering } from './judge-steering.ts';
import { isLeapSeconds, type UtcOffset } from './leap-seconds.ts';
import type { PtpLook } from './look.ts';
import { formatNs } from './nanoseconds.ts';
import { isLive, type Track, trackOf } from './track.ts';

export interface JudgedClock {
  readonly track: Track;
  readonly budget: Budget;
  readonly results: readonly VerifyResult[];
}

export interface PtpJudgement {
  readonly clocks: readonly JudgedClock[];
  /** Those of the clocks, and of the host: who steers, chrony, the servo. */
  readonly results: readonly VerifyResult[];
}

/**
 * Judges what was seen of a host's time in at least two looks. Nothing passes that was not seen to move: offsets, gmPresent and the
 * state of a port stay as they were when a grandmaster dies.
 */
export function judgePtp(looks: readonly PtpLook[], expectation: PtpExpectation): PtpJudgement {
  const last = looks.at(-1);
  if (last === undefined || last.clocks.length === 0)
    return { clocks: [], results: [judgeNone(last), ...judgeHost(looks, expectation)] };
  const clocks = last.clocks.map(({ target }) => judgeClock(trackOf(target, looks), looks, expectation));
  return { clocks, results: [...clocks.flatMap(({ results }) => results), ...judgeHost(looks, expectation)] };
}

function judgeNone(last: PtpLook | undefined): VerifyResult {
  const unread = last?.daemons.find(({ name }) => name === 'ptp4l');
  const expected = 'running';
  if (unread === undefined)
    return judged('daemon@ptp4l', 'fail', {
      expected,
      actual: null,
      evidence: 'no ptp4l runs on this host: nothing follows a grandmaster',
    });
  return judged('daemon@ptp4l', 'unknown', {
    expected,
    actual: `\`${unread.command}\` (${unread.pid})`,
    evidence: 'its configuration cannot be read, so its socket is not known: name it with --socket and --domain',
  });
}

function judgeClock(track: Track, looks: readonly PtpLook[], expectation: PtpExpectation): JudgedClock {
  const budget = budgetOf(track.seen, expectation);
  const answers = judgeAnswers(track, looks, expectation);
  const utcOffset = looks.at(-1)?.utcOffset;
  if (track.seen.length === 0 || utcOffset === undefined) return { track, budget, results: [answers] };
  const known = [
    ...judgeGrandmaster(track, expectation),
    judgeTimescale(track, expectation, utcOffset),
    judgeSteps(track),
    judgeDelay(track),
    judgeOffset(track, expectation, utcOffset),
    judgeSystem(track, utcOffset),
    ...judgeLimits(track, { budget, expectation, looks }),
  ];
  const results = isLive(track.seen) ? known : known.map(asOld);
  return { track, budget, results: [answers, judgePortState(track, expectation), judgeSync(track), ...results] };
}

/** What a master that is gone has left behind proves nothing, however good it looks. */
function asOld(result: VerifyResult): VerifyResult {
  return result.status === 'pass'
    ? { ...result, status: 'unknown', evidence: `${result.evidence}; of before, no Sync comes` }
    : result;
}

function judgeHost(looks: readonly PtpLook[], expectation: PtpExpectation): readonly VerifyResult[] {
  return [...judgeSteering(looks, expectation), ...judgeServo(looks), ...judgeChrony(looks)];
}

/** Whether the PTP clock can be read; how far it is from the system clock is judged as part of the limits. */
function judgeSystem({ name, seen }: Track, utcOffset: UtcOffset): VerifyResult {
  const last = seen.at(-1);
  const id = `system@${name}`;
  const reading = last?.reading;
  if (reading === undefined)
    return judged(id, 'pass', {
      expected: null,
      actual: null,
      evidence: 'stamps in software: ptp4l steers the system clock itself',
    });
  if ('error' in reading)
    return judged(id, 'unknown', {
      expected: 'readable',
      actual: reading.error,
      evidence: `${reading.clock}: ${reading.error}${reading.error === 'EACCES' ? ', which takes root' : ''}`,
    });
  const errorNs = systemErrorNs(last as (typeof seen)[number]) as number;
  const said = {
    expected: 'near 0',
    actual: formatNs(errorNs),
    evidence: `${reading.clock}, ${reading.method}: system clock ${formatNs(errorNs)} off, read within ${formatNs(reading.delayNs)}`,
  };
  return judged(
    id,
    isLeapSeconds(errorNs, utcOffset) ? 'fail' : 'pass',
    isLeapSeconds(errorNs, utcOffset)
      ? { ...said, evidence: `${said.evidence}: TAI taken for UTC, or UTC for TAI` }
      : said,
  );
}

interface Limiting {
  readonly budget: Budget;
  readonly expectation: PtpExpectation;
  readonly looks: readonly PtpLook[];
}

function judgeLimits({ name }: Track, { budget, expectation, looks }: Limiting): readonly VerifyResult[] {
  const resolutionNs = looks.at(-1)?.system?.resolutionNs;
  return limitRows(budget, expectation).flatMap((row): VerifyResult[] => {
    const id = `limit@${name}/${row.name}`;
    const expected = `at most ${formatNs(row.limitNs)}`;
    if (row.name !== 'internal' && expectation.timescale === 'arbitrary') return [];
    if (row.valueNs === undefined)
      return [
        judged(id, 'unknown', { expected, actual: null, evidence: `${row.source}: ${whyUnknown(budget, row.name)}` }),
      ];
    const isCoarse = row.granularityNs !== undefined && resolutionNs !== undefined && resolutionNs > row.granularityNs;
    const granularity =
      row.granularityNs === undefined
        ? ''
        : `; granularity ${resolutionNs ?? 'not known'} ns of ${row.granularityNs} ns`;
    const evidence = `${row.source}: ${formatNs(row.valueNs)}, the sum of the parts${granularity}`;
    const isMet = row.valueNs <= row.limitNs && !isCoarse;
    const isOpen = isMet && row.granularityNs !== undefined && resolutionNs === undefined;
    return [
      judged(id, isOpen ? 'unknown' : isMet ? 'pass' : 'fail', { expected, actual: formatNs(row.valueNs), evidence }),
    ];
  });
}

function whyUnknown({ parts, hostNs }: Budget, row: string): string {
  const missing = parts.filter(({ ns, name }) => ns === undefined && (row !== 'internal' || name !== 'grandmaster'));
  if (missing.length > 0) return `not known: ${missing.map(({ what }) => what).join('; ')}`;
  return hostNs === undefined ? 'not known' : "the grandmaster's time is not tied to UTC";
}
