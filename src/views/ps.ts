import type { Listing } from '../cli/ps.ts';
import type { Difference } from '../launch/differences.ts';
import type { ProcessRow, ThreadRow } from '../launch/table.ts';
import { nameCpus } from '../layout/names.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { recordJson, viewRecords } from './launch.ts';
import { indented, paint, type Terminal, wrap } from './terminal.ts';

/** The stable JSON of `hft ps`: additive changes only. CPUs are cpulists; rates are per second. */
export function psJson({ host, deployment, gate, supervisor, partition, rows }: Listing) {
  return {
    host,
    deployment: deployment ?? null,
    gate: gate ?? null,
    supervisor,
    partition: partition === undefined ? null : { state: partition.state, cpus: printCpulist(partition.cpus) },
    processes: rows.map(({ record, isAdopted, lockedBytes, swapBytes, residentBytes, nodes, bypass, threads }) => ({
      ...recordJson(record),
      adopted: isAdopted,
      lockedBytes: lockedBytes ?? null,
      swapBytes: swapBytes ?? null,
      residentBytes: residentBytes ?? null,
      // mapped: null where nothing of it is mapped, left out where that is not known.
      bypass: bypass ?? null,
      bytesByNode: nodes === undefined ? null : Object.fromEntries(nodes),
      threads: threads.map(({ wanted, allowed, migrationsPerS, ...thread }) => ({
        ...thread,
        wanted: printCpulist(wanted),
        allowed: allowed === undefined ? null : printCpulist(allowed),
        migrationsPerS: migrationsPerS ?? null,
      })),
    })),
  };
}

export function viewPs(listing: Listing, terminal: Terminal): string {
  const { host, deployment, gate, rows, partition, supervisor } = listing;
  const notes = [
    gate === 'none' ? 'Started without a look at whether the host is fit (--gate none).' : '',
    supervisor === 'taken-over' ? 'Its supervisor had ended; a new one has taken the processes over.' : '',
    supervisor === 'missing'
      ? 'Its supervisor has ended: processes run and nobody restarts them. `sudo hft ps` starts it again.'
      : '',
  ].filter((note) => note !== '');
  const head = deployment === undefined ? `On ${host}` : `Deployment ${paint(terminal, 'bold', deployment)} on ${host}`;
  return [
    head,
    ...rows.map((row) => viewProcess(row, terminal)),
    ...viewDifferences(listing.differences, terminal),
    ...(partition === undefined ? [] : [viewPartition(partition, terminal)]),
    ...notes.map((note) => wrap(note, terminal.columns)),
  ].join('\n\n');
}

function viewPartition({ state, cpus }: NonNullable<Listing['partition']>, terminal: Terminal): string {
  if (state === 'isolated') return wrap(`${nameCpus(cpus)}: isolated by the cpuset partition.`, terminal.columns);
  const text = `The cpuset partition isolates nothing any more: ${state === 'none' ? 'it is gone' : `it is ${state}`}. \`hft tune\` makes it again.`;
  return paint(terminal, 'red', wrap(text, terminal.columns));
}

function viewDifferences(differences: Listing['differences'], terminal: Terminal): string[] {
  if (differences === undefined) return [];
  if (differences.length === 0) return [paint(terminal, 'green', 'Everything is as it was placed.')];
  const said = differences.map((difference) => viewDifference(difference, terminal));
  return [['Not as it was placed:', ...said].join('\n')];
}

function viewDifference({ judged, since, until }: Difference, terminal: Terminal): string {
  const { id, expected, actual, evidence } = judged;
  const when = until === undefined ? `since ${sayTime(since)}` : `from ${sayTime(since)} to ${sayTime(until)}`;
  const head = `  ${paint(terminal, until === undefined ? 'red' : 'dim', id)}  ${when}`;
  return [
    head,
    indented(`expected ${expected}, ${until === undefined ? 'is' : 'was'} ${actual}: ${evidence}`, terminal, 4),
  ].join('\n');
}

/** 22:38:22 of an ISO 8601 time, in the time zone of whoever looks. */
function sayTime(iso: string): string {
  return new Date(iso).toTimeString().slice(0, 8);
}

function viewProcess(row: ProcessRow, terminal: Terminal): string {
  const lines = viewRecords([row.record], terminal);
  const memory = sayMemory(row);
  if (row.threads.length === 0) return lines.join('\n');
  return [
    ...lines,
    ...(memory === '' ? [] : [`  ${memory}`]),
    ...viewBypass(row, terminal),
    ...viewThreads(row.threads, terminal),
  ].join('\n');
}

function viewBypass({ bypass }: ProcessRow, terminal: Terminal): string[] {
  if (bypass === undefined) return [];
  const { library, mapped } = bypass;
  if (mapped === undefined) return [`  lib${library}: whether it is mapped cannot be read`];
  if (mapped === null) return [paint(terminal, 'red', `  lib${library} is not mapped: the kernel has its sockets`)];
  return [`  lib${library} is mapped: ${mapped}`];
}

function sayMemory({ residentBytes, lockedBytes, swapBytes, nodes }: ProcessRow): string {
  const facts = [
    residentBytes === undefined ? '' : `${sayBytes(residentBytes)} resident`,
    lockedBytes === undefined || lockedBytes === 0 ? '' : `${sayBytes(lockedBytes)} locked`,
    swapBytes === undefined || swapBytes === 0 ? '' : `${sayBytes(swapBytes)} in swap`,
    ...[...(nodes ?? [])].map(([node, bytes]) => `${sayBytes(bytes)} on node ${node}`),
  ];
  return facts.filter((fact) => fact !== '').join(', ');
}

const COLUMNS: readonly {
  readonly title: string;
  readonly cell: (row: ThreadRow) => string;
  readonly isWide?: boolean;
}[] = [
  { title: 'THREAD', cell: ({ name }) => name },
  { title: 'TID', cell: ({ tid }) => String(tid), isWide: true },
  { title: 'WANTED', cell: ({ wanted }) => printCpulist(wanted) },
  { title: 'CPU', cell: ({ cpu, allowed, wanted }) => `${cpu}${isElsewhere(allowed, wanted) ? '!' : ''}` },
  { title: 'POLICY', cell: sayPolicy },
  { title: 'SWITCH/s', cell: ({ switchesPerS }) => sayRate(switchesPerS) },
  { title: 'INVOL/s', cell: ({ involuntaryPerS }) => sayRate(involuntaryPerS), isWide: true },
  { title: 'MIGR/s', cell: ({ migrationsPerS }) => (migrationsPerS === undefined ? '-' : sayRate(migrationsPerS)) },
  { title: 'FAULT/s', cell: ({ faultsPerS }) => sayRate(faultsPerS) },
  { title: 'IRQ/s', cell: ({ interruptsPerS }) => sayRate(interruptsPerS) },
];

const WIDE_COLUMNS = 100;

function viewThreads(threads: readonly ThreadRow[], terminal: Terminal): string[] {
  const columns = COLUMNS.filter(({ isWide }) => isWide !== true || terminal.columns >= WIDE_COLUMNS);
  const cells = [columns.map(({ title }) => title), ...threads.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const [head = '', ...body] = cells.map((row) =>
    `    ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd(),
  );
  return [
    paint(terminal, 'dim', head),
    ...body.map((line, index) => {
      const row = threads[index];
      return row !== undefined && isElsewhere(row.allowed, row.wanted) ? paint(terminal, 'red', line) : line;
    }),
  ];
}

/** Allowed on other CPUs than it was given. */
function isElsewhere(allowed: readonly number[] | undefined, wanted: readonly number[]): boolean {
  return allowed !== undefined && printCpulist(allowed) !== printCpulist(wanted);
}

function sayPolicy({ policy, priority, nice }: ThreadRow): string {
  if (policy === 'fifo' || policy === 'rr') return `${policy} ${priority}`;
  return nice === 0 ? policy : `${policy} nice ${nice}`;
}

function sayRate(perS: number): string {
  return perS > 0 && perS < 10 ? perS.toFixed(1) : String(Math.round(perS));
}

function sayBytes(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes >= 1024 ? `${(mebibytes / 1024).toFixed(1)} GiB` : `${mebibytes.toFixed(1)} MiB`;
}

/** 1: something was asked for and does not run. */
export function psExitCode({ rows }: Listing): number {
  // Down for a reason: somebody asked for it.
  const isAsAsked = ({ phase, why }: ProcessRow['record']) =>
    phase === 'running' || (phase === 'down' && why === undefined);
  return rows.every(({ record }) => isAsAsked(record)) ? 0 : 1;
}
