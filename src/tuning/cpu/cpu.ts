import type { PlacedMachine } from '../../layout/layout.ts';
import { type CpuSet, isSubset, printCpulist, without } from '../../topology/cpulist.ts';
import { nameTarget } from '../../topology/irq-names.ts';
import { type Bystander, type Desired, defineDomain, type Setting } from '../domain.ts';
import { CPU, type CpuFacts, observeCpus } from './facts.ts';
import { desireFrequencies, desireMinPerfPct, desireTurbo, desireUncore } from './frequency.ts';
import { desireSleep } from './idle.ts';
import { listRoles, setFile } from './role.ts';
import type { CpuWanted, RoleWanted } from './schema.ts';

const NOTHING: Desired = { settings: [], refused: [] };

/** Frequency, sleep and hardware threads. https://docs.kernel.org/admin-guide/pm/working-state.html */
export const cpuDomain = defineDomain<CpuWanted, CpuFacts>({
  name: 'cpu',
  schema: async () => (await import('./schema.ts')).cpuWanted,
  observe: observeCpus,
  desire(wanted, facts, machine) {
    const parts = [
      wanted.smt === undefined ? NOTHING : desireSmt(wanted.smt, machine),
      desireOffline(machine),
      wanted.turbo === undefined ? NOTHING : desireTurbo(wanted.turbo, facts),
      wanted.min_perf_pct === undefined ? NOTHING : desireMinPerfPct(wanted.min_perf_pct, facts),
      wanted.uncore === undefined ? NOTHING : desireUncore(wanted.uncore, facts),
      ...listRoles(machine.layout).flatMap((role) => {
        const part: RoleWanted | undefined = wanted[role.name];
        if (part === undefined || role.cpus.length === 0) return [];
        return [desireFrequencies(role, part, facts), desireSleep(role, part, { facts, machine })];
      }),
    ];
    return withoutRepetition(parts);
  },
});

/** https://docs.kernel.org/admin-guide/hw-vuln/l1tf.html#smt-control */
function desireSmt(isWanted: boolean, machine: PlacedMachine): Desired {
  const { control } = machine.topology.smt;
  const id = 'cpu.smt@machine';
  if (control !== 'on' && control !== 'off') {
    const state = control === undefined ? `${CPU}/smt/control is not there` : `the kernel says ${control}`;
    const reason = `Hardware threads cannot be switched here: ${state}.`;
    return { settings: [], refused: [{ id, kind: 'unsupported', reason }] };
  }
  const why = isWanted
    ? 'All hardware threads are used.'
    : 'Two hardware threads share one core and slow each other down.';
  const value = isWanted ? 'on' : 'off';
  const setting = setFile({ id, path: `${CPU}/smt/control`, value, format: 'word', why, stage: 'shape' });
  const bystanders = isWanted ? [] : boundInterrupts(secondThreads(machine), machine);
  return { settings: [withBystanders(setting, bystanders)], refused: [] };
}

/** The kernel keeps the first thread of each core (cpu_bootable, kernel/cpu.c). */
function secondThreads({ topology }: PlacedMachine): CpuSet {
  return topology.cpus.filter(({ cpu, siblings }) => siblings.some((each) => each < cpu)).map(({ cpu }) => cpu);
}

/** The other hardware threads of isolated cores, which the layout wants offline. */
function desireOffline(machine: PlacedMachine): Desired {
  const why = 'It is the second hardware thread of an isolated core: what ran here would slow the trading thread down.';
  const offline = machine.layout.offline ?? [];
  // All of them go: what is bound to two of them is moved before the first one goes.
  const bystanders = boundInterrupts(offline, machine);
  const settings = offline.map((cpu, index) => {
    const path = `${CPU}/cpu${cpu}/online`;
    const setting = setFile({ id: `cpu.online@cpu${cpu}`, path, value: '0', format: 'integer', why, stage: 'shape' });
    return withBystanders(setting, index === 0 ? bystanders : []);
  });
  return { settings, refused: [] };
}

function withBystanders(setting: Setting, bystanders: readonly Bystander[]): Setting {
  return bystanders.length === 0 ? setting : { ...setting, bystanders };
}

/** Interrupts that no other CPU may take: the kernel gives them to all when theirs goes (kernel/irq/cpuhotplug.c). */
function boundInterrupts(offline: CpuSet, { irqs, nics, topology }: PlacedMachine): readonly Bystander[] {
  const online = topology.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.cpu);
  const within = printCpulist(without(online, offline));
  const bound = irqs.filter(
    (irq) => irq.actions.length > 0 && !irq.managed && irq.affinity.length > 0 && isSubset(irq.affinity, offline),
  );
  return bound.map((irq) => {
    const nic = nics.find((each) => each.irqs.includes(irq.irq));
    const action = irq.actions[0] as string;
    return {
      id: `irq.affinity@${nameTarget(irq)}`,
      tunable: { kind: 'irq-affinity', irq: irq.irq, action },
      within,
      ...(nic && { interface: nic.name }),
    };
  });
}

/** CPUs of two roles can share a clock (a policy): the first wish counts, which is that of the isolated CPUs. */
function withoutRepetition(parts: readonly Desired[]): Desired {
  const seen = new Set<string>();
  const settings = parts
    .flatMap((part) => part.settings)
    .filter(({ id }) => {
      const isNew = !seen.has(id);
      seen.add(id);
      return isNew;
    });
  return { settings, refused: parts.flatMap((part) => part.refused) };
}
