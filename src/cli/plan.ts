import type { Plan } from '../engine/plan.ts';
import { narrow, type Scope } from '../engine/scope.ts';
import type { NamedHost } from './named-host.ts';
import { withHost } from './open-host.ts';
import { type Installation, openTarget } from './target.ts';
import { loadWanted, type NamedWanted } from './wanted.ts';

export interface PlanFlags {
  readonly profile: string;
  readonly snapshot?: string | undefined;
}

/** What a profile would change on this machine, the captured one, or a named one. Changes nothing. */
export async function planner(
  installation: Installation,
  flags: PlanFlags,
  by: Scope,
): Promise<(host: NamedHost | undefined) => Promise<Plan>> {
  const named = await loadWanted(flags.profile, installation.root);
  const { wanted, locate } = named;
  const limits = narrow(named.scope, by);
  const { snapshot } = flags;
  if (snapshot !== undefined) return () => planSnapshot(installation, snapshot, { ...named, scope: limits });
  return (host) => withHost(installation, host, (control) => locate(() => control.plan(wanted, limits)));
}

async function planSnapshot(
  installation: Installation,
  snapshot: string,
  { wanted, scope, locate }: NamedWanted,
): Promise<Plan> {
  const target = await openTarget(installation, snapshot);
  try {
    return (await locate(() => target.plan(wanted, scope))).plan;
  } finally {
    await target.close();
  }
}
