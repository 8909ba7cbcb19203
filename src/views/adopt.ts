import type { AdoptedThread, Adoption } from '../agent/adopting.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { paint, type Terminal, wrap } from './terminal.ts';

/** The stable JSON of `hft adopt`: additive changes only. CPUs are cpulists. */
export function adoptionJson({ run, pid, placed, threads, applied, skipped }: Adoption) {
  return {
    run,
    name: placed.name,
    pid,
    threads: threads.map(({ cpus, ...thread }) => ({ ...thread, cpus: printCpulist(cpus) })),
    changed: applied,
    ended: skipped.map(({ id }) => id),
  };
}

const SHOWN = 20;

export function viewAdoption({ run, pid, placed, threads, applied, skipped }: Adoption, terminal: Terminal): string {
  const cells = [['THREAD', 'TID', 'CPUS', 'POLICY'], ...threads.slice(0, SHOWN).map(cellsOf)];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const [head = '', ...rows] = cells.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
  const more = threads.length > SHOWN ? [`  and ${threads.length - SHOWN} more threads`] : [];
  const ended = skipped.length === 0 ? [] : [`Ended meanwhile: ${skipped.map(({ id }) => id).join(', ')}.`];
  const undo =
    applied.length === 0
      ? 'Nothing had to be changed.'
      : `${sayCount(applied.length)} changed in run ${run}; \`hft rollback\` puts it back.`;
  return [
    `Process ${pid} is adopted as ${paint(terminal, 'bold', placed.name)}`,
    paint(terminal, 'dim', head),
    ...rows,
    ...more,
    ...ended,
    wrap(`${undo} \`hft ps\` shows it.`, terminal.columns),
  ].join('\n');
}

function cellsOf({ name, tid, cpus, scheduling }: AdoptedThread): string[] {
  const { policy, priority, nice } = scheduling;
  const number = priority ?? (nice === undefined || nice === 0 ? undefined : `nice ${nice}`);
  return [name, String(tid), printCpulist(cpus), number === undefined ? policy : `${policy} ${number}`];
}

function sayCount(count: number): string {
  return count === 1 ? '1 setting was' : `${count} settings were`;
}
