import { observeAndPlan } from '../engine/observe.ts';
import type { Wanted } from '../engine/scope.ts';
import type { HostReader } from '../host/host.ts';
import { type Inventory, readInventory } from '../host/inventory.ts';
import { rememberingReader } from '../host/memo.ts';
import type { Layout } from '../layout/layout.ts';
import { type Inspection, readInspection } from '../topology/inspection.ts';
import type { Machine } from '../topology/machine.ts';
import { readMachine } from '../topology/read.ts';

/** The facts of a machine; the roles of a profile when one was named; the inventory of this machine only. */
export interface Inspected {
  readonly machine: Machine;
  readonly inspection: Inspection;
  readonly inventory: Inventory | undefined;
  readonly layout: Layout | undefined;
}

export interface InspectRequest {
  /** Whose CPU roles to solve. */
  readonly wanted?: Wanted | undefined;
  readonly sshConnection?: string | undefined;
  /** What is plugged into it: of this machine alone. */
  readonly withInventory: boolean;
}

/** Changes nothing. Throws LayoutError and CpuExpressionError for roles that the machine cannot have. */
export async function inspectMachine(reader: HostReader, request: InspectRequest): Promise<Inspected> {
  const { wanted, sshConnection, withInventory } = request;
  const remembering = rememberingReader(reader);
  const machine = await readMachine(remembering, sshConnection === undefined ? {} : { sshConnection });
  const inspection = await readInspection(remembering, machine);
  const inventory = withInventory ? await readInventory() : undefined;
  const layout = wanted && (await observeAndPlan({ reader: remembering, domains: [], wanted })).machine.layout;
  return { machine, inspection, inventory, layout };
}
