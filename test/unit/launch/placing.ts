import type { Deployment } from '../../../src/launch/deployment.ts';
import type { LaunchFacts } from '../../../src/launch/launch-facts.ts';
import { loadDeployment } from '../../../src/launch/load.ts';
import type { Placement } from '../../../src/launch/placement.ts';
import { solvePlacement } from '../../../src/launch/solve.ts';
import type { PlacedMachine } from '../../../src/layout/layout.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { InvalidProfile } from '../../../src/profile/problem.ts';
import { DEPLOYMENT } from '../../../src/profile/wording.ts';
import { printCpulist } from '../../../src/topology/cpulist.ts';
import type { Machine } from '../../../src/topology/machine.ts';
import { FakeHost } from '../../fake-host.ts';

export const NOTHING_MISSING: LaunchFacts = {
  rtRuntimeUs: -1,
  partition: undefined,
  programs: {},
  folders: {},
  users: {},
  groups: {},
  bypass: {},
};

/** Reads a deployment that is written as text, `./d.yaml`; other files can be extended. */
export function load(text: string, files: Record<string, string> = {}): Promise<Deployment> {
  const reader = new FakeHost({ ...files, './d.yaml': text });
  return loadDeployment('./d.yaml', { searchPath: ['/etc/hft/deployments'], reader, wording: DEPLOYMENT });
}

/** The processes alone, each with a command unless it has one. */
export async function loadProcesses(processes: Record<string, object>): Promise<Deployment> {
  const commanded = Object.fromEntries(
    Object.entries(processes).map(([name, process]) => [name, { command: [`/opt/${name}`], ...process }]),
  );
  return load(JSON.stringify({ processes: commanded }));
}

export function withRoles(machine: Machine, layout: object = { isolated: { cores: 'most' } }): PlacedMachine {
  return { ...machine, layout: solveLayout(layoutWanted.parse(layout), machine) };
}

export function place(deployment: Deployment, machine: PlacedMachine, facts = NOTHING_MISSING): Placement {
  return solvePlacement(deployment, { machine, facts, roles: 'a test' });
}

/** `process/thread` to the CPUs of each of its threads: `md/rx: ['2']`. */
export function cpusOf({ processes }: Placement): Record<string, string[]> {
  return Object.fromEntries(
    processes.flatMap(({ name, threads }) =>
      threads.map((thread) => [`${name}/${thread.name}`, thread.cpus.map((set) => printCpulist(set))] as const),
    ),
  );
}

/** What is said to be wrong; fails when nothing is. */
export async function mistakesOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof InvalidProfile) return error.message;
    throw error;
  }
  throw new Error('expected mistakes');
}
