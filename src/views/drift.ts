import type { DriftRecord } from '../agent/drift/drift-file.ts';
import type { Drifted, Ended } from '../drift/drift.ts';
import { indented, paint, type Terminal } from './terminal.ts';

/** The stable JSON of what the agent knows of drift. */
export function watchJson({ agent, drifted, ...watch }: DriftRecord) {
  return { pid: agent.pid, ...watch, drifted: Object.values(drifted) };
}

/** Since when, who, and what becomes of it: under the line of the setting. */
export function viewDriftCause(drift: Drifted, terminal: Terminal): readonly string[] {
  const { since, suspects } = drift;
  const who = suspects.map(({ who: name, certainty, evidence }) => `${name} (${certainty}: ${evidence})`).join('; ');
  return [
    indented(`${sayBetween(since.after, since.by)}, by ${who || 'nobody known'}; ${sayRemedy(drift)}`, terminal, 4),
  ];
}

/** The last few that came back. */
export function viewEnded(ended: readonly Ended[], terminal: Terminal): readonly string[] {
  return ended.slice(-MOST_SHOWN).map((drift) => {
    const { id, is, since, ended: back, how } = drift;
    const text = `${id} was ${shortValue(is)} ${sayBetween(since.after, since.by)}, and ${HOW[how]} ${sayBetween(back.after, back.by)}`;
    return `  ${paint(terminal, 'dim', 'was away')}  ${indented(text, terminal, 12).trimStart()}`;
  });
}

export function viewWatching({ everyS, looked, settings, blind }: DriftRecord, terminal: Terminal): string {
  if (blind !== null) return `  ${paint(terminal, 'yellow', 'watched')}   not judged: ${blind}`;
  const last = looked.quick ?? looked.whole ?? 'never';
  return `  watched   ${settings.whole} settings by the agent, ${settings.quick} of them every ${everyS.quick} s; last look ${last}`;
}

export function shortValue(value: string | null): string {
  if (value === null) return 'nothing';
  return value.includes('\n') ? `${value.split('\n').length - 1} lines` : value;
}

const MOST_SHOWN = 5;

const HOW = {
  itself: 'came back by itself',
  healed: 'was healed',
  run: 'was set by hft',
  'not-wanted': 'is wanted by nothing in force any more',
} as const;

function sayBetween(after: string | null, by: string): string {
  return after === null ? `before ${by}` : `between ${after} and ${by}`;
}

function sayRemedy({ remedy, isBroken }: Drifted): string {
  if (remedy.heal === 'supervised') return 'its deployment has it put back (heal: on)';
  if (isBroken) return 'healed as often as the profile allows and no more: end who changes it, then `hft tune`';
  if (remedy.heal === 'allowed') return 'the agent sets it again';
  if (remedy.takesEffect === 'reboot') return '`hft tune` sets it for the next boot';
  const disturbs = remedy.disruption === 'none' ? '' : `, which disturbs a ${remedy.disruption}`;
  return `\`hft tune\` sets it again${disturbs}`;
}
