import type { HostReader } from '../host/host.ts';
import { rememberingReader } from '../host/memo.ts';
import { parseCommandLine, pickArguments, sameName } from '../tunables/boot/arguments.ts';
import { parseChanges } from '../tunables/boot/trial-entry.ts';
import { kindOf } from '../tunables/kinds.ts';
import type { Setting } from '../tuning/domain.ts';
import { canonicalOrNull, compare } from './compare.ts';
import type { Change, Plan } from './plan.ts';
import { isLimited, type Scope } from './scope.ts';
import {
  type BootChange,
  bootChanges,
  endTrialSettings,
  isTrialSetting,
  readTrialState,
  trialSettings,
  withoutMeans,
} from './trial.ts';

/**
 * The changes to make when the kernel arguments are tried once first: a trial entry in place of the arguments. When only
 * some domains were chosen, what a waiting trial has of the others stays in the entry.
 */
export async function tryOnce(
  reader: HostReader,
  plan: Plan,
  { run, scope }: { readonly run: string; readonly scope: Scope | undefined },
): Promise<readonly Change[]> {
  const others = plan.changes.filter(
    ({ setting }) => setting.tunable.kind !== 'boot-arg' && !isTrialSetting(setting.id),
  );
  const armed = isLimited(scope) ? await readArmed(reader) : undefined;
  return [...others, ...(await changesFor(reader, trialSettings(bootChanges(plan), { run, armed })))];
}

/** What the entry of a waiting trial changes; undefined when none waits. */
async function readArmed(reader: HostReader): Promise<string | undefined> {
  if ((await readTrialState(reader)).state !== 'armed') return undefined;
  const entry = await kindOf({ kind: 'boot-entry' }).read(reader, { kind: 'boot-entry' });
  return entry.status === 'value' ? (entry.value ?? undefined) : undefined;
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

/**
 * A plan as it stands while a trial waits for its boot. A trial of just these arguments needs only that boot. One of
 * other arguments (another profile's) would be booted for a profile that does not want them: it is called off. Of a part
 * of a profile it can only be said whether the trial has what that part wants.
 */
export async function withArmedTrial(reader: HostReader, plan: Plan, scope: Scope | undefined): Promise<Plan> {
  const armed = await readArmed(reader);
  if (armed === undefined) return plan;
  const tried = bootChanges(plan);
  const serves = tried.length > 0 && tried.every((change) => gives(armed, change));
  if (isLimited(scope) ? !serves : !serves || hasMore(armed, tried)) {
    return isLimited(scope) ? plan : withoutTrial(reader, plan);
  }
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
function gives(words: string, { setting, desired }: BootChange): boolean {
  const { added, removed } = parseChanges(words);
  const { names } = setting.tunable;
  const given = pickArguments(added, names);
  if (given === null) return desired === null && names.every((name) => removed.includes(name));
  return canonicalOrNull(setting.tunable, given) === desired && parseCommandLine(given).length > 0;
}

/** Whether the entry changes arguments that none of these changes is about. */
function hasMore(words: string, changes: readonly BootChange[]): boolean {
  const names = changes.flatMap(({ setting }) => setting.tunable.names);
  const { added, removed } = parseChanges(words);
  const changed = [...withoutMeans(added).map(({ name }) => name), ...removed];
  return changed.some((name) => !names.some((each) => sameName(each, name)));
}

async function withoutTrial(reader: HostReader, plan: Plan): Promise<Plan> {
  const why = 'A trial boot with other kernel arguments waits, which this profile does not want.';
  const ending = (await endTrial(reader)).map((change) => ({ ...change, setting: { ...change.setting, why } }));
  return { ...plan, changes: [...plan.changes, ...ending] };
}
