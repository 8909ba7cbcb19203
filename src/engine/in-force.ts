import type { Run } from './journal.ts';
import { isInScope, isSameWanted, narrow, type Scope, type Wanted } from './scope.ts';

/** A profile in force, and what of it: `hft tune --only irq` puts one part of a profile in force beside another. */
export interface PartInForce {
  readonly wanted: Wanted;
  readonly scope: Scope;
}

/** The run whose profile is in force: the newest that somebody asked for and that was applied and not taken back. */
export function findInForce(runs: readonly Run[]): Run | undefined {
  return runs.findLast(isInForce);
}

/**
 * Who governs each domain: the newest run that chose it. Parts of one profile are one part; the newest profile is the
 * last. Empty when nothing is in force.
 */
export function partsInForce(runs: readonly Run[], domains: readonly string[]): readonly PartInForce[] {
  const inForce = runs.filter(isInForce);
  const applied = runs.filter(isApplied);
  const parts: { wanted: Wanted; only: string[] }[] = [];
  for (const run of inForce.toReversed()) {
    const governed = parts.flatMap(({ only }) => only);
    const own = domains.filter((name) => !governed.includes(name) && isInScope(name, run.begin.scope));
    const known = parts.find(({ wanted }) => isSameWanted(wanted, run.begin.wanted));
    if (known) known.only.push(...own);
    else if (own.length > 0) parts.push({ wanted: run.begin.wanted, only: own });
  }
  return parts.toReversed().map(({ wanted, only }) => ({
    wanted,
    scope: narrow(only.length === domains.length ? {} : { only }, { exceptIds: findRolledBack(applied, wanted) }),
  }));
}

/** The part that governs a domain; without a domain, that of the newest profile. */
export function findGoverning(parts: readonly PartInForce[], domain: string | undefined): PartInForce | undefined {
  return domain === undefined ? parts.at(-1) : parts.find(({ scope }) => isInScope(domain, scope));
}

/** Settings of a profile that were rolled back one by one and not made again since: they stay rolled back. */
function findRolledBack(applied: readonly Run[], wanted: Wanted): readonly string[] {
  const rolledBack = new Set<string>();
  for (const run of applied.filter((each) => isSameWanted(each.begin.wanted, wanted))) {
    for (const { id, status } of run.steps) {
      if (status === 'undone') rolledBack.add(id);
      else if (status === 'done') rolledBack.delete(id);
    }
  }
  return [...rolledBack];
}

/** A run of single settings puts nothing in force: they stand beside what is. */
function isInForce(run: Run): boolean {
  return isApplied(run) && run.begin.scope?.onlyIds === undefined;
}

function isApplied(run: Run): boolean {
  return run.result === 'applied' && run.begin.origin === 'user';
}
