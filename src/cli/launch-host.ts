import type { ProcessRecord } from '../launch/supervision.ts';
import type { LaunchAnswer, LaunchFlags } from './launch.ts';
import type { NamedHost } from './named-host.ts';
import { openRemote } from './open-host.ts';
import type { Listing } from './ps.ts';
import type { Installation } from './target.ts';

type WithHost<Flags> = Flags & { readonly host: NamedHost | undefined };

/** Here, or on the named host, where the deployment is one of that host's own. */
export async function launchHost(
  installation: Installation,
  deployment: string,
  { host, ...flags }: WithHost<LaunchFlags>,
): Promise<LaunchAnswer> {
  if (host === undefined) return (await import('./launch.ts')).launch(installation, deployment, flags);
  const { control, close } = await openRemote(host);
  return control.launch(deployment, flags).finally(close);
}

export async function stopHost(
  installation: Installation,
  names: readonly string[],
  host: NamedHost | undefined,
): Promise<readonly ProcessRecord[]> {
  if (host === undefined) return (await import('./launch.ts')).stop(installation, names);
  const { control, close } = await openRemote(host);
  return control.stop(names).finally(close);
}

export async function listHost(root: string, host: NamedHost | undefined, signal: AbortSignal): Promise<Listing> {
  if (host === undefined) return (await import('./ps.ts')).list(root, signal);
  const { control, close } = await openRemote(host);
  return control.ps().finally(close);
}
