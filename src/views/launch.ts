import type { LaunchAnswer } from '../cli/launch.ts';
import type { ProcessRecord } from '../launch/supervision.ts';
import { indented, paint, type Style, type Terminal } from './terminal.ts';

/** The stable JSON of a process that hft launched: additive changes only. */
export function recordJson({ name, phase, why, pid, restarts, lastEnd }: ProcessRecord) {
  const isThere = ['placing', 'running', 'stopping'].includes(phase);
  return {
    name,
    phase,
    why: why ?? null,
    pid: isThere ? (pid ?? null) : null,
    restarts: Math.max(restarts, 0),
    lastEnd: lastEnd ?? null,
  };
}

export function launchJson({ deployment, gate, processes, records, waited }: LaunchAnswer) {
  return { deployment, gate, asked: processes, waited, processes: records.map(recordJson) };
}

/** 0: they run, or were not waited for. 1: something does not. */
export function launchExitCode({ processes, records, waited }: LaunchAnswer): number {
  const isAll = records.length === processes.length && records.every(({ phase }) => phase === 'running');
  return !waited || isAll ? 0 : 1;
}

export function viewLaunch(answer: LaunchAnswer, terminal: Terminal): string {
  const { deployment, gate, records, processes, waited } = answer;
  const lines = [`Deployment ${paint(terminal, 'bold', deployment)}`, ...viewRecords(records, terminal)];
  const silent = processes.filter((name) => records.every((record) => record.name !== name));
  if (silent.length > 0)
    lines.push(`Nothing is known of ${silent.join(', ')}: the supervisor did not take the order in time.`);
  if (gate === 'none') lines.push('Nobody looked whether this host is fit (--gate none); that is recorded.');
  if (!waited) lines.push('`hft ps` shows how they go on; --wait waits for it.');
  return lines.join('\n');
}

export function viewStopped(records: readonly ProcessRecord[], terminal: Terminal): string {
  if (records.length === 0) return 'Nothing was launched here.';
  return viewRecords(records, terminal).join('\n');
}

const STYLES: Readonly<Record<string, Style>> = { running: 'green', broken: 'red', backoff: 'red', ended: 'magenta' };

export function viewRecords(records: readonly ProcessRecord[], terminal: Terminal): string[] {
  const width = Math.max(0, ...records.map(({ name }) => name.length));
  return records.flatMap(({ name, phase, why, pid, restarts }) => {
    const isThere = ['placing', 'running', 'stopping'].includes(phase);
    const facts = [isThere ? `pid ${pid}` : '', restarts > 0 ? `restarted ${times(restarts)}` : ''].filter(
      (fact) => fact !== '',
    );
    const style = STYLES[phase];
    const state = style === undefined ? phase : paint(terminal, style, phase);
    const line = `  ${name.padEnd(width)}  ${state}${facts.length === 0 ? '' : `  ${facts.join(', ')}`}`;
    return why === undefined ? [line] : [line, indented(why, terminal, width + 4)];
  });
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
