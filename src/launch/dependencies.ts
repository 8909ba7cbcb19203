import type { LaunchOrder, OrderedProcess } from './order.ts';
import type { Phase, ProcessFacts, ProcessRecord } from './supervision.ts';

const LIVES: ReadonlySet<Phase> = new Set(['starting', 'placing', 'running', 'stopping']);
/** It will run, or nobody knows yet. */
const TO_COME: ReadonlySet<Phase> = new Set(['down', 'waiting', 'starting', 'placing', 'backoff']);

/** What a process waits for before it starts, and whether others must stop before it does. Pure. */
export function dependencyFacts(
  { name, wanted }: OrderedProcess,
  { processes }: LaunchOrder,
  records: ReadonlyMap<string, ProcessRecord>,
): Pick<ProcessFacts, 'waitsFor' | 'isNeeded'> {
  const goals = new Map(processes.map((process) => [process.name, process.goal]));
  const phaseOf = (other: string) => records.get(other)?.phase ?? 'down';
  const required = wanted.requires.find((other) => phaseOf(other) !== 'running');
  const earlier = wanted.after.find((other) => goals.get(other) === 'up' && TO_COME.has(phaseOf(other)));
  const needing = processes.filter(
    ({ name: other, goal, wanted: { requires, after } }) =>
      goal === 'down' && LIVES.has(phaseOf(other)) && [...requires, ...after].includes(name),
  );
  return { waitsFor: sayWaits(required, earlier, phaseOf), isNeeded: needing.length > 0 };
}

function sayWaits(
  required: string | undefined,
  earlier: string | undefined,
  phaseOf: (name: string) => Phase,
): string | undefined {
  if (required !== undefined) return `requires ${required}, which is ${phaseOf(required)}`;
  return earlier === undefined ? undefined : `comes after ${earlier}, which is ${phaseOf(earlier)}`;
}

/** The names with all that they require. */
export function withRequired(
  names: readonly string[],
  processes: Readonly<Record<string, { readonly requires: readonly string[] }>>,
): string[] {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const other of processes[name]?.requires ?? []) add(other);
  };
  for (const name of names) add(name);
  return [...found];
}
