import type { LaunchedStatus, LocalStatus } from '../agent/local-status.ts';
import type { Drifted } from '../drift/drift.ts';
import type { Status } from '../engine/status.ts';
import type { LatencyVerdict } from '../latency/report/record.ts';
import { shortValue as short, viewDriftCause, viewEnded, viewWatching, watchJson } from './drift.ts';
import { paint, type Terminal } from './terminal.ts';

/** The stable JSON of `hft status`: what is not there is null. */
export function statusJson({ profile, since, run, waiting, latency, launched, watch, ...rest }: LocalStatus) {
  const known = { profile: profile ?? null, since: since ?? null, run: run ?? null, waiting: waiting ?? null };
  const shown = launched === undefined ? null : { deployment: launched.deployment, refused: launched.refused ?? null };
  const watched = watch === undefined ? null : watchJson(watch);
  return { ...known, ...rest, latency: latency ?? null, launched: shown, watch: watched };
}

/** 0 as hft left it; 1 drift, or what could not be undone or may not start; 5 a reboot is pending. */
export function statusExitCode({ drift, cutOff, notUndone, launched, pendingReboot, watch }: LocalStatus): number {
  const differs = [drift, Object.values(watch?.drifted ?? {}), cutOff, notUndone].some((left) => left.length > 0);
  if (differs || launched?.refused !== undefined) return 1;
  return pendingReboot.length > 0 ? 5 : 0;
}

/** A few lines: this is typed all day. */
export function viewStatus(status: LocalStatus, terminal: Terminal): string {
  const lines = [`${paint(terminal, 'bold', status.host)}  ${viewProfile(status)}`];
  const drift = viewDrift(status, terminal);
  lines.push(...drift);
  if (status.profile !== undefined && drift.length === 0) {
    lines.push(`  ${paint(terminal, 'green', 'no drift')}  ${status.changes.length} settings as hft left them`);
  }
  if (status.watch) lines.push(viewWatching(status.watch, terminal), ...viewEnded(status.watch.ended, terminal));
  for (const id of status.pendingReboot)
    lines.push(`  ${paint(terminal, 'yellow', 'reboot')}   ${id} takes effect at the next boot`);
  if (status.waiting)
    lines.push(
      `  ${paint(terminal, 'yellow', 'waiting')}  run ${status.waiting.run}: \`hft confirm\` before ${status.waiting.until}`,
    );
  for (const run of status.cutOff)
    lines.push(`  ${paint(terminal, 'red', 'cut off')}  run ${run}: \`hft rollback\` puts everything back`);
  for (const { run, id, before, found } of status.notUndone)
    lines.push(
      `  ${paint(terminal, 'red', 'not undone')}  ${id}  ${short(found)}, was ${short(before)} before run ${run}: \`hft rollback\` tries again`,
    );
  if (status.launched) lines.push(viewLaunched(status.launched, terminal));
  if (status.latency) lines.push(viewLatencyVerdict(status.latency, terminal));
  return lines.join('\n');
}

/** What this look finds changed since hft set it, and what the agent found: it knows settings too that were right already. */
function viewDrift({ drift, watch }: LocalStatus, terminal: Terminal): readonly string[] {
  const known = new Map(Object.entries(watch?.drifted ?? {}));
  let explained = 0;
  const line = (id: string, left: string | null, found: string | null) => [
    `  ${paint(terminal, 'red', 'drifted')}  ${id}  ${short(left)} → ${short(found)}`,
    ...(explained++ < MOST_EXPLAINED ? causeOf(known.get(id), terminal) : []),
  ];
  const seen = drift.flatMap(({ id, left, found }) => line(id, left, found));
  const others = [...known.values()].filter(({ id }) => drift.every((each) => each.id !== id));
  return [...seen, ...others.flatMap(({ id, wanted, is }) => line(id, wanted, is))];
}

/** `--json` has all of them. */
const MOST_EXPLAINED = 8;

function causeOf(drift: Drifted | undefined, terminal: Terminal): readonly string[] {
  return drift === undefined ? [] : viewDriftCause(drift, terminal);
}

function viewLaunched({ deployment, refused }: LaunchedStatus, terminal: Terminal): string {
  if (refused === undefined) return `  launched  ${deployment}: \`hft ps\` shows it`;
  return `  ${paint(terminal, 'red', 'not launched')}  ${deployment}  ${refused}`;
}

/** What was measured last, however long ago: its time says so. */
function viewLatencyVerdict({ time, profile, cut, summary }: LatencyVerdict, terminal: Terminal): string {
  const counts = [
    paint(terminal, 'red', count(summary.fail, 'fail')),
    paint(terminal, 'yellow', count(summary.inconclusive, 'inconclusive')),
    paint(terminal, 'green', count(summary.pass, 'pass')),
    count(summary.notJudged, 'not judged'),
    count(summary.notMeasured, 'not measured'),
  ].filter((text) => text !== '');
  const said =
    profile === null ? 'measured, not judged' : `${counts.join(', ') || 'nothing to judge'} against ${profile}`;
  return `  latency  ${said}${cut ? ' (cut)' : ''}, ${time}`;
}

function count(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}`;
}

function viewProfile({ profile, since }: Status): string {
  return profile === undefined ? 'no profile in force' : `profile ${profile} since ${since}`;
}
