import type { EvidenceCheck } from '../ptp/evidence.ts';
import { formatNs } from '../ptp/nanoseconds.ts';
import type { ClockReport, ClockState, PtpReport } from '../ptp/report.ts';
import { indented, paint, type Terminal } from './terminal.ts';
import { viewVerification } from './verify.ts';

/** The clocks, the sum of what can be wrong beside the limits, and every check. */
export function viewPtp(report: PtpReport, terminal: Terminal): string {
  const clocks = report.clocks.map((clock) => viewClock(clock, terminal));
  return [
    ...clocks,
    viewVerification(
      { ...report, profile: `PTP, ${report.looks} looks in ${report.durationS.toFixed(1)} s` },
      terminal,
    ),
  ].join('\n\n');
}

function viewClock(clock: ClockReport, terminal: Terminal): string {
  const { name, socket, domain, state } = clock;
  const title = `${paint(terminal, 'bold', name)}  domain ${domain}, ${socket}`;
  if (state === null) return title;
  const rows = factsOf(state).map(
    ([label, text]) => `  ${label.padEnd(14)}${indented(text, terminal, 16).trimStart()}`,
  );
  return [title, ...rows, '', ...viewBudget(clock, terminal)].join('\n');
}

function factsOf(state: ClockState): readonly (readonly [string, string])[] {
  const { port, servo, grandmaster, time, sync, system } = state;
  const still =
    sync.stillMs === null ? 'has not moved' : `last moved ${(sync.stillMs / 1000).toFixed(1)} s before the end`;
  const received = sync.received === null ? '' : `, ${sync.received} received`;
  const leap = time.leap === null ? '' : `, leap second announced (${time.leap})`;
  return [
    [
      'port',
      `${port.number} ${port.state}, ${(port.timestamping ?? 'unknown').toLowerCase()} stamps, servo ${servo ?? 'n/a'}`,
    ],
    ['grandmaster', `${grandmaster.identity}, class ${grandmaster.clockClass} (${grandmaster.meaning})`],
    [
      'accuracy',
      `${grandmaster.clockAccuracy}, ${grandmaster.accuracyNs === null ? 'not known' : `within ${formatNs(grandmaster.accuracyNs)}`}`,
    ],
    [
      'distance',
      `${state.stepsRemoved} step(s), path delay ${formatNs(state.pathDelayNs)}, ${state.twoStep ? 'two' : 'one'}-step`,
    ],
    [
      'timescale',
      `${time.timescale}, UTC offset ${time.utcOffsetS} s (${time.utcOffsetValid ? 'valid' : 'not valid'}), ${time.traceable ? '' : 'not '}traceable${leap}`,
    ],
    ['sync', `${still}${received}`],
    [
      'offset',
      sync.live
        ? `${formatNs(state.offsetNs)} now, at most ${formatNs(state.maxOffsetNs)}`
        : `not known (${formatNs(state.offsetNs)} of before)`,
    ],
    ['system clock', system === null ? 'steered by ptp4l itself' : viewSystem(system)],
  ];
}

function viewSystem({ clock, method, offsetNs, readDelayNs, error }: NonNullable<ClockState['system']>): string {
  if (offsetNs === null || readDelayNs === null) return `${clock}: ${error}`;
  return `${formatNs(offsetNs)} from ${clock} (${method}, read within ${formatNs(readDelayNs)})`;
}

function viewBudget({ budget, limits }: ClockReport, terminal: Terminal): readonly string[] {
  const parts = budget.parts.map(({ what, ns }) => `  ${figure(ns)}  ${what}`);
  const rows = limits.map(({ name, limitNs, valueNs, source }) => {
    const isMet = valueNs !== undefined && valueNs <= limitNs;
    const style = valueNs === undefined ? 'cyan' : isMet ? 'green' : 'red';
    const verdict = valueNs === undefined ? 'not known' : isMet ? 'within' : 'beyond';
    return `  ${figure(valueNs)}  ${paint(terminal, style, `${verdict.padEnd(9)} ${formatNs(limitNs).padStart(7)}  ${name}`)}\n${indented(paint(terminal, 'dim', source), terminal, 14)}`;
  });
  const asymmetry = `Not in it: an asymmetric path, which PTP cannot see; at most the path delay, ${formatNs(budget.asymmetryNs)}.`;
  return [
    '  error budget',
    ...parts,
    `  ${figure(budget.utcNs)}  sum against UTC`,
    '',
    '  limits',
    ...rows,
    '',
    indented(asymmetry, terminal, 2),
  ];
}

function figure(ns: number | undefined): string {
  return (ns === undefined ? 'not known' : formatNs(ns)).padStart(10);
}

/** One line for each look while it is watched. */
export function viewLook({ clocks, results }: PtpReport, time: Date, terminal: Terminal): string {
  const said = clocks.map(({ name, state }) => (state === null ? `${name} no answer` : sayState(name, state)));
  const failed = results.filter(({ status }) => status === 'fail').map(({ id }) => id.replace(/^ptp\./, ''));
  const open = results.filter(({ status }) => status !== 'fail' && status !== 'pass').length;
  const wrong = [...failed, ...(open > 0 ? [`${open} not known`] : [])].join(' ');
  const verdict = wrong === '' ? paint(terminal, 'green', 'ok') : paint(terminal, 'red', wrong);
  return `${time.toISOString().slice(11, 19)}  ${[...said, verdict].join('  ')}`;
}

function sayState(name: string, { port, sync, offsetNs, system, pathDelayNs }: ClockState): string {
  if (!sync.live) return `${name} ${port.state} no Sync`;
  const clock = system?.offsetNs == null ? '' : ` system ${formatNs(system.offsetNs)}`;
  return `${name} ${port.state} offset ${formatNs(offsetNs)}${clock} delay ${formatNs(pathDelayNs)}`;
}

/** What following the chain of an evidence log showed. */
export function viewChain(check: EvidenceCheck & { readonly folder: string }, terminal: Terminal): string {
  const { folder, files, lines, samples, excursions, end, torn, problem } = check;
  if (files === 0) return `There is no evidence log in ${folder}: \`hft verify ptp --watch --evidence\` writes one.`;
  const rest = [
    `${folder}: ${files} file(s), ${lines} lines, ${samples} samples, ${excursions} excursions`,
    ...torn.map((name) => `${name} ends in a line that was cut off (a power cut, a kill); what is before it counts.`),
  ];
  if (problem !== undefined) return [paint(terminal, 'red', `broken  ${folder}/${problem}`), ...rest].join('\n');
  const last = `Last line: ${end.seq}, SHA-256 ${end.hash}. Keep it elsewhere: only that shows that nothing was cut off the end.`;
  return [paint(terminal, 'green', 'whole'), ...rest, indented(last, terminal, 0)].join('\n');
}
