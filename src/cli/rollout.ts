import { HftError } from '../errors.ts';
import { worstExitCode } from '../fleet/answers.ts';
import {
  EXIT_CODES,
  foldRecords,
  isSettled,
  keysOfChanges,
  type RolloutBegin,
  type RolloutRecord,
} from '../fleet/rollout.ts';
import { cutWaves, parseWaveSize } from '../fleet/waves.ts';
import { briefPlan } from '../views/brief.ts';
import { viewFleet } from '../views/fleet.ts';
import { viewPlan } from '../views/plan.ts';
import { planJson } from '../views/plan-json.ts';
import { viewWaves } from '../views/rollout.ts';
import { parseSeconds } from './duration.ts';
import { askFleet, type FleetAnswers } from './fleet-ask.ts';
import { FleetProgress } from './fleet-progress.ts';
import { watchInterruption } from './interruption.ts';
import type { ChosenHosts, NamedHost } from './named-host.ts';
import { openRemote } from './open-host.ts';
import { askToApply } from './question.ts';
import type { RolloutFlags } from './rollout-flags.ts';
import type { RolloutWish } from './rollout-host.ts';
import { nameRollout, RolloutJournal, rolloutState } from './rollout-journal.ts';
import { type RolledOut, runWaves } from './rollout-run.ts';
import { readScope } from './scope-flags.ts';
import type { Installation } from './target.ts';
import { readWanted, type TuneDialogue, type TuneFlags } from './tune.ts';

type ManyHosts = Extract<ChosenHosts, { is: 'many' }>;
type Plans = FleetAnswers<ReturnType<typeof planJson>>;

export interface Rollout {
  readonly rolledOut: RolledOut | undefined;
  /** Why nothing was begun. */
  readonly unchanged: 'declined' | 'not-planned' | undefined;
  readonly plans: Plans | undefined;
}

/** Plans all hosts, shows it, asks once, and brings them to the profile wave by wave. */
export async function rollOut(
  installation: Installation,
  flags: TuneFlags & RolloutFlags,
  { chosen, dialogue }: { readonly chosen: ManyHosts; readonly dialogue: TuneDialogue },
): Promise<Rollout> {
  const size = parseWaveSize('--wave', flags.wave ?? '10%');
  const { wanted, locate } = await readWanted(installation, flags);
  const wish: RolloutWish = {
    wanted,
    scope: await readScope(flags),
    confirmWithinS: parseSeconds('--confirm-within', flags['confirm-within']),
    forks: chosen.forks,
    maxFail: flags['max-fail'] ?? 1,
    reboots: flags.reboot,
    bootWithinS: parseSeconds('--boot-within', flags['boot-within'] ?? '10m'),
  };
  const { plans, shown } = await locate(() => planAll(chosen, wish, dialogue));
  const failed = plans.answers.filter(({ error }) => error !== undefined);
  if (failed.length >= wish.maxFail) return { rolledOut: undefined, unchanged: 'not-planned', plans };
  // One that could not be planned is tried in its wave, and changed in nothing that was not shown.
  const { hosts } = chosen;
  const waves = cutWaves(
    hosts.map(({ name }) => name),
    flags.canary ?? 1,
    size,
  );
  dialogue.report(`${viewFleet(plans, dialogue.terminal)}\n\n${viewWaves(waves, dialogue.terminal)}`);
  if (!(await isAgreed(shown, flags))) return { rolledOut: undefined, unchanged: 'declined', plans };
  const [id, time] = [nameRollout(new Date()), new Date().toISOString()];
  const begin: RolloutBegin<RolloutWish> = { is: 'begin', id, time, profile: wanted.name, hosts, waves, wish, shown };
  const journal = await RolloutJournal.begin(rolloutState(process.env), begin);
  return { rolledOut: await runRecorded([begin], journal, dialogue), unchanged: undefined, plans };
}

/** Goes on where a rollout ended: what was begun is asked for again by its id, what failed is tried again. */
export async function resumeRollout(named: string, dialogue: TuneDialogue): Promise<Rollout> {
  const { journal, records } = await RolloutJournal.resume(rolloutState(process.env), named);
  return { rolledOut: await runRecorded(records, journal, dialogue), unchanged: undefined, plans: undefined };
}

/** 0 all as wanted, 5 but for reboots; else that of the worst host. One that was not started differs still. */
export function rolloutExitCode({ rolledOut, plans }: Rollout): number {
  if (rolledOut === undefined) return worstExitCode(plans?.answers.map(({ exitCode }) => exitCode) ?? []);
  const { begin, ends } = rolledOut;
  return worstExitCode(begin.hosts.map(({ name }) => EXIT_CODES[ends.get(name)?.outcome ?? 'not-started']));
}

async function runRecorded(
  records: readonly RolloutRecord<RolloutWish>[],
  journal: RolloutJournal,
  { report }: TuneDialogue,
): Promise<RolledOut> {
  const [begin] = records;
  if (begin?.is !== 'begin') throw new HftError('The record of the rollout has no beginning.');
  const states = foldRecords(records);
  const left = begin.hosts.filter(({ name }) => !isSettled(states.get(name)?.end, begin.wish.reboots));
  const progress = new FleetProgress(left.length, report);
  report(`Rollout ${begin.id}: ${left.length} of ${begin.hosts.length} hosts to go.`);
  try {
    return await runWaves(records, { journal, open: openRemote, progress, signal: watchInterruption() });
  } finally {
    progress.close();
    await journal.close();
  }
}

async function planAll(chosen: ManyHosts, wish: RolloutWish, { report }: TuneDialogue) {
  const shown: Record<string, readonly string[]> = {};
  const plans = await askFleet(
    chosen,
    async (host: NamedHost) => {
      const { control, close } = await openRemote(host);
      const { plan } = await control.propose(wish.wanted, wish.scope).finally(close);
      shown[host.name] = keysOfChanges(plan.changes);
      const text = (terminal: Parameters<typeof viewPlan>[1]) => viewPlan(plan, terminal);
      const exitCode = plan.changes.length > 0 ? 1 : 0;
      return { json: planJson(plan), text, brief: briefPlan(plan), hostname: plan.host, exitCode };
    },
    report,
  );
  return { plans, shown };
}

/** Nothing has to be asked where nothing has to be changed. */
async function isAgreed(shown: Readonly<Record<string, readonly string[]>>, flags: TuneFlags): Promise<boolean> {
  const hosts = Object.values(shown).filter((changes) => changes.length > 0);
  if (flags.yes || hosts.length === 0) return true;
  const follows = 'also with what follows where queues and CPUs change';
  return askToApply(`\nApply these changes to ${hosts.length} hosts, ${follows}?`);
}
