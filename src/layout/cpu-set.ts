import { type CpuSet, printCpulist } from '../topology/cpulist.ts';
import type { Cpu, Machine } from '../topology/machine.ts';
import { groupCores } from './cores.ts';
import {
  type CpuExpression,
  CpuExpressionError,
  type PartName,
  type PlainName,
  parseCpuExpression,
} from './cpu-expression.ts';
import type { Layout, PlacedMachine } from './layout.ts';
import { nameCpus } from './names.ts';
import { cpusNearNic } from './trading-nic.ts';

/** What an expression is evaluated against. Roles are undefined while they are still being decided. */
export interface CpuSetContext {
  readonly machine: Machine;
  readonly nic: string | undefined;
  readonly roles: Layout | undefined;
}

/**
 * The CPUs that an expression of a profile or a deployment means on this machine: ascending, all online.
 * `irq` means the housekeeping CPUs when no CPUs are set apart for interrupts. A role that nobody has is the empty set;
 * a CPU, node, NIC or cache that is not there, or a CPU that is offline, throws CpuExpressionError with the column.
 */
export function resolveCpuSet(expression: string | number, machine: PlacedMachine): CpuSet {
  const text = String(expression);
  const cpus = evaluateCpuSet(text, { machine, nic: machine.layout.nic, roles: machine.layout });
  const online = onlineCpus(machine);
  const offline = cpus.filter((cpu) => !online.includes(cpu));
  if (offline.length > 0) {
    throw new CpuExpressionError(
      { expression: text, column: columnOf(text, offline[0] as number) },
      `${nameCpus(offline)}: offline on ${machine.host}, or to be taken offline (layout.smt)`,
      [`Online: ${printCpulist(online)}.`],
    );
  }
  return cpus;
}

/** The same for an expression inside the layout: offline CPUs named by number stay in, for the solver to refuse. */
export function evaluateCpuSet(expression: string, context: CpuSetContext): CpuSet {
  const evaluation = new Evaluation(expression, context);
  return [...evaluation.evaluate(parseCpuExpression(expression))].sort((left, right) => left - right);
}

class Evaluation {
  private readonly expression: string;
  private readonly context: CpuSetContext;

  constructor(expression: string, context: CpuSetContext) {
    this.expression = expression;
    this.context = context;
  }

  evaluate(tree: CpuExpression): Set<number> {
    switch (tree.kind) {
      case 'cpus':
        return this.namedCpus(tree.cpus, tree.column);
      case 'name':
        return this.plainName(tree.name, tree.column);
      case 'part':
        return this.partCpus(tree.of, tree.numbers, tree.column);
      case 'nic':
        return this.nicCpus(tree.nic, tree.column);
      case 'apply':
        return this.wholeCores(this.evaluate(tree.operand), tree.name);
      case 'join':
        return join(tree.operator, this.evaluate(tree.left), this.evaluate(tree.right));
    }
  }

  private namedCpus(cpus: CpuSet, column: number): Set<number> {
    const present = this.context.machine.topology.cpus.map((cpu) => cpu.cpu);
    const missing = cpus.filter((cpu) => !present.includes(cpu));
    if (missing.length > 0) {
      throw this.errorAt(
        column,
        `${nameCpus(missing)}: not on ${this.context.machine.host}, which has ${nameCpus(present)}`,
        ['Give CPUs of this host, or choose another with --host.'],
      );
    }
    return new Set(cpus);
  }

  private plainName(name: PlainName, column: number): Set<number> {
    if (name === 'none') return new Set();
    if (name === 'nic') return this.tradingNicCpus(column);
    if (name === 'housekeeping' || name === 'irq' || name === 'isolated') return this.roleCpus(name, column);
    return this.onlineWhere((cpu) => name === 'all' || cpu.coreType === name);
  }

  private roleCpus(role: 'housekeeping' | 'irq' | 'isolated', column: number): Set<number> {
    const { roles } = this.context;
    if (roles === undefined) {
      throw this.errorAt(column, `"${role}" is a role, and the layout is where roles are decided`, [
        'Use CPU numbers, node(N), nic, package(N) or l3(N) here.',
        'For all CPUs that are left: `isolated: {cores: most}`.',
      ]);
    }
    if (role === 'irq' && roles.irq.length === 0) return new Set(roles.housekeeping);
    return new Set(roles[role]);
  }

  private partCpus(part: PartName, numbers: readonly number[], column: number): Set<number> {
    const { machine } = this.context;
    for (const number of numbers) {
      if (machine.topology.cpus.some((cpu) => cpu.online && cpu[part] === number)) continue;
      const known = printCpulist(machine.topology.cpus.flatMap((cpu) => (cpu.online ? (cpu[part] ?? []) : [])));
      const label = part === 'node' ? 'NUMA node' : part === 'l3' ? 'L3 cache' : part;
      const without = part === 'node' && machine.topology.nodes.some((node) => node.node === number);
      const problem = without
        ? `NUMA node ${number} of ${machine.host} has no online CPUs`
        : `there is no ${label} ${number} on ${machine.host}`;
      throw this.errorAt(column, `${problem} (with CPUs: ${known === '' ? 'none' : known})`);
    }
    return this.onlineWhere((cpu) => cpu[part] !== undefined && numbers.includes(cpu[part] as number));
  }

  private nicCpus(name: string, column: number): Set<number> {
    const { machine } = this.context;
    if (!machine.nics.some((nic) => nic.name === name)) {
      const known = machine.nics.map((nic) => nic.name).sort();
      throw this.errorAt(column, `there is no NIC ${name} on ${machine.host} (NICs: ${known.join(', ') || 'none'})`);
    }
    return this.nearNic(name);
  }

  private tradingNicCpus(column: number): Set<number> {
    const { nic, machine } = this.context;
    if (nic === undefined)
      throw this.errorAt(column, `no trading NIC was found on ${machine.host}`, ['Name one: nic(eth1).']);
    return this.nearNic(nic);
  }

  /** Like the CPUs of a node: without the siblings that the layout takes offline. */
  private nearNic(nic: string): Set<number> {
    const { machine, roles } = this.context;
    const parked = roles?.offline ?? [];
    return new Set(cpusNearNic(nic, machine).filter((cpu) => !parked.includes(cpu)));
  }

  private wholeCores(cpus: ReadonlySet<number>, name: 'cores' | 'primary'): Set<number> {
    const parked = this.context.roles?.offline ?? [];
    const cores = groupCores(this.context.machine.topology).map((core) =>
      core.cpus.filter((cpu) => !parked.includes(cpu)),
    );
    const touched = cores.filter((core) => core.some((cpu) => cpus.has(cpu)));
    return new Set(touched.flatMap((core) => (name === 'cores' ? core : core.slice(0, 1))));
  }

  private onlineWhere(matches: (cpu: Cpu) => boolean): Set<number> {
    const { machine, roles } = this.context;
    const parked = roles?.offline ?? [];
    const found = machine.topology.cpus.filter((cpu) => cpu.online && !parked.includes(cpu.cpu) && matches(cpu));
    return new Set(found.map((cpu) => cpu.cpu));
  }

  private errorAt(column: number, problem: string, next: readonly string[] = []): CpuExpressionError {
    return new CpuExpressionError({ expression: this.expression, column }, problem, next);
  }
}

function join(operator: string, left: ReadonlySet<number>, right: ReadonlySet<number>): Set<number> {
  if (operator === '-') return new Set([...left].filter((cpu) => !right.has(cpu)));
  if (operator === '&') return new Set([...left].filter((cpu) => right.has(cpu)));
  return new Set([...left, ...right]);
}

/** The CPUs that the layout has a use for: siblings that it takes offline count as offline before they are. */
function onlineCpus(machine: PlacedMachine): CpuSet {
  const parked = machine.layout.offline ?? [];
  return machine.topology.cpus.filter((cpu) => cpu.online && !parked.includes(cpu.cpu)).map((cpu) => cpu.cpu);
}

/** Where the number that covers this CPU begins, for the message. */
function columnOf(expression: string, cpu: number): number {
  for (const match of expression.matchAll(/\d+(?:-(\d+))?/g)) {
    const first = Number.parseInt(match[0], 10);
    if (first <= cpu && cpu <= Number(match[1] ?? first)) return match.index + 1;
  }
  return 1;
}
