import type { DriftWanted } from '../drift/schema.ts';
import type { LatencyWanted } from '../latency/targets/schema.ts';
import type { LayoutWanted } from '../layout/schema.ts';

/** What a profile asks for: the part of each domain by the domain's name, checked against the schemas. */
export interface Wanted {
  readonly name: string;
  readonly layout: LayoutWanted;
  readonly domains: Readonly<Record<string, unknown>>;
  /** What the latency of the host is judged by; it changes nothing. */
  readonly latency?: LatencyWanted;
  /** What the agent may do about settings that drifted. */
  readonly drift?: DriftWanted;
}

/**
 * Limits a plan to some domains (`--only`, `--skip`) or to single settings (`verify latency --fix`), or leaves out single settings
 * that were rolled back by hand.
 */
export interface Scope {
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly exceptIds?: readonly string[];
  /** Nothing but these, and the run does not put its profile in force. */
  readonly onlyIds?: readonly string[];
}

/** Whether a setting of a domain in scope is meant. */
export function isIdInScope(id: string, scope: Scope | undefined): boolean {
  return !scope?.exceptIds?.includes(id) && scope?.onlyIds?.includes(id) !== false;
}

export function isInScope(domain: string, scope: Scope | undefined): boolean {
  if (scope?.only && !scope.only.includes(domain)) return false;
  return !scope?.skip?.includes(domain);
}

/** `hft tune` adds this domain by itself; no profile says anything of it. */
export const PERSISTENCE = 'persistence';

/** Whether domains of the profile were chosen, so that the others are not meant. */
export function isLimited(scope: Scope | undefined): boolean {
  return scope?.only !== undefined || scope?.skip?.some((name) => name !== PERSISTENCE) === true;
}

/** The domain of a setting: ids are `domain.tunable@target`. */
export function domainOf(id: string): string {
  return id.slice(0, id.indexOf('.'));
}

/** Whether two profiles ask the same of a domain, on the same CPUs: then its wishes differ only as the machine does. */
export function asksTheSame(left: Wanted, right: Wanted, domain: string): boolean {
  const part = ({ layout, domains }: Wanted) => JSON.stringify([layout, domains[domain]]);
  return part(left) === part(right);
}

/** Whether two profiles are one, as they were written when each was applied. */
export function isSameWanted(left: Wanted, right: Wanted): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Both limits at once. */
export function narrow(scope: Scope, by: Scope): Scope {
  const only = scope.only && by.only ? by.only.filter((name) => scope.only?.includes(name)) : (by.only ?? scope.only);
  const skip = [...(scope.skip ?? []), ...(by.skip ?? [])];
  const exceptIds = [...(scope.exceptIds ?? []), ...(by.exceptIds ?? [])];
  const onlyIds = by.onlyIds ?? scope.onlyIds;
  return {
    ...(only && { only }),
    ...(skip.length > 0 && { skip }),
    ...(exceptIds.length > 0 && { exceptIds }),
    ...(onlyIds && { onlyIds }),
  };
}
