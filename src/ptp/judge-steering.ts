import type { VerifyResult } from '../engine/verify.ts';
import { judged } from './answer.ts';
import { SYSTEM_CLOCK } from './daemon-line.ts';
import type { ClockDaemon } from './daemons.ts';
import type { PtpExpectation } from './expectation.ts';
import type { PtpLook } from './look.ts';

/** Each clock is steered by exactly one: two pull it to and fro, and each says that all is well. */
export function judgeSteering(
  looks: readonly PtpLook[],
  { allowsFreeRunning }: PtpExpectation,
): readonly VerifyResult[] {
  const daemons = looks.at(-1)?.daemons ?? [];
  const unread = daemons.filter(({ steers }) => steers === undefined);
  const clocks = [...new Set([SYSTEM_CLOCK, ...daemons.flatMap(({ steers }) => steers ?? [])])];
  return clocks.map((clock) => {
    const found = daemons.filter(({ steers }) => steers?.includes(clock));
    const said = { expected: 'exactly one daemon', actual: found.map(nameOf).join(', ') || null };
    const id = `steering@${clock}`;
    if (found.length <= 1 && unread.length > 0) {
      const names = unread.map(nameOf).join(', ');
      return judged(id, 'unknown', { ...said, evidence: `the configuration of ${names} cannot be read` });
    }
    if (found.length === 1)
      return judged(id, 'pass', { ...said, evidence: `${nameOf(found[0] as ClockDaemon)} alone` });
    if (found.length > 1)
      return judged(id, 'fail', {
        ...said,
        evidence: `${found.length} daemons steer it: ${found.map(describe).join('; ')}`,
      });
    const evidence = 'no daemon steers it: it drifts';
    return judged(id, allowsFreeRunning ? 'pass' : 'fail', { ...said, evidence });
  });
}

function nameOf({ name, pid }: ClockDaemon): string {
  return `${name} (${pid})`;
}

function describe({ command, pid, unit }: ClockDaemon): string {
  return `\`${command}\` (${pid}${unit === undefined ? '' : `, ${unit}`})`;
}

/** phc2sys says in its log whether its servo has locked; without a journal nothing is said. */
export function judgeServo(looks: readonly PtpLook[]): readonly VerifyResult[] {
  const phc2sys = looks.at(-1)?.phc2sys;
  if (phc2sys === undefined) return [];
  if (phc2sys === 'silent')
    return [
      judged('servo@phc2sys', 'unknown', {
        expected: 's2 or s3 (locked)',
        actual: null,
        evidence: 'phc2sys wrote no sample to the journal in the last minute: it waits, or hangs',
      }),
    ];
  const isLocked = phc2sys.state === 's2' || phc2sys.state === 's3';
  return [
    judged('servo@phc2sys', isLocked ? 'pass' : 'fail', {
      expected: 's2 or s3 (locked)',
      actual: phc2sys.state,
      evidence: `its newest line says ${phc2sys.state} at ${phc2sys.offsetNs} ns`,
    }),
  ];
}

/** A chronyd whose sources are gone says what it said before: so many updates may be missing, and never less than that time. */
const UPDATES = 8;
const LEAST_PATIENCE_S = 60;

/** A chronyd that steers: offset 0 of one that follows nobody is no pass. */
export function judgeChrony(looks: readonly PtpLook[]): readonly VerifyResult[] {
  const last = looks.at(-1);
  if (!last?.daemons.some(({ name, steers }) => name === 'chronyd' && steers?.includes(SYSTEM_CLOCK))) return [];
  const { chrony, nowS } = last;
  const expected = 'synchronised';
  if (chrony === undefined)
    return [
      judged('chrony@tracking', 'unknown', { expected, actual: null, evidence: 'chronyc tracking does not answer' }),
    ];
  const actual = chrony.isSynchronised ? 'synchronised' : chrony.leap;
  const ns = Math.round(chrony.systemOffsetS * 1e9);
  const ageS = Math.round(nowS - chrony.referenceTimeS);
  if (chrony.isSynchronised && ageS > Math.max(LEAST_PATIENCE_S, UPDATES * chrony.updateIntervalS))
    return [
      judged('chrony@tracking', 'fail', {
        expected,
        actual: `${ageS} s old`,
        evidence: `chronyd last heard of ${chrony.source} ${ageS} s ago, and says ${chrony.leap} still`,
      }),
    ];
  const evidence = chrony.isSynchronised
    ? `follows ${chrony.source}, system clock ${ns} ns off by its own account`
    : 'chronyd steers the system clock and follows nobody';
  return [judged('chrony@tracking', chrony.isSynchronised ? 'pass' : 'fail', { expected, actual, evidence })];
}
