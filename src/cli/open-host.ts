import type { RemoteHost } from '../agent/client/remote-host.ts';
import type { ControlledHost } from '../agent/controlled-host.ts';
import type { NamedHost } from './named-host.ts';
import { type Installation, openAgent } from './target.ts';

export interface OpenHost<Control extends ControlledHost = ControlledHost> {
  readonly control: Control;
  close(): void;
}

/** This machine, or the one that is named. Close it when done. Throws what failures.ts has. */
export async function openHost(installation: Installation, named: NamedHost | undefined): Promise<OpenHost> {
  if (named !== undefined) return openRemote(named);
  const { controlHere } = await import('../agent/controlled-host.ts');
  return { control: controlHere(await openAgent(installation)), close() {} };
}

/** Does something with this machine or the named one, and closes it. */
export async function withHost<T>(
  installation: Installation,
  named: NamedHost | undefined,
  act: (control: ControlledHost) => Promise<T>,
): Promise<T> {
  const { control, close } = await openHost(installation, named);
  try {
    return await act(control);
  } finally {
    close();
  }
}

/** zeromq and what needs it is loaded here, and nowhere before. */
export async function openRemote(named: NamedHost): Promise<OpenHost<RemoteHost>> {
  const { AgentConnection } = await import('../agent/client/connection.ts');
  const { controlRemotely } = await import('../agent/client/remote-host.ts');
  const { readSite } = await import('./controller-site.ts');
  const connection = await AgentConnection.open(readSite(named));
  return { control: controlRemotely(connection), close: () => connection.close() };
}
