import type { Candidate, Tier } from '../latency/attribution/cause.ts';
import type { CauseSearch, CausesFound, Disturbance } from '../latency/report/disturbances.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { adviseOn, nameDisturbance } from './disturbance-words.ts';
import { printNs } from './duration.ts';
import { indented, paint, type Terminal, wrap } from './terminal.ts';

/** More are in the JSON. */
const CAUSES_SHOWN = 8;
const CELL = 9;
/** Of those that throttling let run. */
/** Before the name of a cause. */
const NUMBERS = 3 * CELL + 2;

const SOURCES: Readonly<Record<Tier, string>> = {
  A: 'osnoise',
  B: 'ftrace',
  C: 'counters',
  D: 'periodicity',
};

/** What took the CPUs in jitter's gaps, how much of it is known, and how it was found out. */
export function viewCauses({ attribution, disturbances, explainedFraction }: CausesFound, terminal: Terminal): string {
  if (attribution === null) return '';
  const title = paint(terminal, 'bold', 'What took the CPUs while jitter was measured');
  const isSeen = attribution.tier === 'A' || attribution.tier === 'B';
  const found = isSeen ? viewDisturbances(disturbances, terminal) : viewCandidates(attribution.candidates, terminal);
  const beside = isSeen ? viewBeside(attribution.candidates, terminal) : [];
  const lines = [...found, ...beside, ...sayShare(attribution, explainedFraction), ...saySource(attribution)];
  return [title, ...lines.map((line) => (line.startsWith(' ') ? line : indented(line, terminal, 2)))].join('\n');
}

function viewDisturbances(disturbances: readonly Disturbance[], terminal: Terminal): string[] {
  if (disturbances.length === 0) return [];
  const head = paint(
    terminal,
    'dim',
    `  ${['count', 'total', 'max'].map((name) => name.padStart(CELL)).join('')}  cause`,
  );
  const shown = disturbances.slice(0, CAUSES_SHOWN);
  const rest = disturbances.slice(CAUSES_SHOWN);
  const more =
    rest.length === 0
      ? []
      : [`${rest.length} more, ${printNs(rest.reduce((sum, { totalNs }) => sum + totalNs, 0))} in all: \`--json\`.`];
  return [head, ...shown.flatMap((each, at) => viewDisturbance(each, shown.slice(0, at), terminal)), ...more];
}

/** The setting that removes it stands on its line where that is wide enough; what was advised `before` is not said again. */
function viewDisturbance(disturbance: Disturbance, before: readonly Disturbance[], terminal: Terminal): string[] {
  const { count, totalNs, maxNs, explained, cpus, fix } = disturbance;
  const advice = adviseOn(disturbance);
  const numbers = [`${count}`, printNs(totalNs), printNs(maxNs)].map((text) => text.padStart(CELL)).join('');
  const name = `${nameDisturbance(disturbance)}, CPU ${printCpulist(cpus)}`;
  const line = `  ${numbers}  ${explained ? name : paint(terminal, 'magenta', name)}`;
  const isKnown = before.some((other) => adviseOn(other) === advice);
  const width = NUMBERS + 2 + name.length;
  if (fix === null || width + fix.length + 9 > terminal.columns)
    return [line, ...viewRemedy(fix, isKnown ? null : advice, terminal)];
  return [
    `${line}  ${paint(terminal, 'dim', `  fix: ${fix}`)}`,
    ...viewRemedy(null, isKnown ? null : advice, terminal),
  ];
}

/** `fix: isolation.nohz_full`, under the name of the cause. */
function viewRemedy(fix: string | null | undefined, advice: string | null | undefined, terminal: Terminal): string[] {
  const parts = [...(fix ? [`fix: ${fix}`] : []), ...(advice ? [advice] : [])];
  if (parts.length === 0) return [];
  const text = parts.join('. ').replace(/\.?$/, '');
  return [paint(terminal, 'dim', indented(text, terminal, NUMBERS + 4))];
}

function viewCandidates(candidates: readonly Candidate[], terminal: Terminal): string[] {
  if (candidates.length === 0) return ['Nothing was counted on these CPUs in that time.'];
  const shown = candidates.slice(0, CAUSES_SHOWN);
  const lines = shown.flatMap(({ cause, cpu, evidence, fix, advice }) => [
    indented(`maybe ${cause}, CPU ${cpu}: ${evidence}`, terminal, 4),
    ...viewRemedy(fix, advice, terminal),
  ]);
  const more = candidates.length - shown.length;
  return [...lines, ...(more > 0 ? [`${more} more: \`--json\`.`] : [])];
}

/** What events cannot show. */
function viewBeside(candidates: readonly Candidate[], terminal: Terminal): string[] {
  return candidates
    .slice(0, CAUSES_SHOWN)
    .flatMap(({ cause, cpu, evidence, fix, advice }) => [
      indented(`Beside, in no gap seen: ${cause}, CPU ${cpu} (${evidence})`, terminal, 2),
      ...viewRemedy(fix, advice, terminal),
    ]);
}

function sayShare(
  { stolenNs, explainedNs, unexplained, tier }: CauseSearch,
  explainedFraction: number | null,
): string[] {
  if (explainedFraction === null) return ['Nothing took them.'];
  if (tier === 'C' || tier === 'D')
    return [`${printNs(stolenNs)} were taken, none of it explained: these are candidates, not causes.`];
  const rest: readonly (readonly [number, string])[] = [
    [unexplained.outsideKernelNs, 'in gaps where the kernel saw nothing'],
    [unexplained.besideCausesNs, 'in gaps with a cause, beside it (entering and leaving the kernel)'],
    [unexplained.notRecordedNs, 'not recorded'],
    [unexplained.unlistedNs, 'in gaps that are not listed one by one'],
  ];
  const parts = rest.filter(([ns]) => ns >= 0.5).map(([ns, what]) => `${printNs(ns)} ${what}`);
  const share = `${(explainedFraction * 100).toFixed(1)} % of the ${printNs(stolenNs)} taken is explained (${printNs(explainedNs)})`;
  return [parts.length === 0 ? `${share}.` : `${share}; the rest: ${parts.join(', ')}.`];
}

function saySource({ tier, why, missed }: CauseSearch): string[] {
  const byReason = new Map<string, Tier[]>();
  for (const { tier: better, reason } of missed) byReason.set(reason, [...(byReason.get(reason) ?? []), better]);
  const not = [...byReason].map(
    ([reason, tiers]) => `Not ${tiers.map((each) => `${each} (${SOURCES[each]})`).join(' nor ')}: ${reason}`,
  );
  return [[`Tier ${tier}: ${why}`, ...not].join(' ')];
}

/** What the measurement, the machine or its hypervisor did to the figures. Said once for all runs that it is true of. */
export function viewArtefacts({ artefacts }: CausesFound, terminal: Terminal): string {
  if (artefacts.length === 0) return '';
  const byText = new Map<string, { readonly names: Set<string>; readonly fix: string | undefined }>();
  for (const { probe, variant, text, fix } of artefacts) {
    const known = byText.get(text) ?? { names: new Set<string>(), fix };
    known.names.add(variant === '' ? probe : `${probe} ${variant}`);
    byText.set(text, known);
  }
  const lines = [...byText].map(([text, { names, fix }]) => {
    const said = `${[...names].join(', ')}: ${text}${fix === undefined ? '' : ` fix: ${fix}`}`;
    return `  ${paint(terminal, 'yellow', '!')} ${wrap(said, terminal.columns - 4).replaceAll('\n', '\n    ')}`;
  });
  return [paint(terminal, 'bold', 'Artefacts'), ...lines].join('\n');
}
