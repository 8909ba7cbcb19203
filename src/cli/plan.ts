import type { Plan } from '../engine/plan.ts';
import { narrow, type Scope } from '../engine/scope.ts';
import { withHost } from './open-host.ts';
import { type Installation, openTarget } from './target.ts';
import { loadWanted } from './wanted.ts';

export interface PlanFlags {
  readonly profile: string;
  readonly snapshot?: string | undefined;
  readonly host?: string | undefined;
}

/** What a profile would change on this machine, the captured one, or the named one. Changes nothing. */
export async function planHost(installation: Installation, flags: PlanFlags, by: Scope): Promise<Plan> {
  const { wanted, scope, locate } = await loadWanted(flags.profile, installation.root);
  const limits = narrow(scope, by);
  if (flags.snapshot === undefined)
    return withHost(installation, flags.host, (control) => locate(() => control.plan(wanted, limits)));
  const target = await openTarget(installation, flags.snapshot);
  try {
    return (await locate(() => target.plan(wanted, limits))).plan;
  } finally {
    await target.close();
  }
}
