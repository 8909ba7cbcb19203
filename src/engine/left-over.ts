import type { HostReader } from '../host/host.ts';
import { kindOf } from '../tunables/kinds.ts';
import { placeOf } from '../tunables/place.ts';
import type { Bystander, Setting } from '../tuning/domain.ts';
import { type Comparison, canonicalOrNull, compare, type Wish } from './compare.ts';
import { type HeldChange, type HeldPlace, isChanged, ownerOf, unwind } from './held.ts';
import type { Kept, MovedBystander, Plan } from './plan.ts';
import { asksTheSame, domainOf, isInScope, type Scope, type Wanted } from './scope.ts';
import { isTrialSetting } from './trial.ts';
import { readLiving } from './undo.ts';

/** What a plan is held against to find what it leaves over. */
export interface Decided {
  readonly wanted: Wanted;
  readonly scope: Scope | undefined;
  readonly wishes: readonly Wish[];
  readonly refused: Plan['refused'];
}

export interface LeftOver {
  readonly comparisons: readonly Comparison[];
  readonly kept: readonly Kept[];
}

/**
 * What earlier runs set and this profile has no wish for: it goes back to what it was, the newest change first, as an
 * undo would do it. A domain that was not chosen keeps everything. So does one of which this profile asks the same as
 * the run did: a wish that is missing then (a NIC that lost its link) is the machine's doing, not the profile's.
 */
export async function findLeftOver(
  reader: HostReader,
  held: readonly HeldPlace[],
  decided: Decided,
): Promise<LeftOver> {
  const wished = new Set(decided.wishes.map(({ setting }) => placeOf(setting.tunable)));
  const left = held.filter((place) => !wished.has(place.place) && isLeftBy(place, decided));
  const comparisons: Comparison[] = [];
  const kept: Kept[] = [];
  for (const each of left.filter((place) => !isBesideAny(place, left))) {
    const judged = await judge(reader, each, decided.wanted);
    if (judged === undefined) continue;
    if (!('is' in judged)) kept.push(judged);
    else if (judged.is !== 'change') comparisons.push(judged);
    else comparisons.push({ ...judged, ...(await besideOf(reader, judged.setting.id, held)) });
  }
  return { comparisons, kept };
}

/** A bystander goes back with the change that it was moved for. */
function isBesideAny({ changes }: HeldPlace, left: readonly HeldPlace[]): boolean {
  const { beside } = changes[0].step;
  return beside !== undefined && left.some((each) => each.changes[0].step.id === beside);
}

/** The bystanders of a change that is taken back, also those that only stayed where they were. */
async function besideOf(
  reader: HostReader,
  id: string,
  held: readonly HeldPlace[],
): Promise<{ readonly bystanders?: readonly MovedBystander[] }> {
  const bystanders: MovedBystander[] = [];
  for (const place of held.filter(({ changes }) => changes[0].step.beside === id)) {
    const { step } = place.changes[0];
    const reading = await readLiving(reader, step);
    const from = reading.status === 'value' ? canonicalOrNull(step.tunable, reading.value) : null;
    if (from === null) continue;
    const { value: to, isForeign } = unwind(place, from);
    if (isForeign || to === null) continue;
    const { tunable, interface: name } = step;
    const bystander = {
      id: step.id,
      tunable: tunable as Bystander['tunable'],
      within: to,
      ...(name && { interface: name }),
    };
    bystanders.push({ bystander, from, to });
  }
  return bystanders.length === 0 ? {} : { bystanders };
}

function isLeftBy(held: HeldPlace, { wanted, scope, refused }: Decided): boolean {
  const { run, step } = held.changes[0];
  const domain = ownerOf(held);
  if (scope?.onlyIds !== undefined) return false;
  if (!isInScope(domain, scope) || scope?.exceptIds?.includes(step.id) || isTrialSetting(step.id)) return false;
  // The wish is there and could not be looked into.
  if (refused.some(({ id, kind }) => id === step.id && kind === 'unknown')) return false;
  // Given back before: only a reboot can be missing.
  if (!isChanged(held)) return kindOf(step.tunable).readStaged !== undefined;
  return !asksTheSame(run.begin.wanted, wanted, domain);
}

/** Undefined: it is as it was before hft, in effect and for the next boot, or it is no more. */
async function judge(reader: HostReader, held: HeldPlace, wanted: Wanted): Promise<Comparison | Kept | undefined> {
  const change = held.changes[0];
  const { id, tunable } = change.step;
  const domain = domainOf(id);
  const reading = await readLiving(reader, { tunable });
  if (reading.status === 'missing') return undefined;
  if (reading.status === 'unreadable') {
    const { code, evidence } = reading;
    return { is: 'unread', setting: giveBack(change, change.step.from, wanted), domain, code, evidence };
  }
  const found = canonicalOrNull(tunable, reading.value);
  const { value, isForeign, origin } = unwind(held, found);
  if (isForeign && !isChanged(held)) return undefined;
  if (isForeign) return { id, domain, tunable, found, reason: explainKept(change, found) };
  if (value === found && kindOf(tunable).readStaged === undefined) return undefined;
  const setting = { ...giveBack(change, value, wanted), tunable: origin.tunable };
  const comparison = await compare(reader, { domain, setting });
  return comparison.is === 'satisfied' && !comparison.pendingReboot ? undefined : comparison;
}

/** In the stage it was made in: what exists (queues, CPUs) is there again before values are put back. */
function giveBack({ run, step }: HeldChange, value: string | null, wanted: Wanted): Setting {
  const profile = run.begin.wanted.name;
  const isSame = profile === wanted.name;
  const noMore = isSame ? 'and no part of it any more' : `and no part of ${wanted.name}`;
  return {
    id: step.id,
    stage: step.stage ?? 'values',
    tunable: step.tunable,
    value,
    why: `Set by profile ${profile} in run ${run.run}, ${noMore}: back to what it was.`,
    ifRefused: 'skip',
    disruption: step.disruption ?? 'none',
    leftBy: { profile, run: run.run },
    ...(step.interface !== undefined && { interface: step.interface }),
  };
}

function explainKept({ run, step }: HeldChange, found: string | null): string {
  const [set, now] = [step.reported ?? null, found].map(show);
  return `Profile ${run.begin.wanted.name} set it to ${set} in run ${run.run}; somebody changed it to ${now} since, so it stays.`;
}

function show(value: string | null | undefined): string {
  if (value === null || value === undefined) return 'nothing';
  return value.includes('\n') ? `a file of ${value.split('\n').length - 1} lines` : value;
}
