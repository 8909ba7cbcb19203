import type { Note, PlacedMemory, PlacedProcess, PlacedThread, Placement, Scheduling } from '../launch/placement.ts';
import { nameCpus } from '../layout/names.ts';
import { printPlace } from '../profile/problem.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { indented, paint, type Terminal, wrap } from './terminal.ts';

/** The stable JSON of `hft place`: additive changes only. CPUs and nodes are cpulists. */
export function placeJson(placement: Placement) {
  const { deployment, host, roles, processes, free, notes, missing, unknown } = placement;
  return {
    deployment,
    host,
    roles,
    processes: processes.map(({ name, own, partition, idle, rest, memory, bypass, threads }) => ({
      name,
      own: printCpulist(own),
      partition: partition === undefined ? null : { cgroup: partition.cgroup, cpus: printCpulist(partition.cpus) },
      idle: printCpulist(idle),
      starts: printCpulist(rest),
      memory: { ...memory, nodes: printCpulist(memory.nodes) },
      bypass: bypass === undefined ? null : { library: bypass.library, path: bypass.path, before: bypass.prefix },
      threads: threads.map(({ name: thread, cpus, isAlone, scheduling, why }) => ({
        name: thread,
        cpus: cpus.map((set) => printCpulist(set)),
        alone: isAlone,
        scheduling,
        why,
      })),
    })),
    free: printCpulist(free),
    notes,
    missing: missing.map(({ place, message, hint }) => ({ where: printPlace(place), message, hint: hint ?? null })),
    unknown,
  };
}

/** Process by process in the order in which they are started: which thread where and why; then what else to know. */
export function viewPlacement(placement: Placement, terminal: Terminal): string {
  const { deployment, host, roles, processes, free, notes, missing, unknown } = placement;
  const blocks = [
    wrap(`Deployment ${paint(terminal, 'bold', deployment)} on ${host}; CPU roles: ${roles}`, terminal.columns),
    ...processes.map((process) => viewProcess(process, terminal)),
    free.length === 0 ? '' : `Isolated and free: ${nameCpus(free)}`,
    viewNotes(notes, terminal),
    viewMissing(placement, terminal),
    unknown.length === 0 ? '' : wrap(`Not known of this host: ${unknown.join('; ')}.`, terminal.columns, 2),
    missing.length === 0
      ? 'Nothing was started. All of it fits.'
      : 'Nothing was started. It fits; what is missing comes first.',
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function viewProcess(
  { name, why, own, idle, rest, memory, bypass, threads }: PlacedProcess,
  terminal: Terminal,
): string {
  const facts = [
    own.length === 0 ? `${nameCpus(rest)}, shared` : `${nameCpus(own)} its own`,
    idle.length === 0 ? '' : `${nameCpus(idle)} kept idle beside`,
    sayMemory(memory),
    bypass === undefined ? '' : `${bypass.path} loaded before it`,
  ].filter((fact) => fact !== '');
  return [
    `${paint(terminal, 'bold', name)}`,
    indented(facts.join('; '), terminal, 2),
    ...(why === undefined ? [] : [paint(terminal, 'dim', indented(why, terminal, 2))]),
    ...viewThreads(threads, terminal),
  ].join('\n');
}

function viewThreads(threads: readonly PlacedThread[], terminal: Terminal): string[] {
  const rows = threads.map((thread) => [thread.name, sayCpus(thread), sayScheduling(thread.scheduling), thread.why]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = [width(0), width(1), width(2)];
  return rows.map((row) => {
    const head = `    ${widths.map((cells, column) => (row[column] ?? '').padEnd(cells)).join('  ')}  `;
    const why = wrap(row[3] ?? '', Math.max(terminal.columns - head.length, 24));
    return `${head}${why.replaceAll('\n', `\n${' '.repeat(head.length)}`)}`.trimEnd();
  });
}

/** `CPU 4`, `CPUs 4, 5` for two threads, `CPUs 0-1` for many on the same ones. */
function sayCpus({ cpus, isAlone }: PlacedThread): string {
  if (!isAlone || cpus.length === 1) return nameCpus(cpus[0] ?? []);
  return `CPUs ${cpus.map((set) => printCpulist(set)).join(', ')}`;
}

export function sayScheduling({ policy, priority, nice, runtime, deadline, period }: Scheduling): string {
  if (policy === 'deadline')
    return `deadline ${[runtime, deadline, period].map((time) => `${(time ?? 0) / 1000}us`).join('/')}`;
  const more = priority === undefined ? (nice === undefined ? '' : ` nice ${nice}`) : ` ${priority}`;
  return `${policy}${more}`;
}

function sayMemory({ policy, nodes, lock, hugepages }: PlacedMemory): string {
  const where =
    policy === 'default' ? 'memory where it is touched' : `memory ${POLICIES[policy]} NUMA node ${printCpulist(nodes)}`;
  const pages = Object.entries(hugepages).map(([size, count]) => `${count} hugepages of ${size}`);
  return [where, ...(lock ? ['locked'] : []), ...pages].join(', ');
}

const POLICIES = { bind: 'bound to', preferred: 'preferably of', interleave: 'interleaved over' } as const;

/** What is said of many threads is said once. */
function viewNotes(notes: readonly Note[], terminal: Terminal): string {
  if (notes.length === 0) return '';
  const groups = new Map<string, string[]>();
  for (const { about, text } of notes) groups.set(text, [...(groups.get(text) ?? []), about]);
  const lines = [...groups].map(
    ([text, about]) =>
      `${paint(terminal, 'magenta', indented(about.join(', '), terminal, 2))}\n${indented(text, terminal, 6)}`,
  );
  return [paint(terminal, 'bold', 'Worth knowing'), ...lines].join('\n');
}

function viewMissing({ missing }: Placement, terminal: Terminal): string {
  if (missing.length === 0) return '';
  const lines = missing.map(({ place, message, hint }) =>
    [
      indented(`${paint(terminal, 'red', '!')} ${printPlace(place)}  ${message}`, terminal, 2),
      ...(hint === undefined ? [] : [indented(hint, terminal, 6)]),
    ].join('\n'),
  );
  return [paint(terminal, 'bold', 'Missing here: hft launch starts nothing'), ...lines].join('\n');
}
