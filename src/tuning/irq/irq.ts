import { resolveCpuSet } from '../../layout/cpu-set.ts';
import type { PlacedMachine } from '../../layout/layout.ts';
import { type CpuSet, intersection, isSubset, printCpulist, union } from '../../topology/cpulist.ts';
import { nameTarget } from '../../topology/irq-names.ts';
import type { Irq, Machine, Nic } from '../../topology/machine.ts';
import { localTo } from '../../topology/nic-node.ts';
import { listNics, selectNics } from '../../topology/nic-selection.ts';
import { type Desired, defineDomain, type Refusal, type Setting } from '../domain.ts';
import { NOT_CAPTURED, observeWhole } from '../knobs/directories.ts';
import { tellIrqbalance } from './irqbalance.ts';
import { isFixed } from './names.ts';
import { nicOf, placeQueues } from './placement.ts';
import type { IrqWanted } from './schema.ts';

interface Facts {
  /** false: a capture that does not hold everything. */
  readonly isWhole: boolean;
}

/** Which CPU takes which interrupt, judged by the effective affinity. */
export const irqDomain = defineDomain<IrqWanted, Facts>({
  name: 'irq',
  schema: async () => (await import('./schema.ts')).irqWanted,
  // Interrupts and NICs are in the machine already.
  observe: async (host) => ({ isWhole: await observeWhole(host) }),
  desire(wanted, { isWhole }, machine) {
    if (!isWhole && machine.irqs.length === 0) {
      return { settings: [], refused: [{ id: 'irq.affinity', reason: NOT_CAPTURED, kind: 'unknown' }] };
    }
    const trading = tradingNics(wanted, machine);
    const decisions = [
      ...trading.refused,
      ...desireIrqbalance(wanted, machine, trading.nics),
      ...desireDefault(wanted, machine),
      ...desireAffinities({ wanted, machine, trading: trading.nics }),
    ];
    return split(decisions);
  },
});

type Decision = Setting | Refusal;

function split(decisions: readonly Decision[]): Desired {
  return {
    settings: decisions.filter((decision): decision is Setting => 'tunable' in decision),
    refused: decisions.filter((decision): decision is Refusal => 'reason' in decision),
  };
}

function tradingNics(
  { nics: wanted }: IrqWanted,
  machine: PlacedMachine,
): { nics: readonly Nic[]; refused: readonly Refusal[] } {
  const selectors = wanted === 'auto' ? [machine.layout.nic].filter((name) => name !== undefined) : wanted;
  const { nics, unmatched } = selectNics(selectors, machine.nics);
  const refused = unmatched.map((selector): Refusal => {
    const reason = `No NIC here is ${selector} (NICs: ${listNics(machine.nics)}).`;
    return { id: `irq.affinity@${selector}`, reason, kind: 'refused' };
  });
  return { nics, refused };
}

function desireDefault(wanted: IrqWanted, machine: PlacedMachine): readonly Decision[] {
  if (wanted.default === undefined) return [];
  const cpus = resolveCpuSet(wanted.default, machine);
  if (isSubset(onlineCpus(machine), cpus)) return [];
  const id = 'irq.default-affinity';
  if (cpus.length === 0) return [noCpus(id, wanted.default)];
  return [
    {
      id,
      stage: 'values',
      tunable: { kind: 'file', path: '/proc/irq/default_smp_affinity', format: 'cpumask' },
      value: printCpulist(cpus),
      why: 'Interrupts that drivers request from now on start on these CPUs, not on isolated ones.',
      ifRefused: 'fail',
      disruption: 'none',
    },
  ];
}

interface Affinities {
  readonly wanted: IrqWanted;
  readonly machine: PlacedMachine;
  readonly trading: readonly Nic[];
}

function desireAffinities({ wanted, machine, trading }: Affinities): readonly Decision[] {
  const irqs = machine.irqs.filter((irq) => irq.actions.length > 0 && !isFixed(irq));
  const queueCpus = wanted.queues === undefined ? [] : resolveCpuSet(wanted.queues, machine);
  const queues = queueCpus.length === 0 ? new Map<number, number>() : placeQueues(trading, queueCpus, machine);
  const others = wanted.others === undefined ? undefined : resolveCpuSet(wanted.others, machine);
  if (others?.length === 0) return [noCpus('irq.affinity', wanted.others as string)];
  const online = onlineCpus(machine);
  return irqs.flatMap((irq) => {
    const id = `irq.affinity@${nameTarget(irq)}`;
    const queueCpu = queues.get(irq.irq);
    if (queueCpu !== undefined)
      return irq.managed ? refuseManaged(id, irq, machine) : [pinQueue(id, irq, queueCpu, machine)];
    if (others === undefined || isSubset(online, others)) return [];
    return irq.managed ? refuseManaged(id, irq, machine) : [moveOff(id, irq, { others, online }, machine)];
  });
}

/** A managed interrupt that disturbs no isolated CPU needs no word. */
function refuseManaged(id: string, irq: Irq, { layout }: PlacedMachine): readonly Decision[] {
  const disturbed = intersection(irq.effective, layout.isolated);
  if (disturbed.length === 0) return [];
  const where = printCpulist(disturbed);
  const mask = printCpulist(irq.affinity);
  const reason =
    `The kernel manages this affinity (CPUs ${mask}, effective ${where}) and refuses to change it. ` +
    `It fires when CPU ${where} itself uses ${irq.device}; isolcpus=managed_irq keeps it away where it can.`;
  return [{ id, reason, kind: 'unsupported' }];
}

function pinQueue(id: string, irq: Irq, cpu: number, machine: PlacedMachine): Setting {
  return affinity(id, irq, {
    value: String(cpu),
    why: 'Each queue of the trading NIC interrupts a CPU of its own, on the NUMA node of the NIC.',
    ifRefused: 'fail',
    machine,
  });
}

/** Where an interrupt is right already it keeps its own affinity: whoever set it had a reason. */
function moveOff(
  id: string,
  irq: Irq,
  { others, online }: { readonly others: CpuSet; readonly online: CpuSet },
  machine: PlacedMachine,
): Setting {
  const reachable = intersection(irq.affinity, online);
  const isRight = reachable.length > 0 && isSubset(reachable, others) && isSubset(irq.effective, others);
  const cpus = isRight ? irq.affinity : localTo(nicOf(irq, machine.nics), others, machine.topology);
  return affinity(id, irq, {
    value: printCpulist(cpus),
    why: 'An interrupt on an isolated CPU stops what runs there for microseconds.',
    // Some drivers bind an interrupt for good and the kernel tells nobody in advance.
    ifRefused: 'skip',
    machine,
  });
}

interface Placing {
  readonly value: string;
  readonly why: string;
  readonly ifRefused: 'fail' | 'skip';
  readonly machine: PlacedMachine;
}

function affinity(id: string, irq: Irq, { value, why, ifRefused, machine }: Placing): Setting {
  const action = irq.actions[0];
  const nic = nicOf(irq, machine.nics);
  return {
    id,
    stage: 'values',
    tunable: { kind: 'irq-affinity', irq: irq.irq, ...(action !== undefined && { action }) },
    value,
    why,
    ifRefused,
    disruption: 'none',
    ...(nic && { interface: nic.name }),
  };
}

function desireIrqbalance(wanted: IrqWanted, machine: PlacedMachine, trading: readonly Nic[]): readonly Decision[] {
  const service = machine.services.find((each) => /^irqbalance(?:\.service)?$/.test(each.name));
  if (wanted.irqbalance !== 'told' || service === undefined || !(service.active || service.enabled)) return [];
  const places = [wanted.others, wanted.default].filter((place) => place !== undefined);
  const allowed =
    places.length === 0 ? onlineCpus(machine) : union(...places.map((place) => resolveCpuSet(place, machine)));
  return tellIrqbalance(
    trading.map((nic) => nic.name),
    allowed,
    onlineCpus(machine),
  );
}

function onlineCpus({ topology }: Machine): CpuSet {
  return topology.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.cpu);
}

function noCpus(id: string, expression: string): Refusal {
  return { id, reason: `"${expression}" is no CPU on this host; interrupts need at least one.`, kind: 'refused' };
}
