import type { Scope, Wanted } from '../engine/observe.ts';
import { UsageError } from '../errors.ts';
import { loadProfile } from '../profile/load.ts';
import { installedProfiles } from './installed-profiles.ts';
import { type Installation, openAgent } from './target.ts';

/** A profile by name or path, as the engine takes it. Throws ProfileError with file:line:col. */
export async function loadWanted(nameOrPath: string, root: string): Promise<Wanted> {
  const profile = await loadProfile(nameOrPath, installedProfiles(root));
  return { name: profile.name, layout: profile.layout, domains: profile.wanted };
}

/** The same profile, put back after every boot by the hft at `command`. */
export function persisted(wanted: Wanted, command: string): Wanted {
  return { ...wanted, domains: { ...wanted.domains, persistence: { command } } };
}

/** The profile that was named, or the one in force. */
export async function chooseWanted(
  installation: Installation,
  flags: { readonly profile?: string | undefined; readonly snapshot?: string | undefined },
): Promise<{ wanted: Wanted; scope: Scope }> {
  if (flags.profile !== undefined) return { wanted: await loadWanted(flags.profile, installation.root), scope: {} };
  const inForce = flags.snapshot === undefined ? await (await openAgent(installation)).inForce() : undefined;
  if (inForce) return inForce;
  throw new UsageError('No profile is in force here, so there is nothing to compare with.', {
    next: ['Name one: `--profile colo`. `hft profile list` shows what there is.'],
  });
}
