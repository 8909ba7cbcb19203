import { resolveCpuSet } from '../../layout/cpu-set.ts';
import { type CpuSet, printCpulist, union, without } from '../../topology/cpulist.ts';
import { localTo } from '../../topology/nic-node.ts';
import { type Decision, type NicCase, refuse, wish } from './decision.ts';

/**
 * Which CPU handles a packet after the interrupt, and which queue a CPU sends through.
 * https://docs.kernel.org/networking/scaling.html
 */
export function desireSteering(nicCase: NicCase): readonly Decision[] {
  return [...desireRps(nicCase), ...desireRfs(nicCase), ...desireXps(nicCase)];
}

/** The kernel takes isolated CPUs out of the mask, and answers EINVAL when nothing is left. */
function desireRps(nicCase: NicCase): readonly Decision[] {
  const { wanted, nic, machine } = nicCase;
  if (wanted.rps === undefined) return [];
  const asked = resolveCpuSet(wanted.rps, machine);
  const { layout, kernel } = machine;
  const cpus = without(asked, union(layout.isolated, kernel.isolated, kernel.nohzFull));
  if (asked.length > 0 && cpus.length === 0) {
    const names = `"${wanted.rps}" (${printCpulist(asked)})`;
    const reason = `Every CPU of ${names} is isolated; the kernel refuses such a mask (EINVAL).`;
    return [refuse(nic, 'rps', reason, 'refused')];
  }
  const why =
    cpus.length === 0
      ? 'A packet is handled on the CPU that took its interrupt: handing it on costs an interrupt to another CPU.'
      : 'Packets are handed on to these CPUs, for a NIC with fewer queues than CPUs.';
  return perQueue(nicCase, 'rx', (queue, folder) =>
    wish(nic, {
      name: `rps@${queue}`,
      tunable: { kind: 'file', path: `${folder}/rps_cpus`, format: 'cpumask' },
      value: printCpulist(cpus),
      why,
    }),
  );
}

/** The kernel rounds up to a power of two. */
function desireRfs(nicCase: NicCase): readonly Decision[] {
  const { wanted, nic } = nicCase;
  if (wanted.rfs === undefined) return [];
  const entries = wanted.rfs === 0 ? 0 : 2 ** Math.ceil(Math.log2(wanted.rfs));
  const why =
    entries === 0
      ? 'Packets stay on the CPU of their queue; the reader is pinned beside it.'
      : 'A flow is handled on the CPU where its reader runs, at the price of an interrupt to that CPU.';
  return perQueue(nicCase, 'rx', (queue, folder) =>
    wish(nic, {
      name: `rfs@${queue}`,
      tunable: { kind: 'file', path: `${folder}/rps_flow_cnt`, format: 'integer' },
      value: String(entries),
      why,
    }),
  );
}

function desireXps(nicCase: NicCase): readonly Decision[] {
  const { wanted, nic, machine } = nicCase;
  const queues = queuesOf(nicCase, 'tx');
  // With one queue there is nothing to choose, and the kernel has no such file to write.
  if (wanted.xps === undefined || queues.length < 2) return [];
  const shares = wanted.xps === 'none' ? queues.map(() => []) : spread(sendingOrder(nic, machine), queues.length);
  const why =
    wanted.xps === 'none'
      ? 'The hash of a flow chooses its transmit queue.'
      : 'A CPU sends through a queue of its own as far as there are queues: no lock shared with another one.';
  return perQueue(nicCase, 'tx', (queue, folder, index) =>
    wish(nic, {
      name: `xps@${queue}`,
      tunable: { kind: 'file', path: `${folder}/xps_cpus`, format: 'cpumask' },
      value: printCpulist(shares[index] as CpuSet),
      why,
    }),
  );
}

/** Isolated CPUs beside the NIC first, so that they get queues of their own; then all others. */
function sendingOrder(nic: NicCase['nic'], { layout, topology }: NicCase['machine']): CpuSet {
  const online = topology.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.cpu);
  const near = layout.isolated.length === 0 ? [] : localTo(nic, layout.isolated, topology);
  const first = [...near, ...without(layout.isolated, near)];
  return [...first, ...without(online, first)];
}

function spread(cpus: CpuSet, queues: number): readonly CpuSet[] {
  return Array.from({ length: queues }, (_, queue) => cpus.filter((_cpu, index) => index % queues === queue));
}

function queuesOf({ nic, facts }: NicCase, direction: 'rx' | 'tx'): readonly string[] {
  const known = facts?.queues.filter((queue) => queue.startsWith(`${direction}-`));
  const names = known ?? Array.from({ length: nic.queues[direction] }, (_, index) => `${direction}-${index}`);
  return [...names].sort((left, right) => Number(left.slice(3)) - Number(right.slice(3)));
}

function perQueue(
  nicCase: NicCase,
  direction: 'rx' | 'tx',
  decide: (queue: string, folder: string, index: number) => Decision,
): Decision[] {
  const { name } = nicCase.nic;
  return queuesOf(nicCase, direction).map((queue, index) =>
    decide(queue, `/sys/class/net/${name}/queues/${queue}`, index),
  );
}
