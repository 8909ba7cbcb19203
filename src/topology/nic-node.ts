import { type CpuSet, intersection } from './cpulist.ts';
import type { Nic, Topology } from './machine.ts';

/** Those of the CPUs on the NIC's NUMA node; all of them when none is, or the node is not known. */
export function localTo(nic: Nic | undefined, cpus: CpuSet, topology: Topology): CpuSet {
  const node = topology.nodes.find((each) => each.node === nic?.node);
  const local = intersection(cpus, node?.cpus ?? []);
  return local.length > 0 ? local : cpus;
}
