import type { Rollout } from '../cli/rollout.ts';
import type { RolledOut } from '../cli/rollout-run.ts';
import { type Cohort, toCohorts } from '../fleet/answers.ts';
import { EXIT_CODES } from '../fleet/rollout.ts';
import { fleetJson, viewCohorts } from './fleet.ts';
import { paint, type Terminal, wrap } from './terminal.ts';

const MOST_NAMED = 8;

/** Which hosts are tuned together, one wave a line. */
export function viewWaves(waves: readonly (readonly string[])[], terminal: Terminal): string {
  const lines = waves.map((wave, index) => {
    const named = wave.slice(0, MOST_NAMED).join(', ');
    const more = wave.length > MOST_NAMED ? ` and ${wave.length - MOST_NAMED} more` : '';
    return wrap(`Wave ${index + 1}: ${named}${more}`, terminal.columns, 4);
  });
  return lines.join('\n');
}

function answersOf({ begin, ends }: RolledOut) {
  return begin.hosts.map(({ name }) => {
    const end = ends.get(name);
    const outcome = end?.outcome ?? 'not-started';
    return { host: name, end, outcome, brief: end?.why ?? 'not started', exitCode: EXIT_CODES[outcome] };
  });
}

/** The stable JSON of `hft tune` for many hosts. */
export function rolloutJson({ rolledOut, unchanged, plans }: Rollout, exitCode: number) {
  const planned = plans === undefined ? null : fleetJson(plans).hosts;
  if (rolledOut === undefined) return { rollout: null, result: unchanged, plans: planned, hosts: [], exitCode };
  const { begin, stopped } = rolledOut;
  const answers = answersOf(rolledOut);
  return {
    rollout: begin.id,
    profile: begin.profile,
    result: stopped === undefined ? 'finished' : 'stopped',
    stopped: stopped ?? null,
    waves: begin.waves,
    hosts: answers.map(({ host, end, outcome, exitCode: own }) => ({
      host,
      outcome,
      why: end?.why ?? null,
      next: end?.next ?? [],
      run: end?.run ?? null,
      exitCode: own,
    })),
    cohorts: toCohorts(answers).map(({ brief, exitCode: own, hosts }: Cohort) => ({
      outcome: brief,
      exitCode: own,
      hosts,
    })),
    plans: planned,
    exitCode,
  };
}

/** What came of it, hosts with the same outcome together, and how to go on. */
export function viewRollout({ rolledOut, unchanged }: Rollout, terminal: Terminal): string {
  if (rolledOut === undefined)
    return unchanged === 'declined' ? 'Nothing was changed.' : 'Nothing was changed: not all hosts could be planned.';
  const { begin, stopped } = rolledOut;
  const cohorts = viewCohorts(answersOf(rolledOut), terminal);
  if (stopped === undefined) return cohorts;
  const text = `Stopped: ${stopped}. \`hft tune --resume ${begin.id}\` goes on; hosts that are done are left as they are.`;
  return `${cohorts}\n\n${paint(terminal, 'yellow', wrap(text, terminal.columns))}`;
}
