import type { Agent, ApplyRequest } from '../agent/agent.ts';
import type { Scope, Wanted } from '../engine/scope.ts';
import type { TuneOutcome } from '../engine/tune.ts';
import type { Suffered } from '../latency/report/suffered.ts';

/** What trying settings needs of an agent. */
export type TryingAgent = Pick<Agent, 'plan' | 'apply' | 'rollback' | 'confirm'>;

/** One run without the settings and one with them. */
export interface Round {
  readonly without: Suffered;
  readonly with: Suffered;
}

export interface Trying {
  readonly wanted: Wanted;
  /** With `onlyIds`: the settings. */
  readonly scope: Scope;
  readonly rounds: number;
  /** Longer than one measurement takes: the host takes the settings back by itself then. */
  readonly confirmWithinS: number;
  /** Why there is no figure, as a sentence, in place of one. */
  readonly measure: (state: 'without' | 'with', round: number) => Promise<Suffered | string>;
  /** Whether the settings, which are in place when it is asked, stay. */
  readonly decide: (rounds: readonly Round[]) => boolean;
  readonly signal: AbortSignal;
}

export interface Tried {
  readonly rounds: readonly Round[];
  /** Why there are not as many as were asked for; undefined when there are. */
  readonly stopped: string | undefined;
  /** The run of the settings that were kept. */
  readonly kept: string | undefined;
  /** 3: a setting could not be made. 4: not everything could be undone. */
  readonly exitCode: 0 | 3 | 4;
}

export const ENDED = 'It was ended before all rounds were made.';

/**
 * Without, with, without, with …: each "with" is a run of its own in the journal, which the host takes back by itself when hft dies.
 * Ends with the settings in place only if `decide` says so after all rounds. Throws what the agent throws, with nothing in place.
 */
export async function tryInRounds(agent: TryingAgent, trying: Trying): Promise<Tried> {
  const rounds: Round[] = [];
  for (let round = 0; round < trying.rounds; round++) {
    const isLast = round + 1 === trying.rounds;
    const before = await trying.measure('without', round);
    if (typeof before === 'string') return stop(rounds, before);
    if (trying.signal.aborted) return stop(rounds, ENDED);
    const applied = await applyOnce(agent, trying);
    if ('stopped' in applied) return { rounds, kept: undefined, ...applied };
    const after = await measureApplied(agent, trying, { round, run: applied.run });
    if (typeof after === 'string') return takeBack(agent, applied.run, stop(rounds, after));
    rounds.push({ without: before, with: after });
    if (isLast && trying.decide(rounds)) {
      await agent.confirm();
      return { rounds, stopped: undefined, kept: applied.run, exitCode: 0 };
    }
    const undone = await takeBack(agent, applied.run, { rounds, stopped: undefined, kept: undefined, exitCode: 0 });
    if (undone.exitCode !== 0) return undone;
  }
  return { rounds, stopped: undefined, kept: undefined, exitCode: 0 };
}

function stop(rounds: readonly Round[], stopped: string): Tried {
  return { rounds, stopped, kept: undefined, exitCode: 0 };
}

/** What is thrown while the settings are in place must not leave them there. */
async function measureApplied(
  agent: TryingAgent,
  { measure }: Trying,
  { round, run }: { readonly round: number; readonly run: string },
): Promise<Suffered | string> {
  try {
    return await measure('with', round);
  } catch (error) {
    await agent.rollback({ scope: { run } });
    throw error;
  }
}

/** The same end, unless something could not be undone. */
async function takeBack(agent: TryingAgent, run: string, tried: Tried): Promise<Tried> {
  const { complete } = await agent.rollback({ scope: { run } });
  if (complete) return tried;
  const stopped = `Not everything of run ${run} could be undone: \`hft rollback\` tries again and says what is left.`;
  return { ...tried, stopped, exitCode: 4 };
}

async function applyOnce(
  agent: TryingAgent,
  { wanted, scope, confirmWithinS, signal }: Trying,
): Promise<{ readonly run: string } | Pick<Tried, 'stopped' | 'exitCode'>> {
  const planned = await agent.plan(wanted, scope, { retries: true });
  const request: ApplyRequest = {
    ...{ wanted, scope, planned, confirmWithinS, signal },
    mustBeConfirmed: true,
    approve: async () => true,
  };
  const outcome = await agent.apply(request);
  if (outcome.result !== 'applied') {
    const { id, reason } = outcome.report.failure ?? { id: 'apply', reason: 'no reason given' };
    return { stopped: `${id}: ${reason}.`, exitCode: outcome.result === 'undone' ? 3 : 4 };
  }
  const missing = notInPlace(outcome);
  if (missing === undefined) return { run: outcome.run };
  const { stopped, exitCode } = await takeBack(agent, outcome.run, { ...stop([], missing), exitCode: 3 });
  return { stopped, exitCode };
}

/** A setting that the kernel refused, or did not take, is not measured as if it were there. */
function notInPlace({ report, after }: TuneOutcome): string | undefined {
  const [skipped] = report.skipped;
  if (skipped !== undefined) return `${skipped.id}: ${skipped.reason}.`;
  const [left] = after.changes;
  return left === undefined ? undefined : `${left.setting.id}: the kernel has ${left.current} after it was set.`;
}
