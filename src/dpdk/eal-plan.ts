import { HftError } from '../errors.ts';
import type { PlacedProcess } from '../launch/placement.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { cpusNearNic } from '../layout/trading-nic.ts';
import { intersection, printCpulist } from '../topology/cpulist.ts';
import type { PciNic } from '../tuning/dpdk/facts.ts';
import { isForDpdk } from './devices.ts';
import type { EalPlan } from './eal.ts';

export interface EalWish {
  readonly machine: PlacedMachine;
  /** Devices that the process drives. */
  readonly devices: readonly PciNic[];
  /** bytes on each node of the workers; undefined: all hugepages that are free there. */
  readonly memoryPerNode: number | undefined;
  /** Worker lcores at most. */
  readonly workers: number | undefined;
  readonly filePrefix: string;
}

/** For a process of its own: the isolated CPUs near its NIC poll. Throws HftError: no isolated CPU, no hugepages. */
export function planEal(wish: EalWish): EalPlan {
  const { machine, devices, filePrefix } = wish;
  const { layout, topology } = machine;
  const near = nearDevices(machine, devices);
  const isolated = intersection(layout.isolated, near);
  const workers = (isolated.length > 0 ? isolated : layout.isolated).slice(0, wish.workers);
  const mainLcore = intersection(layout.housekeeping, near)[0] ?? layout.housekeeping[0];
  if (workers.length === 0 || mainLcore === undefined) {
    const next = ['Name a profile that isolates some: `--profile colo-dpdk`. `hft profile explain` shows the roles.'];
    throw new HftError(`${machine.host} has no isolated CPU for a worker lcore.`, { exitCode: 1, next });
  }
  const nodes = new Set(topology.cpus.flatMap(({ cpu, node }) => (workers.includes(cpu) ? [node ?? 0] : [])));
  return { mainLcore, workers, filePrefix, allow: addressesOf(devices), memoryMib: spreadMemory(wish, [...nodes]) };
}

function nearDevices(machine: PlacedMachine, devices: readonly PciNic[]): readonly number[] {
  const nodes = new Set(devices.flatMap(({ node }) => (node === undefined ? [] : [node])));
  if (nodes.size > 0) return machine.topology.cpus.flatMap(({ cpu, node }) => (nodes.has(node ?? -1) ? [cpu] : []));
  return machine.layout.nic === undefined
    ? machine.topology.cpus.map(({ cpu }) => cpu)
    : cpusNearNic(machine.layout.nic, machine);
}

function spreadMemory({ machine, memoryPerNode }: EalWish, nodes: readonly number[]): readonly number[] {
  const free = freeMibByNode(machine);
  const wanted = memoryPerNode === undefined ? undefined : Math.ceil(memoryPerNode / 2 ** 20);
  const short = nodes.find((node) => (free[node] ?? 0) < Math.max(wanted ?? 1, 1));
  if (short !== undefined) {
    const asked = wanted === undefined ? '' : `; ${wanted} MiB are wanted (dpdk.eal.memoryPerNode)`;
    const next = [
      'memory.hugepages of a profile makes some; files that ended processes left in the mounts of hugetlbfs keep theirs.',
    ];
    throw new HftError(`Node ${short} of ${machine.host} has ${free[short] ?? 0} MiB of free hugepages${asked}.`, {
      exitCode: 1,
      next,
    });
  }
  return Array.from({ length: Math.max(...nodes) + 1 }, (_, node) =>
    nodes.includes(node) ? (wanted ?? (free[node] as number)) : 0,
  );
}

/** MiB of free hugepages on each node, from node 0 on. */
function freeMibByNode({ topology }: PlacedMachine): readonly number[] {
  const most = Math.max(0, ...topology.nodes.map(({ node }) => node));
  return Array.from({ length: most + 1 }, (_, number) => {
    const pools = topology.nodes.find(({ node }) => node === number)?.hugepages ?? [];
    return pools.reduce((sum, pool) => sum + (pool.free * pool.pageBytes) / 2 ** 20, 0);
  });
}

const UNIT_MIB: Readonly<Record<string, number>> = { K: 1 / 1024, M: 1, G: 1024 };

/** For a process of a deployment: its own CPUs poll, and its memory is what it asks for. Throws HftError: no CPU of its own. */
export function planProcessEal(process: PlacedProcess, devices: readonly PciNic[]): EalPlan {
  const { name, own, rest, memory } = process;
  const mainLcore = rest.find((cpu) => !own.includes(cpu));
  if (own.length === 0 || mainLcore === undefined) {
    const next = [`Give it some: processes.${name}.cpus: {count: 2}, and a thread "*" on housekeeping.`];
    const has = `CPUs of its own: ${printCpulist(own) || 'none'}; for the rest: ${printCpulist(rest) || 'none'}`;
    throw new HftError(`${name}: EAL needs a CPU for its main thread and one of its own for each worker (${has}).`, {
      exitCode: 2,
      next,
    });
  }
  const totalMib = Object.entries(memory.hugepages).reduce((sum, [size, pages]) => sum + pages * mibOf(size), 0);
  const { nodes } = memory;
  const memoryMib =
    totalMib === 0 || nodes.length === 0
      ? undefined
      : Array.from({ length: Math.max(...nodes) + 1 }, (_, node) =>
          nodes.includes(node) ? Math.floor(totalMib / nodes.length) : 0,
        );
  return { mainLcore, workers: own, memoryMib, allow: addressesOf(devices), filePrefix: name };
}

/** `2M`, `1G`. */
function mibOf(size: string): number {
  return Number(size.slice(0, -1)) * (UNIT_MIB[size.slice(-1)] as number);
}

function addressesOf(devices: readonly PciNic[]): readonly string[] {
  return devices.map(({ address }) => address);
}

/** Devices that could not be opened now, for people. */
export function listNotReady(devices: readonly PciNic[]): readonly string[] {
  return devices
    .filter((nic) => !isForDpdk(nic))
    .map(
      ({ address, driver }) =>
        `${address} is driven by ${driver ?? 'nothing'} now: DPDK finds it once it is bound to vfio-pci (hft tune).`,
    );
}
