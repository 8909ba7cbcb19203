import type { Agent } from '../agent/agent.ts';
import { narrow, type Scope, type Wanted } from '../engine/scope.ts';
import { HftError, UsageError } from '../errors.ts';
import { jitter } from '../latency/jitter/jitter.ts';
import { housekeepingCpus } from '../latency/probe/choose-cpus.ts';
import { listFixes } from '../latency/report/fixes.ts';
import type { LatencyResult } from '../latency/report/result.ts';
import { type Suffered, sufferedIn } from '../latency/report/suffered.ts';
import { compareStates, type StateComparison } from '../latency/statistics/states.ts';
import { viewPlan } from '../views/plan.ts';
import { chooseFixes, type FixChoice } from './fix-choice.ts';
import { ENDED, type Round, type TryingAgent, tryInRounds } from './fix-rounds.ts';
import { watchCancellation } from './interruption.ts';
import { BLOCK_MS, type LatencyFlags, measureHost } from './latency.ts';
import { readDuration, WARMUP_MS } from './latency-duration.ts';
import { readClock, readScheduler, requireNothingKept } from './latency-flags.ts';
import { ProgressLine } from './progress.ts';
import { askToApply } from './question.ts';
import { requireRoot } from './root.ts';
import { type Installation, openAgent } from './target.ts';
import type { TuneDialogue } from './tune.ts';
import { loadWanted } from './wanted.ts';

/** What `--fix` came to; stable JSON, additive changes only. */
export interface FixResult extends FixChoice {
  readonly profile: string;
  readonly decision: 'kept' | 'rolled-back' | 'declined' | 'nothing-to-try' | 'failed';
  /** One sentence. */
  readonly why: string;
  /** What jitter was in each pair of runs. */
  readonly rounds: readonly Round[];
  readonly comparison: StateComparison | null;
  /** The run of the settings that were kept. */
  readonly run: string | null;
  /** They are put back at boot, since their profile is in force. */
  readonly lasting: boolean;
}

export interface FixedHost {
  readonly result: LatencyResult & { readonly fix: FixResult };
  readonly exitCode: number;
}

export interface FixFlags extends LatencyFlags {
  readonly yes: boolean;
}

interface FixDialogue extends TuneDialogue {
  /** Shows what was measured before anything is asked. */
  readonly showResult: (result: LatencyResult) => void;
}

/** Four pairs decide only when all eight runs are in line; five leave room for one that is not. */
export const ROUNDS = 5;
/** Between the end of a run and its rollback. */
const SLACK_S = 60;
const SEED = 1;
/** As of a measurement that was cut. */
const EXIT_UNDECIDED = 6;

/** Measures, tries the settings that would remove what was found, keeps them when it is better with them. */
export async function measureAndFix(
  installation: Installation,
  flags: FixFlags,
  dialogue: FixDialogue,
): Promise<FixedHost> {
  const { agent, asked } = await prepare(installation, flags);
  const { result, exitCode } = await measureHost(installation, flags);
  dialogue.showResult(result);
  const signal = watchCancellation();
  const { exitCode: fixExitCode, ...fix } = await fixHost(agent, result, { asked, flags, dialogue, signal });
  return { result: { ...result, fix }, exitCode: fixExitCode === 0 ? exitCode : fixExitCode };
}

interface Asked {
  readonly wanted: Wanted;
  readonly scope: Scope;
}

/** Everything that would stop it later is found before an hour of measuring. */
async function prepare(installation: Installation, flags: FixFlags): Promise<{ agent: Agent; asked: Asked }> {
  if (flags.probe?.includes('jitter') === false || flags.causes === false)
    throw new UsageError('--fix needs jitter and the causes of its gaps.', {
      next: ['Leave out --no-causes, and --probe or give `--probe jitter` too.'],
    });
  requireNothingKept({ ...flags });
  readDuration(flags);
  requireRoot('hft verify latency --fix');
  const agent = await openAgent(installation);
  const asked =
    flags.profile === undefined ? await agent.inForce() : await loadWanted(flags.profile, installation.root);
  if (asked === undefined)
    throw new UsageError('--fix takes its settings from a profile, and none is in force here.', {
      next: ['Name one: `--profile colo`. `hft profile list` shows what there is.'],
    });
  if (!flags.yes && !process.stdin.isTTY)
    throw new UsageError('Nobody can answer the question of --fix here, since standard input is no terminal.', {
      next: ['Add `--yes` to try the settings without being asked, or leave --fix out.'],
    });
  await agent.recover();
  return { agent, asked };
}

/** What is tried with, and who is asked. */
export interface Fixing {
  readonly asked: Asked;
  readonly flags: Pick<FixFlags, 'yes' | 'duration' | 'suite' | 'scheduler' | 'clock'>;
  readonly dialogue: TuneDialogue;
  readonly signal: AbortSignal;
}

export type FixingAgent = TryingAgent & Pick<Agent, 'machine' | 'probe' | 'inForce'>;

type Ended = FixResult & { readonly exitCode: number };

/** Offers the settings, tries them, keeps or rolls back. Expected errors are its answer: what was measured is not lost by them. */
export async function fixHost(agent: FixingAgent, result: LatencyResult, fixing: Fixing): Promise<Ended> {
  const { wanted } = fixing.asked;
  const nothing: Ended = {
    profile: wanted.name,
    offered: [],
    others: [],
    decision: 'nothing-to-try',
    why: 'The measurement was cut.',
    rounds: [],
    comparison: null,
    run: null,
    lasting: false,
    exitCode: 0,
  };
  if (result.cut) return nothing;
  try {
    return await offer(agent, result, { fixing, nothing });
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    return { ...nothing, decision: 'failed', why: error.message, exitCode: error.exitCode };
  }
}

async function offer(
  agent: FixingAgent,
  result: LatencyResult,
  { fixing, nothing }: { readonly fixing: Fixing; readonly nothing: Ended },
): Promise<Ended> {
  const { asked, flags, dialogue, signal } = fixing;
  const choice = chooseFixes(listFixes(result), await agent.plan(asked.wanted, asked.scope, { retries: true }));
  const ended = { ...nothing, ...choice };
  if (choice.offered.length === 0) return { ...ended, why: 'No setting is left to be tried.' };
  const onlyIds = choice.offered.map(({ id }) => id);
  const scope = narrow(asked.scope, { onlyIds });
  const { plan } = await agent.plan(asked.wanted, scope, { retries: true });
  dialogue.report(viewPlan(plan, dialogue.terminal));
  const seconds = readDuration(flags);
  const question = `\nTry this on ${plan.host}: ${ROUNDS} times ${seconds} s without and with it, and keep it only if it helps?`;
  if (!flags.yes && !(await askToApply(question, signal)))
    return { ...ended, decision: 'declined', why: 'Nothing was changed.' };
  return tryChoice(agent, result, { ...fixing, scope, seconds, ended });
}

interface TryingChoice extends Fixing {
  readonly scope: Scope;
  readonly seconds: number;
  readonly ended: Ended;
}

async function tryChoice(agent: FixingAgent, result: LatencyResult, trying: TryingChoice): Promise<Ended> {
  const { asked, scope, seconds, signal, ended } = trying;
  const line = new ProgressLine(process.stderr);
  const measure = await measurerOf(agent, result, { trying, line });
  const confirmWithinS = seconds + WARMUP_MS / 1000 + SLACK_S;
  const decide = (rounds: readonly Round[]) => compareRounds(rounds).answer === 'better';
  try {
    const { wanted } = asked;
    const tried = await tryInRounds(agent, { wanted, scope, rounds: ROUNDS, confirmWithinS, measure, decide, signal });
    const { rounds, kept, stopped, exitCode } = tried;
    const comparison = rounds.length === 0 ? null : compareRounds(rounds);
    const inForce = kept === undefined ? undefined : await agent.inForce();
    const failed = exitCode === 0 ? 'rolled-back' : 'failed';
    return {
      ...ended,
      rounds,
      comparison,
      decision: kept === undefined ? failed : 'kept',
      why: stopped ?? sayAnswer(comparison),
      run: kept ?? null,
      lasting: inForce?.wanted.name === wanted.name,
      exitCode: exitCode === 0 && kept === undefined && signal.aborted ? EXIT_UNDECIDED : exitCode,
    };
  } finally {
    line.clear();
  }
}

/** One jitter run on the CPUs of the result, without recording: both states alike, and nothing beside them. */
async function measurerOf(
  agent: FixingAgent,
  { cpus, suite }: LatencyResult,
  { trying, line }: { readonly trying: TryingChoice; readonly line: ProgressLine },
) {
  const { seconds, signal } = trying;
  const housekeeping = housekeepingCpus(await agent.machine());
  const [variant] = jitter.variants({ cpus: cpus.cpus, suite, scheduler: readScheduler(trying.flags) });
  if (variant === undefined) throw new UsageError('There is no CPU to measure jitter on.');
  return async (state: 'without' | 'with', round: number): Promise<Suffered | string> => {
    if (signal.aborted) return ENDED;
    const measured = await agent.probe({
      ...{ probe: jitter.name, variant, housekeeping, signal, seeksCauses: false },
      ...{ durationMs: seconds * 1000, warmupMs: WARMUP_MS, blockMs: BLOCK_MS, clock: readClock(trying.flags) },
      onProgress: ({ share }) => line.show(`${round + 1}/${ROUNDS}  jitter ${state} it  ${Math.floor(share * 100)} %`),
    });
    if (measured.status !== 'measured') return measured.reason;
    const invalid = jitter.report(measured.run, variant).findings.find(({ invalidates }) => invalidates);
    return invalid?.text ?? sufferedIn(measured.run) ?? 'jitter watched no time.';
  };
}

/** What one gap that is just seen would make is the least that a run can tell. */
function compareRounds(rounds: readonly Round[]): StateComparison {
  const leastOf = (of: (suffered: Suffered) => number) =>
    Math.min(...rounds.flatMap((round) => [of(round.without), of(round.with)]));
  const figure = (name: keyof Suffered, least: number) => ({
    name,
    before: rounds.map(({ without }) => without[name]),
    after: rounds.map((round) => round.with[name]),
    least,
  });
  return compareStates(
    [
      figure(
        'stolenShare',
        leastOf(({ thresholdNs, exposureNs }) => thresholdNs / exposureNs),
      ),
      figure(
        'gapsPerSecond',
        leastOf(({ exposureNs }) => 1e9 / exposureNs),
      ),
      figure(
        'meanDelayNs',
        leastOf(({ thresholdNs, exposureNs }) => thresholdNs ** 2 / 2 / exposureNs),
      ),
    ],
    SEED,
  );
}

function sayAnswer(comparison: StateComparison | null): string {
  if (comparison?.answer === 'better') return 'Less was taken with it, by more than the runs differ among themselves.';
  if (comparison?.answer === 'worse') return 'More was taken with it.';
  if (comparison?.answer === 'mixed') return 'One figure is better with it and another is worse.';
  return 'Undecided: the runs of one state differ among themselves as much as from those of the other.';
}
