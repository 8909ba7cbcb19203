import type { HostReader } from '../host/host.ts';
import { rememberingReader } from '../host/memo.ts';
import { parseCommandLine, pickArguments } from '../tunables/boot/arguments.ts';
import { parseChanges } from '../tunables/boot/trial-entry.ts';
import { kindOf } from '../tunables/kinds.ts';
import type { Setting } from '../tuning/domain.ts';
import { canonicalOrNull, compare } from './compare.ts';
import type { Change, Plan } from './plan.ts';
import { bootChanges, endTrialSettings, type TrialState, trialSettings } from './trial.ts';

/** The changes to make when the kernel arguments are tried once first: a trial entry in place of the arguments. */
export async function tryOnce(reader: HostReader, plan: Plan, run: string): Promise<readonly Change[]> {
  const others = plan.changes.filter((change) => change.setting.tunable.kind !== 'boot-arg');
  return [...others, ...(await changesFor(reader, trialSettings(bootChanges(plan), run)))];
}

/** What is left to do once a trial is over: nothing of it stays behind. */
export function endTrial(reader: HostReader): Promise<readonly Change[]> {
  return changesFor(reader, endTrialSettings());
}

async function changesFor(host: HostReader, settings: readonly Setting[]): Promise<readonly Change[]> {
  const reader = rememberingReader(host);
  const changes: Change[] = [];
  for (const setting of settings) {
    const comparison = await compare(reader, { domain: 'boot', setting });
    if (comparison.is === 'change') changes.push(comparison);
  }
  return changes;
}

/** A plan as it stands while a trial waits for its boot: what the trial entry gives needs only that boot. */
export async function withArmedTrial(reader: HostReader, plan: Plan, trial: TrialState): Promise<Plan> {
  if (trial.state !== 'armed') return plan;
  const entry = await kindOf({ kind: 'boot-entry' }).read(reader, { kind: 'boot-entry' });
  if (entry.status !== 'value' || entry.value === null) return plan;
  const given = entry.value;
  const tried = bootChanges(plan).filter((change) => gives(given, change));
  return {
    ...plan,
    changes: plan.changes.filter((change) => !tried.some((each) => each.setting.id === change.setting.id)),
    satisfied: [
      ...plan.satisfied,
      ...tried.map(({ setting, domain, current, evidence }) => ({
        setting,
        domain,
        current,
        evidence: `${evidence}; to be tried once at the next boot (entry hft-trial)`,
        pendingReboot: true,
      })),
    ],
  };
}

/** Whether the trial entry's words give what a change wants. */
function gives(words: string, { setting, desired }: ReturnType<typeof bootChanges>[number]): boolean {
  const { added, removed } = parseChanges(words);
  const { names } = setting.tunable;
  const given = pickArguments(added, names);
  if (given === null) return desired === null && names.every((name) => removed.includes(name));
  return canonicalOrNull(setting.tunable, given) === desired && parseCommandLine(given).length > 0;
}
