import { EAL_WORD, type EalPlan, ealArguments, withEal } from '../dpdk/eal.ts';
import { listNotReady, planEal, planProcessEal } from '../dpdk/eal-plan.ts';
import { observeAndPlan } from '../engine/observe.ts';
import type { Wanted } from '../engine/scope.ts';
import { HftError, UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { LocalHost } from '../host/local.ts';
import { rememberingReader } from '../host/memo.ts';
import { openSnapshot } from '../host/snapshot.ts';
import { effectiveLayout } from '../layout/effective.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { readMachine } from '../topology/read.ts';
import { chooseDevices } from '../tuning/dpdk/binding.ts';
import { observeDpdk, type PciNic } from '../tuning/dpdk/facts.ts';
import type { DpdkWanted } from '../tuning/dpdk/schema.ts';
import { type Placed, placeDeployment } from './place.ts';
import { loadWanted } from './wanted.ts';

export interface EalFlags {
  readonly profile?: string | undefined;
  readonly deployment?: string | undefined;
  readonly process?: string | undefined;
  readonly snapshot?: string | undefined;
}

export interface EalAnswer extends EalPlan {
  readonly host: string;
  readonly arguments: readonly string[];
  /** What keeps DPDK from opening a device now. */
  readonly notes: readonly string[];
}

/** EAL arguments for this host, for a profile or a process of a deployment. Changes nothing. */
export async function computeEal(root: string, flags: EalFlags): Promise<EalAnswer> {
  const snapshot = flags.snapshot === undefined ? undefined : await openSnapshot(flags.snapshot);
  try {
    const reader = rememberingReader(snapshot ?? new LocalHost());
    return flags.process === undefined
      ? await computeOwn(reader, root, flags)
      : await computeOfProcess(reader, root, flags);
  } finally {
    await snapshot?.close();
  }
}

async function computeOwn(reader: HostReader, root: string, { profile, deployment }: EalFlags): Promise<EalAnswer> {
  if (deployment !== undefined)
    throw new UsageError('--deployment says where a process is written: name it with --process.');
  const wanted = profile === undefined ? undefined : (await loadWanted(profile, root)).wanted;
  const machine = await placeRoles(reader, wanted);
  const devices = await findDevices(reader, machine, dpdkOf(wanted));
  const { memoryPerNode, workers } = dpdkOf(wanted)?.eal ?? {};
  return answer(planEal({ machine, devices, memoryPerNode, workers, filePrefix: 'hft' }), machine, devices);
}

async function computeOfProcess(reader: HostReader, root: string, flags: EalFlags): Promise<EalAnswer> {
  const { deployment: file, process: name, profile } = flags;
  if (file === undefined)
    throw new UsageError('--process names a process of a deployment: say which with --deployment FILE.');
  const placed = await placeDeployment(reader, { root, file, profile });
  const process = placed.placement.processes.find((each) => each.name === name);
  if (process === undefined) {
    const known = placed.placement.processes.map((each) => each.name).join(', ');
    throw new UsageError(`${placed.deployment.file} has no process ${name} (processes: ${known}).`);
  }
  const devices = await findDevices(reader, placed.machine, dpdkOf(await wantedOf(placed, root)));
  return answer(planProcessEal(process, devices), placed.machine, devices);
}

/** The deployment with the arguments of each process where its command has {eal}. Reads no device where none has. */
export async function fillEal(reader: HostReader, root: string, placed: Placed): Promise<Placed['deployment']> {
  const { deployment, placement, machine } = placed;
  const asking = Object.entries(deployment.processes).filter(([, { command }]) => command.includes(EAL_WORD));
  if (asking.length === 0) return deployment;
  const devices = await findDevices(reader, machine, dpdkOf(await wantedOf(placed, root)));
  const filled = asking.flatMap(([name, wanted]) => {
    const process = placement.processes.find((each) => each.name === name);
    if (process === undefined) return [];
    const [program, ...rest] = wanted.command;
    const command: typeof wanted.command = [program, ...withEal(rest, ealArguments(planProcessEal(process, devices)))];
    return [[name, { ...wanted, command }]];
  });
  return { ...deployment, processes: { ...deployment.processes, ...Object.fromEntries(filled) } };
}

async function wantedOf({ profile }: Placed, root: string): Promise<Wanted | undefined> {
  return profile === undefined ? undefined : (await loadWanted(profile, root)).wanted;
}

async function placeRoles(reader: HostReader, wanted: Wanted | undefined): Promise<PlacedMachine> {
  if (wanted !== undefined) return (await observeAndPlan({ reader, domains: [], wanted })).machine;
  const machine = await readMachine(reader);
  return { ...machine, layout: effectiveLayout(machine) };
}

function dpdkOf(wanted: Wanted | undefined): DpdkWanted | undefined {
  return wanted?.domains.dpdk as DpdkWanted | undefined;
}

/** Those that the profile names and their virtual functions; without any, those that are bound to vfio-pci. */
async function findDevices(
  reader: HostReader,
  machine: PlacedMachine,
  wanted: DpdkWanted | undefined,
): Promise<readonly PciNic[]> {
  const facts = await observeDpdk(reader, machine);
  if (wanted === undefined || wanted.devices.length + wanted.vfs.length === 0)
    return facts.nics.filter(({ driver }) => driver === 'vfio-pci');
  const { chosen, refused } = chooseDevices(wanted.devices, { wanted, facts, machine });
  const parents = chooseDevices(
    wanted.vfs.filter(({ bind }) => bind).map(({ of }) => of),
    { wanted, facts, machine },
  );
  const [first] = [...refused, ...parents.refused];
  if (first !== undefined) throw new HftError(`${first.id}: ${first.reason}`, { exitCode: 1 });
  const vfs = parents.chosen.flatMap(({ pci }) => pci.sriov?.vfs ?? []);
  return [...chosen.map(({ pci }) => pci), ...facts.nics.filter(({ address }) => vfs.includes(address))];
}

function answer(plan: EalPlan, { host }: PlacedMachine, devices: readonly PciNic[]): EalAnswer {
  return { host, ...plan, arguments: ealArguments(plan), notes: listNotReady(devices) };
}
