import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { printCpulist } from '../../../src/topology/cpulist.ts';
import type { Machine } from '../../../src/topology/machine.ts';

export const COLO = { irq: { cores: 1 }, isolated: { cores: 'most' } };
export const TWO_NICS = [
  { name: 'eth0', node: 0, carriesSession: true, speedMbps: 1000 },
  { name: 'eth1', node: 1, speedMbps: 25000 },
];

/** A layout in the form that tests read best: roles as cpulists, refusals by id. */
export function solve(wanted: object, machine: Machine) {
  const layout = solveLayout(layoutWanted.parse(wanted), machine);
  return {
    housekeeping: printCpulist(layout.housekeeping),
    irq: printCpulist(layout.irq),
    isolated: printCpulist(layout.isolated),
    offline: printCpulist(layout.offline ?? []),
    refused: layout.refused.map((entry) => entry.id),
    layout,
  };
}

export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}
