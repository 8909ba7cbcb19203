import type { VerifyResult } from '../engine/verify.ts';
import type { Hugepages, Machine } from '../topology/machine.ts';
import type { DpdkFacts, PciNic } from '../tuning/dpdk/facts.ts';
import { BIFURCATED, findObstacle } from '../tuning/dpdk/guard.ts';

/** What is there for DPDK, beside what a profile asks for: devices that a program could open now, and their memory. */
export interface DpdkHost {
  readonly facts: DpdkFacts;
  readonly machine: Machine;
  /** Names in /dev/vfio. */
  readonly vfioFiles: readonly string[];
}

/** Each device that DPDK can drive now: whether a program could open it. */
export function judgeDevices({ facts, vfioFiles }: DpdkHost): readonly VerifyResult[] {
  return facts.nics.filter(isForDpdk).map((nic) => {
    const id = `dpdk.group@${nic.address}`;
    const expected = 'a group that VFIO gives out whole';
    if (nic.driver !== 'vfio-pci')
      return result(id, 'pass', [expected, `shared with ${nic.driver}`], `${nic.address}: ${nic.driver} is bifurcated`);
    const obstacle = findObstacle(nic, facts, new Set());
    if (obstacle !== undefined) return result(id, 'fail', [expected, 'not usable'], obstacle.reason);
    const file = `/dev/vfio/${nic.group}`;
    if (!vfioFiles.includes(nic.group ?? ''))
      return result(id, 'fail', [file, 'not there'], `${nic.address} is bound to vfio-pci and ${file} is not there`);
    return result(id, 'pass', [expected, file], `${nic.address}: vfio-pci, group ${nic.group}, ${file}`);
  });
}

export function isForDpdk(nic: PciNic): boolean {
  return nic.driver === 'vfio-pci' || BIFURCATED.includes(nic.driver ?? '');
}

/** Whether the nodes of these devices have free hugepages: a device takes its memory from its own node. */
export function judgeHugepages(nics: readonly PciNic[], { topology }: Machine): readonly VerifyResult[] {
  const nodes = [...new Set(nics.map((nic) => nic.node ?? topology.nodes[0]?.node ?? 0))].sort(
    (left, right) => left - right,
  );
  return nodes.map((number) => {
    const pools = topology.nodes.find(({ node }) => node === number)?.hugepages ?? [];
    const free = pools.reduce((sum, pool) => sum + pool.free * pool.pageBytes, 0);
    const total = pools.reduce((sum, pool) => sum + pool.total, 0);
    const shown =
      pools.map((pool) => `${pool.free} of ${pool.total} pages of ${sizeOf(pool)} free`).join(', ') || 'none at all';
    const id = `dpdk.hugepages@node${number}`;
    if (free > 0) return result(id, 'pass', ['free hugepages', shown], `node ${number}: ${shown}`);
    const next =
      total === 0
        ? 'memory.hugepages of a profile makes some'
        : 'other processes have all of them; files that ended ones left are in the mounts of hugetlbfs';
    return result(id, 'fail', ['free hugepages', shown], `node ${number}: ${shown}; ${next}`);
  });
}

function sizeOf({ pageBytes }: Hugepages): string {
  return pageBytes >= 2 ** 30 ? `${pageBytes / 2 ** 30}G` : `${pageBytes / 2 ** 20}M`;
}

function result(
  id: string,
  status: VerifyResult['status'],
  [expected, actual]: readonly [string, string],
  evidence: string,
): VerifyResult {
  return { id, domain: 'dpdk', status, expected, actual, evidence };
}
