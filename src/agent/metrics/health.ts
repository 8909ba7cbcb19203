/** What /healthz is judged by. */
export interface HealthFacts {
  /** Controllers can connect. */
  readonly isListening: boolean;
  readonly isEnding: boolean;
  /** Why nobody gets in; undefined: the file can be trusted. */
  readonly nobodyAuthorised: string | undefined;
  /** Of the oldest request that only looks. */
  readonly oldestLookS: number | undefined;
  /** Why the status of the host could not be read; undefined: it could. */
  readonly statusFailure: string | undefined;
}

/** Who looks gives up after two minutes: what takes longer than this hangs. */
const LONGEST_LOOK_S = 300;

/** Why the agent does not do what it promises, a sentence each; empty: it does. Pure. */
export function judgeHealth(facts: HealthFacts): readonly string[] {
  const { isListening, isEnding, nobodyAuthorised, oldestLookS, statusFailure } = facts;
  const reasons: string[] = [];
  if (isEnding) reasons.push('the agent is ending');
  else if (!isListening) reasons.push('no controller can connect: the socket is closed');
  if (nobodyAuthorised !== undefined) reasons.push(`no controller gets in: ${nobodyAuthorised}`);
  if (oldestLookS !== undefined && oldestLookS > LONGEST_LOOK_S)
    reasons.push(`a request that only looks is at work for ${Math.round(oldestLookS)} s`);
  if (statusFailure !== undefined) reasons.push(`the status of the host cannot be read: ${statusFailure}`);
  return reasons;
}
