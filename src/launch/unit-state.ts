import type { LaunchOrder, OrderedProcess } from './order.ts';
import { newRecord, type Phase, type ProcessRecord, sayEnd } from './supervision.ts';
import { unitName } from './units.ts';

/** What systemd is asked of each unit. systemctl(1), org.freedesktop.systemd1(5). */
export const UNIT_PROPERTIES = [
  ...['Id', 'LoadState', 'ActiveState', 'SubState', 'Result', 'FragmentPath', 'NeedDaemonReload', 'Job'],
  ...['MainPID', 'NRestarts', 'ExecMainCode', 'ExecMainStatus', 'ExecMainStartTimestampMonotonic'],
  'StateChangeTimestampMonotonic',
] as const;

export type UnitFacts = Readonly<Partial<Record<(typeof UNIT_PROPERTIES)[number], string>>>;

/** The answer of `systemctl show` for several units, by their names: blocks of `Key=value` with an empty line between. */
export function parseUnits(text: string): Map<string, UnitFacts> {
  const units = new Map<string, UnitFacts>();
  for (const block of text.split(/\n\n+/)) {
    const entries = block.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()] as const] : [];
    });
    const facts: UnitFacts = Object.fromEntries(entries);
    if (facts.Id !== undefined) units.set(facts.Id, facts);
  }
  return units;
}

/** A process as systemd has it, in the words of hft's own supervisor. Pure. `startTicks`: of its pid. */
export function recordOfUnit(
  process: OrderedProcess,
  unit: UnitFacts,
  { order, startTicks }: { readonly order: LaunchOrder; readonly startTicks: string | undefined },
): ProcessRecord {
  const pid = numberOf(unit.MainPID);
  const { phase, why } = judgePhase(process, unit, order);
  const isOver = phase !== 'running' && phase !== 'placing' && phase !== 'starting';
  return {
    ...newRecord(process.name),
    phase,
    why,
    pid: pid === 0 ? undefined : pid,
    startTicks,
    sinceMs: numberOf(unit.StateChangeTimestampMonotonic) / US_PER_MS,
    // systemd counts the restart, too, that the breaker refused.
    restarts: hasStarted(unit) ? numberOf(unit.NRestarts) - (phase === 'broken' ? 1 : 0) : -1,
    lastEnd: isOver ? sayResult(process, unit) : undefined,
    asked: process.asked,
  };
}

const US_PER_MS = 1000;

interface Judged {
  readonly phase: Phase;
  readonly why: string | undefined;
}

function judgePhase(process: OrderedProcess, unit: UnitFacts, order: LaunchOrder): Judged {
  const end = sayResult(process, unit);
  switch (unit.ActiveState) {
    case 'active':
    case 'reloading':
    case 'refreshing':
      return { phase: 'running', why: undefined };
    case 'activating':
      return judgeStart(process, unit, end);
    case 'deactivating':
      return { phase: 'stopping', why: undefined };
    case 'failed':
      return judgeFailed(process, end);
    case 'inactive':
      return judgeInactive(process, unit, { order, end });
    default:
      return { phase: 'down', why: `systemd says nothing of ${unitName(process.name)}` };
  }
}

function judgeStart({ wanted }: OrderedProcess, { SubState }: UnitFacts, end: string | undefined): Judged {
  if (SubState === 'auto-restart') return { phase: 'backoff', why: end };
  if (SubState === 'start-post') return { phase: 'placing', why: undefined };
  if (SubState === 'condition') return { phase: 'waiting', why: `requires ${wanted.requires.join(', ')}` };
  return { phase: 'starting', why: undefined };
}

/** What fails is started again until the breaker: failed for good is broken. */
function judgeFailed(process: OrderedProcess, end: string | undefined): Judged {
  const { when, breaker } = process.wanted.restart;
  if (process.goal === 'down') return { phase: 'down', why: undefined };
  if (when === 'never') return { phase: 'ended', why: end };
  const starts = breaker.restarts + 1;
  return { phase: 'broken', why: `${end}; started ${starts} times within ${breaker.within} s, and stays down` };
}

interface Frame {
  readonly order: LaunchOrder;
  readonly end: string | undefined;
}

function judgeInactive(process: OrderedProcess, unit: UnitFacts, { order, end }: Frame): Judged {
  const name = unitName(process.name);
  if (process.goal === 'down') return { phase: 'down', why: undefined };
  if (order.refused !== undefined) return { phase: 'down', why: order.refused };
  if (unit.LoadState === 'masked') return { phase: 'down', why: `somebody masked ${name}` };
  if (unit.LoadState === 'not-found') return { phase: 'down', why: `its unit ${name} is not there` };
  if (numberOf(unit.Job) > 0) return { phase: 'starting', why: 'systemd has something to do before' };
  if (unit.Result === 'exec-condition')
    return { phase: 'waiting', why: `requires ${process.wanted.requires.join(', ')}, which did not run` };
  if (hasStarted(unit)) return { phase: 'ended', why: end };
  return { phase: 'down', why: `${name} was not started in this boot` };
}

function hasStarted(unit: UnitFacts): boolean {
  return numberOf(unit.ExecMainStartTimestampMonotonic) > 0;
}

/** CLD_EXITED of waitid(2); killed and dumped are by a signal. */
const EXITED = '1';
const SIGTERM = '15';

/** How it ended, one sentence; undefined: it has not started yet. */
function sayResult({ name, wanted }: OrderedProcess, unit: UnitFacts): string | undefined {
  if (!hasStarted(unit))
    return unit.Result === 'exit-code'
      ? `what comes before its start failed: see \`journalctl -u ${unitName(name)}\``
      : undefined;
  const { Result: result, ExecMainCode: code, ExecMainStatus: status } = unit;
  if (result === 'watchdog') return 'it did not say that it lives in time';
  if (result === 'timeout') return `it was not ready within ${wanted.readyWithin} s, or did not end in time`;
  if (result === 'resources') return `systemd could not set it up: see \`journalctl -u ${unitName(name)}\``;
  const number = numberOf(status);
  // It lived, and what ran beside its start failed.
  if (result === 'exit-code' && (number === 0 || (code !== EXITED && status === SIGTERM)))
    return `its threads could not be placed: see \`journalctl -u ${unitName(name)}\``;
  return sayEnd({ exitCode: code === EXITED ? number : 128 + number });
}

function numberOf(text: string | undefined): number {
  const number = Number(text);
  return Number.isFinite(number) ? number : 0;
}
