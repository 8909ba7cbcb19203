import { narrow, type Scope } from '../engine/scope.ts';
import type { Verification } from '../engine/verify.ts';
import { UsageError } from '../errors.ts';
import { withHost } from './open-host.ts';
import { type Installation, openTarget } from './target.ts';
import { loadWanted } from './wanted.ts';

export interface VerifyFlags {
  readonly profile?: string | undefined;
  readonly host?: string | undefined;
  readonly snapshot?: string | undefined;
}

/** Verifies the profile that was named, or what is in force on this machine. */
export async function verifySettings(
  installation: Installation,
  flags: VerifyFlags,
  scope: Scope,
): Promise<Verification> {
  if (flags.profile === undefined) return verifyInForce(installation, flags, scope);
  const named = await loadWanted(flags.profile, installation.root);
  const limits = narrow(named.scope, scope);
  if (flags.snapshot === undefined)
    return withHost(installation, flags.host, (control) => named.locate(() => control.verify(named.wanted, limits)));
  const target = await openTarget(installation, flags.snapshot);
  try {
    return await named.locate(() => target.verify(named.wanted, limits));
  } finally {
    await target.close();
  }
}

async function verifyInForce(installation: Installation, flags: VerifyFlags, scope: Scope): Promise<Verification> {
  const isCaptured = flags.snapshot !== undefined;
  const verification = isCaptured
    ? undefined
    : await withHost(installation, flags.host, (control) => control.verifyInForce(scope));
  if (verification) return verification;
  const where = flags.host === undefined ? 'here' : `on ${flags.host}`;
  throw new UsageError(`No profile is in force ${where}, so there is nothing to compare with.`, {
    next: ['Name one: `--profile colo`. `hft profile list` shows what there is.'],
  });
}
