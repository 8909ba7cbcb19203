import { hashOf } from '../../chain/chain.ts';
import type { Remedy } from '../../drift/drift.ts';
import { type DriftWanted, mayHeal } from '../../drift/schema.ts';
import { findGoverning, findInForce, type PartInForce, partsInForce } from '../../engine/in-force.ts';
import { type Run, readRuns } from '../../engine/journal.ts';
import type { Plan } from '../../engine/plan.ts';
import { planParts } from '../../engine/plan-parts.ts';
import { findWaiting } from '../../engine/rollback.ts';
import type { Engine } from '../../engine/tune.ts';
import type { StateDirectory } from '../../host/state-directory.ts';
import type { Tunable } from '../../tunables/tunable.ts';
import { quietReader } from './quiet-reader.ts';

/** A setting that something in force has a wish for. Plain data: whole looks are made by a process of their own. */
export interface WatchedSetting {
  readonly id: string;
  readonly domain: string;
  readonly tunable: Tunable;
  readonly wanted: string | null;
  readonly is: string | null;
  readonly isRight: boolean;
  readonly evidence: string;
  readonly remedy: Remedy;
}

/** All that is in force beside the machine as it is. */
export interface WholeLook {
  /** null: nothing is in force. */
  readonly profile: string | null;
  /** Since when it is in force, ISO 8601. */
  readonly since: string | null;
  readonly settings: readonly WatchedSetting[];
  /** Settings that could not be read, or only by asking an isolated CPU. */
  readonly unread: readonly string[];
  /** By domain: when healing it ends. Only domains of which anything may be healed. */
  readonly breakers: Readonly<Record<string, DriftWanted['breaker']>>;
  /** By id: when it was healed since the profile is in force, ms since 1970, oldest first. */
  readonly healedMs: Readonly<Record<string, readonly number[]>>;
  /** By id: the newest run that set it or took it back, of the last few; ISO 8601. */
  readonly setAt: Readonly<Record<string, string>>;
  /** Of the journal before the look. */
  readonly journal: string;
  /** A run that is at work, was cut off, or waits for a confirmation: what is seen meanwhile is no drift. */
  readonly unsettled: string | null;
}

const LAST_RUNS = 8;

/** Plans what is in force again: the truth, as `hft verify settings` has it. Changes nothing. */
export async function lookAtAll(engine: Engine): Promise<WholeLook> {
  const journal = await journalFingerprint(engine.state);
  const runs = await readRuns(engine.state);
  const inForce = findInForce(runs);
  const parts = partsInForce(
    runs,
    engine.domains.map(({ name }) => name),
  );
  const unsettled = runs.find((run) => run.result === undefined)?.run ?? findWaiting(runs)?.run ?? null;
  const frame = { profile: inForce?.begin.wanted.name ?? null, since: inForce?.begin.time ?? null, journal, unsettled };
  if (parts.length === 0 || unsettled !== null)
    return { ...frame, settings: [], unread: [], breakers: {}, healedMs: {}, setAt: {} };
  const reader = { host: quietReader(engine.host), domains: engine.domains };
  const { plan } = await planParts(reader, parts, { scope: {}, runs });
  return {
    ...frame,
    settings: settingsOf(plan, parts),
    unread: plan.unread.map(({ setting }) => setting.id),
    breakers: breakersOf(parts, engine),
    healedMs: healsOf(runs, frame.since),
    setAt: lastSet(runs.slice(-LAST_RUNS)),
  };
}

/** The journal is only ever added to: another one has other names or other lengths. */
export async function journalFingerprint(state: StateDirectory): Promise<string> {
  const sizes: string[] = [];
  for (const name of await state.list('journal'))
    sizes.push(`${name} ${(await state.readText(`journal/${name}`))?.length ?? 0}`);
  return hashOf(sizes.join('\n'));
}

function settingsOf(plan: Plan, parts: readonly PartInForce[]): WatchedSetting[] {
  const right = plan.satisfied
    .filter(({ pendingReboot }) => !pendingReboot)
    .map(({ setting, domain, current, evidence }) => ({
      ...{
        id: setting.id,
        domain,
        tunable: setting.tunable,
        wanted: setting.value,
        is: current,
        isRight: true,
        evidence,
      },
      remedy: remedyOf({ id: setting.id, domain, disruption: setting.disruption, takesEffect: 'now' }, parts),
    }));
  const wrong = plan.changes.map(({ setting, domain, current, desired, evidence, disruption, takesEffect }) => ({
    ...{ id: setting.id, domain, tunable: setting.tunable, wanted: desired, is: current, isRight: false, evidence },
    remedy: remedyOf({ id: setting.id, domain, disruption, takesEffect }, parts),
  }));
  return [...right, ...wrong];
}

type Disturbing = Pick<Remedy, 'disruption' | 'takesEffect'> & { readonly id: string; readonly domain: string };

/** What disturbs a link, a process or the machine is never healed: that is for a person to decide. */
function remedyOf({ id, domain, disruption, takesEffect }: Disturbing, parts: readonly PartInForce[]): Remedy {
  const wanted = findGoverning(parts, domain)?.wanted.drift;
  const isAllowed = wanted !== undefined && mayHeal(id, wanted) && disruption === 'none' && takesEffect === 'now';
  return { disruption, takesEffect, heal: isAllowed ? 'allowed' : 'no' };
}

function breakersOf(parts: readonly PartInForce[], { domains }: Engine): WholeLook['breakers'] {
  const breakers = domains.flatMap(({ name }) => {
    const drift = findGoverning(parts, name)?.wanted.drift;
    return drift === undefined || drift.heal.length === 0 ? [] : [[name, drift.breaker] as const];
  });
  return Object.fromEntries(breakers);
}

function healsOf(runs: readonly Run[], since: string | null): WholeLook['healedMs'] {
  const healed: Record<string, number[]> = {};
  for (const { begin, steps } of runs.filter((run) => run.begin.origin === 'heal' && run.begin.time >= (since ?? ''))) {
    // What the kernel refused was tried, too.
    for (const { id } of steps) {
      healed[id] ??= [];
      healed[id].push(Date.parse(begin.time));
    }
  }
  return healed;
}

function lastSet(runs: readonly Run[]): WholeLook['setAt'] {
  const set: Record<string, string> = {};
  for (const { begin, steps } of runs.filter((run) => run.begin.origin !== 'heal'))
    for (const { id, status } of steps) if (status !== 'skipped') set[id] = begin.time;
  return set;
}
