import { observeAndPlan } from '../engine/observe.ts';
import type { HostReader } from '../host/host.ts';
import { type Inventory, readInventory } from '../host/inventory.ts';
import { LocalHost } from '../host/local.ts';
import { rememberingReader } from '../host/memo.ts';
import { openSnapshot } from '../host/snapshot.ts';
import type { Layout } from '../layout/layout.ts';
import { type Inspection, readInspection } from '../topology/inspection.ts';
import type { Machine } from '../topology/machine.ts';
import { readMachine } from '../topology/read.ts';
import { drawTopology } from '../views/topology-svg.ts';
import { loadWanted } from './wanted.ts';

/** The facts of a machine; the roles of a profile when one was named; the inventory of this machine only. */
export interface Inspected {
  readonly machine: Machine;
  readonly inspection: Inspection;
  readonly inventory: Inventory | undefined;
  readonly layout: Layout | undefined;
}

export interface InspectFlags {
  readonly snapshot?: string | undefined;
  readonly profile?: string | undefined;
  readonly svg?: string | undefined;
}

/** Reads all; draws the picture when a file is named. Changes nothing on the machine. */
export async function inspect(root: string, flags: InspectFlags): Promise<Inspected> {
  const snapshot = flags.snapshot === undefined ? undefined : await openSnapshot(flags.snapshot);
  try {
    const reader = rememberingReader(snapshot ?? new LocalHost());
    const sshConnection = snapshot ? undefined : process.env.SSH_CONNECTION;
    const machine = await readMachine(reader, sshConnection === undefined ? {} : { sshConnection });
    const inspection = await readInspection(reader, machine);
    const inventory = snapshot ? undefined : await readInventory();
    const layout = flags.profile === undefined ? undefined : await solveFor(reader, root, flags.profile);
    if (flags.svg !== undefined) await new LocalHost().replaceFile(flags.svg, drawTopology(machine, layout));
    return { machine, inspection, inventory, layout };
  } finally {
    await snapshot?.close();
  }
}

async function solveFor(reader: HostReader, root: string, profile: string): Promise<Layout> {
  const { wanted, locate } = await loadWanted(profile, root);
  const planned = await locate(() => observeAndPlan({ reader, domains: [], wanted }));
  return planned.machine.layout;
}
