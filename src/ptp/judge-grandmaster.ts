import type { VerifyResult } from '../engine/verify.ts';
import { accuracyNs, describeClass } from './accuracy.ts';
import { judged } from './answer.ts';
import type { PtpExpectation } from './expectation.ts';
import type { UtcOffset } from './leap-seconds.ts';
import { formatNs } from './nanoseconds.ts';
import type { Track } from './track.ts';

/** Who is followed, and what it says of itself. */
export function judgeGrandmaster(
  track: Track,
  { grandmaster: wanted, timescale }: PtpExpectation,
): readonly VerifyResult[] {
  const { name, seen } = track;
  const identities = [...new Set(seen.map(({ clock }) => clock.grandmaster.identity))];
  const last = seen.at(-1)?.clock;
  if (last === undefined) return [];
  const { identity, isPresent } = last.grandmaster;
  const said = { expected: wanted ?? 'one, and steady', actual: identities.join(', then ') };
  const id = `grandmaster@${name}`;
  const isOther = wanted !== undefined && identities.some((each) => each !== wanted);
  const isRight = isPresent && identity !== last.identity && identities.length === 1 && !isOther;
  return [
    judged(id, isRight ? 'pass' : 'fail', { ...said, evidence: describeIdentity(track, isOther) }),
    judgeClass(track, timescale),
    // What it says of UTC is of no matter where its time is its own.
    ...(timescale === 'ptp' ? [judgeAccuracy(track)] : []),
  ];
}

function describeIdentity({ seen }: Track, isOther: boolean): string {
  const last = seen.at(-1)?.clock;
  if (last === undefined || last.grandmaster.identity === last.identity)
    return 'it is this clock itself: no grandmaster is followed';
  if (!last.grandmaster.isPresent) return 'gmPresent is false: none is followed';
  return isOther
    ? `${last.grandmaster.identity} is not the one that was named`
    : `${last.grandmaster.identity} is followed`;
}

/** The default class: it has no reference, which a time of its own does not need. */
const WITHOUT_REFERENCE = 248;

function judgeClass({ name, seen }: Track, timescale: PtpExpectation['timescale']): VerifyResult {
  const isOwn = timescale === 'arbitrary';
  const isRight = (each: number) => describeClass(each).isWithinSpecification || (isOwn && each === WITHOUT_REFERENCE);
  const classes = [...new Set(seen.map(({ clock }) => clock.grandmaster.class))];
  const worst = classes.find((each) => !isRight(each)) ?? (classes.at(-1) as number);
  const { meaning } = describeClass(worst);
  return judged(`clock-class@${name}`, isRight(worst) ? 'pass' : 'fail', {
    expected: `locked, or in holdover within its specification${isOwn ? ', or with no reference but itself' : ''}`,
    actual: classes.join(', then '),
    evidence: `clockClass ${worst}: ${meaning}`,
  });
}

function judgeAccuracy({ name, seen }: Track): VerifyResult {
  const accuracies = [...new Set(seen.map(({ clock }) => clock.grandmaster.accuracy))];
  const bounds = accuracies.map(accuracyNs);
  const hex = accuracies.map((each) => `0x${each.toString(16)}`).join(', then ');
  const said = { expected: 'known', actual: hex };
  if (bounds.includes(undefined))
    return judged(`clock-accuracy@${name}`, 'unknown', {
      ...said,
      evidence: `clockAccuracy ${hex}: the grandmaster does not know how right it is`,
    });
  return judged(`clock-accuracy@${name}`, 'pass', {
    ...said,
    evidence: `clockAccuracy ${hex}: within ${formatNs(Math.max(...(bounds as number[])))} of UTC`,
  });
}

/** What ties the grandmaster's time to UTC. */
export function judgeTimescale(
  { name, seen }: Track,
  { timescale }: PtpExpectation,
  utcOffset: UtcOffset,
): VerifyResult {
  const id = `timescale@${name}`;
  const time = seen.at(-1)?.clock.time;
  if (time === undefined)
    return judged(id, 'unknown', { expected: timescale, actual: null, evidence: 'nothing answered' });
  const actual = time.isPtpTimescale ? 'ptp' : 'arbitrary';
  const flags = `ptpTimescale ${Number(time.isPtpTimescale)}, currentUtcOffset ${time.utcOffsetS} (valid ${Number(time.isUtcOffsetValid)}), timeTraceable ${Number(time.isTraceable)}`;
  const changed =
    new Set(seen.map(({ clock }) => JSON.stringify(clock.time))).size > 1 ? ', changed while it was looked at' : '';
  const problem = findTimescaleProblem(time, timescale, utcOffset);
  const said = { expected: timescale, actual };
  if (problem !== undefined || changed !== '')
    return judged(id, 'fail', {
      ...said,
      evidence: `${flags}${changed}${problem === undefined ? '' : `: ${problem}`}`,
    });
  if (timescale === 'arbitrary') return judged(id, 'pass', { ...said, evidence: flags });
  const { offsetS, source } = utcOffset;
  const isSame = time.utcOffsetS === offsetS;
  const evidence = `${flags}; ${isSame ? 'so says' : `${offsetS} says`} ${source}${isSame ? '' : ', which a leap second since may have made old'}`;
  return judged(id, isSame ? 'pass' : 'unknown', { ...said, evidence });
}

function findTimescaleProblem(
  time: Track['seen'][number]['clock']['time'],
  timescale: PtpExpectation['timescale'],
  { offsetS, source, mostSince }: UtcOffset,
): string | undefined {
  if (timescale === 'arbitrary')
    return time.isPtpTimescale
      ? 'a grandmaster with a time of its own was expected, and this one counts TAI'
      : undefined;
  if (!time.isPtpTimescale) return 'nothing ties this time to UTC (--timescale arbitrary when that is meant)';
  if (!time.isUtcOffsetValid) return 'the grandmaster does not vouch for its UTC offset';
  if (Math.abs(time.utcOffsetS - offsetS) > mostSince) return `TAI is ${offsetS} s ahead of UTC, says ${source}`;
  return time.isTraceable ? undefined : 'the grandmaster does not call its time traceable to a primary reference';
}
