import type { Scope, Wanted } from '../engine/observe.ts';
import { UsageError } from '../errors.ts';
import { loadProfile } from '../profile/load.ts';
import { locateErrors } from '../profile/locate.ts';
import { installedProfiles } from './installed-profiles.ts';
import { type Installation, openAgent } from './target.ts';

/** What is wanted, and where it was written: errors about it come with file:line:col. */
export interface NamedWanted {
  readonly wanted: Wanted;
  readonly scope: Scope;
  locate<T>(act: () => Promise<T>): Promise<T>;
}

/** A profile by name or path, as the engine takes it. Throws InvalidProfile with file:line:col. */
export async function loadWanted(nameOrPath: string, root: string): Promise<NamedWanted> {
  const profile = await loadProfile(nameOrPath, installedProfiles(root));
  const wanted = { name: profile.name, layout: profile.layout, domains: profile.wanted };
  return { wanted, scope: {}, locate: (act) => locateErrors(profile, act) };
}

/** The same profile, put back after every boot by the hft at `command`. */
export function persisted(wanted: Wanted, command: string): Wanted {
  return { ...wanted, domains: { ...wanted.domains, persistence: { command } } };
}

/** The profile that was named, or the one in force. */
export async function chooseWanted(
  installation: Installation,
  flags: { readonly profile?: string | undefined; readonly snapshot?: string | undefined },
): Promise<NamedWanted> {
  if (flags.profile !== undefined) return loadWanted(flags.profile, installation.root);
  const inForce = flags.snapshot === undefined ? await (await openAgent(installation)).inForce() : undefined;
  if (inForce) return { ...inForce, locate: (act) => act() };
  throw new UsageError('No profile is in force here, so there is nothing to compare with.', {
    next: ['Name one: `--profile colo`. `hft profile list` shows what there is.'],
  });
}
