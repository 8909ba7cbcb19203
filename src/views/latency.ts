import type { LatencyPlots } from '../latency/report/plots.ts';
import type { LatencyResult } from '../latency/report/result.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { printNs } from './duration.ts';
import { viewArtefacts, viewCauses } from './latency-causes.ts';
import { viewLoad } from './latency-load.ts';
import { viewMissed, viewUndecided } from './latency-reasons.ts';
import { viewSpread } from './latency-spread.ts';
import { viewRows } from './latency-table.ts';
import { indented, paint, type Terminal, wrap } from './terminal.ts';

/** The verdicts first, then what was not measured and why, what is to be known of the runs, and what they could not see below. */
export function viewLatency(result: LatencyResult, terminal: Terminal, plots?: LatencyPlots): string {
  const blocks = [
    viewHead(result, terminal),
    viewRows(result.probes, terminal),
    plots === undefined ? '' : viewSpread(plots, terminal),
    viewMissed(result.probes, terminal),
    viewUndecided(result.probes, terminal),
    viewNotMeasured(result, terminal),
    viewCauses(result, terminal),
    viewFindings(result, terminal),
    viewArtefacts(result, terminal),
    viewLoad(result, terminal),
    viewFloor(result, terminal),
    viewSummary(result, terminal),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function viewHead({ host, profile, cpus, cut, hypervisor }: LatencyResult, terminal: Terminal): string {
  const title = `Latency of ${paint(terminal, 'bold', host)} on ${nameCpus(cpus.cpus)}: ${cpus.why}.`;
  const sentences = [
    cut ? paint(terminal, 'yellow', 'Cut: it was ended before its time; what was measured until then is below.') : '',
    title,
    sayDistance(profile),
    hypervisor === null
      ? ''
      : `This is a virtual machine${hypervisor === 'unknown' ? '' : ` (${hypervisor})`}: what the hypervisor does to its CPUs is in these figures.`,
  ];
  return sentences
    .filter((sentence) => sentence !== '')
    .map((sentence) => wrap(sentence, terminal.columns))
    .join('\n');
}

function nameCpus(cpus: readonly number[]): string {
  if (cpus.length === 0) return 'no CPU';
  return `${cpus.length === 1 ? 'CPU' : 'CPUs'} ${printCpulist(cpus)}`;
}

function sayDistance(profile: LatencyResult['profile']): string {
  if (profile === null) return 'No profile was named and none is in force, so nothing is judged: `--profile NAME`.';
  const { name, differs, unread, why } = profile;
  if (differs === null) return `Judged by ${name}, which cannot be compared with this host: ${why}`;
  if (differs === 0 && unread === 0) return `Judged by ${name}, which this host is tuned to.`;
  const settings = differs === 1 ? '1 setting' : `${differs} settings`;
  const unknown = unread === 0 || unread === null ? '' : ` (${unread} more could not be read)`;
  return `Judged by ${name}, from which this host differs in ${settings}${unknown}: \`hft plan --profile ${name}\`.`;
}

function viewNotMeasured({ notMeasured }: LatencyResult, terminal: Terminal): string {
  if (notMeasured.length === 0) return '';
  const byReason = new Map<string, Set<string>>();
  for (const { probe, variant, target, reason, need } of notMeasured) {
    const text = need === null ? reason : `${reason.replace(/\.$/, '')}. It needs ${need}.`;
    const name = target ?? `${probe}${variant === '' ? '' : ` ${variant}`}`;
    byReason.set(text, (byReason.get(text) ?? new Set()).add(name));
  }
  const lines = [...byReason].map(([reason, names]) => {
    const list = indented([...names].join(', '), terminal, 2);
    return `${paint(terminal, 'magenta', list)}\n${indented(reason, terminal, 6)}`;
  });
  return [paint(terminal, 'bold', 'Not measured'), ...lines].join('\n');
}

function viewFindings({ findings }: LatencyResult, terminal: Terminal): string {
  if (findings.length === 0) return '';
  const byText = new Map<string, { names: Set<string>; invalidates: boolean }>();
  for (const { probe, variant, text, invalidates } of findings) {
    const known = byText.get(text) ?? { names: new Set(), invalidates };
    known.names.add(variant === '' ? probe : `${probe} ${variant}`);
    byText.set(text, known);
  }
  const lines = [...byText].map(([text, { names, invalidates }]) => {
    const mark = invalidates ? paint(terminal, 'red', '!') : paint(terminal, 'dim', '-');
    return `  ${mark} ${indented(`${[...names].join(', ')}: ${text}`, terminal, 4).trimStart()}`;
  });
  return [paint(terminal, 'bold', 'Found in the runs'), ...lines].join('\n');
}

function viewFloor({ floor }: LatencyResult, terminal: Terminal): string {
  if (floor === null) return '';
  const { clock, quantumNs, readNs, orderedReadNs, loopNs, driftPpm, driftErrorPpm, skew } = floor;
  const parts = [
    `clock ${clock}, steps of ${printNs(quantumNs)}`,
    `a read ${printNs(readNs)}, in order ${printNs(orderedReadNs)}`,
    `a turn of the loop ${printNs(loopNs)}`,
    `drift ${Math.abs(driftPpm).toFixed(2)} ppm (±${driftErrorPpm.toFixed(2)})`,
    ...(skew === undefined
      ? []
      : [`clocks of two CPUs apart ${skew.offsetNs.toFixed(0)} ns (±${skew.errorNs.toFixed(0)})`]),
  ];
  return paint(terminal, 'dim', wrap(`Floor of the probes: ${parts.join('; ')}.`, terminal.columns, 2));
}

function viewSummary({ host, profile, summary, probes }: LatencyResult, terminal: Terminal): string {
  if (profile === null) return `${probes.length} measured, none judged`;
  const parts = [
    paint(terminal, 'red', count(summary.fail, 'fail')),
    paint(terminal, 'yellow', count(summary.inconclusive, 'inconclusive')),
    paint(terminal, 'green', count(summary.pass, 'pass')),
    count(summary.notJudged, 'not judged'),
    count(summary.notMeasured, `of the profile's rows not measured`),
  ];
  return wrap(
    `${host} against ${profile.name}: ${parts.filter((part) => part !== '').join(', ') || 'nothing to judge'}`,
    terminal.columns,
  );
}

function count(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}`;
}
