import { narrow, type Scope } from '../engine/scope.ts';
import type { Verification } from '../engine/verify.ts';
import { UsageError } from '../errors.ts';
import { type Installation, openAgent, openTarget } from './target.ts';
import { loadWanted } from './wanted.ts';

export interface VerifyFlags {
  readonly profile?: string | undefined;
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
  const target = await openTarget(installation, flags.snapshot);
  try {
    return await named.locate(() => target.verify(named.wanted, narrow(named.scope, scope)));
  } finally {
    await target.close();
  }
}

async function verifyInForce(installation: Installation, flags: VerifyFlags, scope: Scope): Promise<Verification> {
  const agent = flags.snapshot === undefined ? await openAgent(installation) : undefined;
  const verification = await agent?.verifyInForce(scope);
  if (verification) return verification;
  throw new UsageError('No profile is in force here, so there is nothing to compare with.', {
    next: ['Name one: `--profile colo`. `hft profile list` shows what there is.'],
  });
}
