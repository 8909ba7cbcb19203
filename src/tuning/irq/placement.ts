import type { PlacedMachine } from '../../layout/layout.ts';
import type { CpuSet } from '../../topology/cpulist.ts';
import type { Irq, Nic } from '../../topology/machine.ts';
import { localTo } from '../../topology/nic-node.ts';
import { queueIndex } from './names.ts';

/** The NIC that an interrupt belongs to. */
export function nicOf(irq: Irq, nics: readonly Nic[]): Nic | undefined {
  return nics.find((nic) => nic.irqs.includes(irq.irq)) ?? nics.find((nic) => nic.name === irq.device);
}

/**
 * The CPU for each queue interrupt of the trading NICs: queue by queue around the given CPUs, those on the NIC's NUMA
 * node when there are any. Receive and transmit interrupt of one queue share a CPU; a second NIC goes on where the
 * first one ended.
 */
export function placeQueues(nics: readonly Nic[], cpus: CpuSet, machine: PlacedMachine): ReadonlyMap<number, number> {
  const placed = new Map<number, number>();
  let first = 0;
  for (const nic of nics) {
    const local = localTo(nic, cpus, machine.topology);
    let count = 0;
    for (const irq of machine.irqs) {
      const index = nicOf(irq, machine.nics) === nic ? queueIndex(irq) : undefined;
      if (index === undefined) continue;
      placed.set(irq.irq, local[(first + index) % local.length] as number);
      count = Math.max(count, index + 1);
    }
    first += count;
  }
  return placed;
}
