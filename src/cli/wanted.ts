import { PERSISTENCE, type Scope, type Wanted } from '../engine/scope.ts';
import { loadProfile } from '../profile/load.ts';
import { locateErrors } from '../profile/locate.ts';
import { installedProfiles } from './installed-profiles.ts';

/** What is wanted, and where it was written: errors about it come with file:line:col. */
export interface NamedWanted {
  readonly wanted: Wanted;
  /** Without persistence: a profile says nothing of it, so none of it is missing. */
  readonly scope: Scope;
  locate<T>(act: () => Promise<T>): Promise<T>;
}

/** A profile by name or path, as the engine takes it. Throws InvalidProfile with file:line:col. */
export async function loadWanted(nameOrPath: string, root: string): Promise<NamedWanted> {
  const profile = await loadProfile(nameOrPath, installedProfiles(root));
  const { name, layout, latency, drift } = profile;
  const wanted = { name, layout, domains: profile.wanted, ...(latency && { latency }), ...(drift && { drift }) };
  return { wanted, scope: { skip: [PERSISTENCE] }, locate: (act) => locateErrors(profile, act) };
}

/** The same profile, put back after every boot by the hft at `command`. */
export function persisted(wanted: Wanted, command: string): Wanted {
  return { ...wanted, domains: { ...wanted.domains, [PERSISTENCE]: { command } } };
}
