import { narrow, type Scope } from '../engine/scope.ts';
import type { Verification } from '../engine/verify.ts';
import { UsageError } from '../errors.ts';
import type { NamedHost } from './named-host.ts';
import { withHost } from './open-host.ts';
import { type Installation, openTarget } from './target.ts';
import { loadWanted, type NamedWanted } from './wanted.ts';

export interface VerifyFlags {
  readonly profile?: string | undefined;
  readonly snapshot?: string | undefined;
}

/** Verifies the profile that was named, or what is in force, on this machine, the captured one, or a named one. */
export async function settingsVerifier(
  installation: Installation,
  flags: VerifyFlags,
  by: Scope,
): Promise<(host: NamedHost | undefined) => Promise<Verification>> {
  const { profile, snapshot } = flags;
  if (profile === undefined)
    return async (host) => {
      if (snapshot === undefined) return verifyInForce(installation, host, by);
      throw new NothingInForce('here');
    };
  const named = await loadWanted(profile, installation.root);
  const scope = narrow(named.scope, by);
  if (snapshot !== undefined) return () => verifySnapshot(installation, snapshot, { ...named, scope });
  return (host) => withHost(installation, host, (control) => named.locate(() => control.verify(named.wanted, scope)));
}

async function verifySnapshot(
  installation: Installation,
  snapshot: string,
  { wanted, scope, locate }: NamedWanted,
): Promise<Verification> {
  const target = await openTarget(installation, snapshot);
  try {
    return await locate(() => target.verify(wanted, scope));
  } finally {
    await target.close();
  }
}

async function verifyInForce(
  installation: Installation,
  host: NamedHost | undefined,
  scope: Scope,
): Promise<Verification> {
  const verification = await withHost(installation, host, (control) => control.verifyInForce(scope));
  if (verification) return verification;
  throw new NothingInForce(host === undefined ? 'here' : `on ${host.name}`);
}

class NothingInForce extends UsageError {
  constructor(where: string) {
    super(`No profile is in force ${where}, so there is nothing to compare with.`, {
      next: ['Name one: `--profile colo`. `hft profile list` shows what there is.'],
    });
  }
}
