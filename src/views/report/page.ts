import { viewBeforeAfter } from './before-after.ts';
import { viewGaps } from './gap-timeline.ts';
import { viewHeader } from './header.ts';
import { viewHeatMaps } from './heat-map.ts';
import { viewHostFacts } from './host-facts.ts';
import type { BaselinePart, MeasuredPart, ReportInput } from './input.ts';
import { joined, type Markup, NOTHING, paragraph, scrolling, section, tag, text, trusted } from './markup.ts';
import { viewMaxima } from './maxima-plot.ts';
import { viewMethod } from './method.ts';
import { viewPercentiles } from './percentile-plot.ts';
import { viewSettings } from './settings.ts';
import { PAGE_STYLE } from './style.ts';
import { viewVerdicts } from './verdict-table.ts';

/**
 * All of it as one HTML file that needs nothing else: no network, no scripts. Pure; the page is also well-formed XML. Of a run of
 * any length it stays below 2 MB.
 */
export function drawReport(input: ReportInput): string {
  const { latency, baseline, topology, settings, facts, host } = input;
  const body = [
    viewHeader(input),
    typeof latency === 'string'
      ? section('latency', 'Latency', paragraph(latency, 'muted'))
      : viewLatency(latency, baseline),
    topology === undefined ? NOTHING : section('topology', 'Topology', scrolling(trusted(topology))),
    viewSettings(settings),
    viewHostFacts(facts, typeof latency === 'string' ? undefined : latency.facts),
  ];
  const head = tag(
    'head',
    {},
    tag('meta', { charset: 'utf-8' }),
    tag('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    tag('meta', { name: 'color-scheme', content: 'light dark' }),
    tag('title', {}, text(`hft: ${host}`)),
    tag('style', {}, trusted(PAGE_STYLE)),
  );
  return `<!DOCTYPE html>\n${tag('html', { lang: 'en' }, head, tag('body', {}, tag('main', {}, ...body)))}\n`;
}

function viewLatency({ result, plots }: MeasuredPart, baseline: BaselinePart | undefined): Markup {
  const curves = plots.series.filter(({ probe }) => probe !== 'core-to-core');
  return joined([
    viewVerdicts(result),
    viewPercentiles({ result, series: curves, baseline }),
    viewBeforeAfter(result, baseline),
    viewGaps(result),
    viewMaxima(curves),
    viewHeatMaps(plots.matrices),
    viewMethod(result),
  ]);
}
