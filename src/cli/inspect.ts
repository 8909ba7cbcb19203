import { type Inspected, inspectMachine } from '../agent/inspect.ts';
import { LocalHost } from '../host/local.ts';
import { openSnapshot } from '../host/snapshot.ts';
import { drawTopology } from '../views/topology-svg.ts';
import type { NamedHost } from './named-host.ts';
import { openRemote } from './open-host.ts';
import { loadWanted, type NamedWanted } from './wanted.ts';

export interface InspectFlags {
  readonly snapshot?: string | undefined;
  readonly profile?: string | undefined;
  readonly svg?: string | undefined;
}

/** Reads all; draws the picture when a file is named. Changes nothing on the machine. */
export async function inspector(
  root: string,
  flags: InspectFlags,
): Promise<(host: NamedHost | undefined) => Promise<Inspected>> {
  const named = flags.profile === undefined ? undefined : await loadWanted(flags.profile, root);
  return async (host) => {
    const inspected = await locate(named, () => inspectNamed(flags.snapshot, host, named));
    const { machine, layout } = inspected;
    if (flags.svg !== undefined) await new LocalHost().replaceFile(flags.svg, drawTopology(machine, layout));
    return inspected;
  };
}

async function inspectNamed(
  snapshot: string | undefined,
  host: NamedHost | undefined,
  named: NamedWanted | undefined,
): Promise<Inspected> {
  const wanted = named?.wanted;
  if (host !== undefined) {
    const { control, close } = await openRemote(host);
    return control.inspect(wanted).finally(close);
  }
  if (snapshot === undefined) {
    const sshConnection = process.env.SSH_CONNECTION;
    return inspectMachine(new LocalHost(), { wanted, sshConnection, withInventory: true });
  }
  const captured = await openSnapshot(snapshot);
  return inspectMachine(captured, { wanted, withInventory: false }).finally(() => captured.close());
}

function locate<T>(named: NamedWanted | undefined, act: () => Promise<T>): Promise<T> {
  return named === undefined ? act() : named.locate(act);
}
