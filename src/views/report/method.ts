import { printNs } from '../duration.ts';
import type { AttributedResult } from './input.ts';
import { type Markup, NOTHING, section, tag, text } from './markup.ts';

/** What the probes could not see below, what is to be known of the runs, and how the figures came about. */
export function viewMethod(result: AttributedResult): Markup {
  return section('method', 'How it was measured', viewFindings(result), viewFloor(result), viewStatistics());
}

function viewFindings({ findings, artefacts = [] }: AttributedResult): Markup {
  const said = [...findings, ...artefacts.map((artefact) => ({ ...artefact, invalidates: false }))];
  if (said.length === 0) return NOTHING;
  const byText = new Map<string, { names: Set<string>; invalidates: boolean }>();
  for (const { text: each, probe, variant, invalidates } of said) {
    const known = byText.get(each) ?? { names: new Set(), invalidates };
    known.names.add([probe, variant].filter((part) => part !== '').join(' '));
    byText.set(each, known);
  }
  const items = [...byText].map(([each, { names, invalidates }]) =>
    tag(
      'li',
      { class: invalidates ? 'invalid' : undefined },
      tag('strong', {}, text(`${invalidates ? '✗ not judged: ' : ''}${[...names].join(', ')}`)),
      text(` ${each}`),
    ),
  );
  return tag('ul', { class: 'plain' }, ...items);
}

function viewFloor({ floor }: AttributedResult): Markup {
  if (floor === null) return NOTHING;
  const { clock, quantumNs, readNs, orderedReadNs, recordNs, loopNs, driftPpm, driftErrorPpm, skew } = floor;
  const parts = [
    `clock ${clock}, steps of ${printNs(quantumNs)}`,
    `a read ${printNs(readNs)}, in order ${printNs(orderedReadNs)}`,
    `a sample into its histogram ${printNs(recordNs)}`,
    `a turn of the loop ${printNs(loopNs)}`,
    `drift ${Math.abs(driftPpm).toFixed(2)} ppm (±${driftErrorPpm.toFixed(2)})`,
    ...(skew === undefined
      ? []
      : [`clocks of two CPUs apart ${skew.offsetNs.toFixed(0)} ns (±${skew.errorNs.toFixed(0)})`]),
  ];
  const said = ` ${parts.join('; ')}. Digits below it are not given.`;
  return tag('p', {}, tag('strong', {}, text('Floor of the probes:')), text(said));
}

const STATISTICS = [
  'A sample counts from the moment at which it was meant to start, so that a stall counts for all that it held up. Intervals have 95 % and take into account that samples depend on each other.',
  'A limit is met only when the whole interval is at or below it, missed only when all of it is above; else it is undecided. A percentile that the samples do not tell is n/a. The maximum is exact and has no verdict: a longer run has a larger one.',
  'What was not seen may still come: a run of the length T tells nothing of what comes less often than 3 / T.',
];

function viewStatistics(): Markup {
  const more = 'More: docs/verify-latency.md and docs/latency-statistics.md of hft.';
  return tag('div', {}, ...[...STATISTICS, more].map((each) => tag('p', { class: 'muted' }, text(each))));
}
