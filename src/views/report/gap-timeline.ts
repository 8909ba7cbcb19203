import { adviseOn, nameDisturbance } from '../disturbance-words.ts';
import { printNs } from '../duration.ts';
import { figure } from './figure.ts';
import type { AttributedResult, Disturbance, GapSeen } from './input.ts';
import { drawing, LINE_KINDS, label, mark } from './mark.ts';
import { joined, type Markup, paragraph, scrolling, section, tag, text } from './markup.ts';
import { type LogScale, linearSteps, logScale } from './scale.ts';
import { drawStripAxes, LEFT, RIGHT, WIDTH } from './strip-axes.ts';

const STRIP = 92;
const NAME = 18;
const BOTTOM = 36;
const CPUS_MAX = 16;
/** The page stays small, and so many marks cover each other as it is. */
const GAPS_MAX = 1500;
/** The others are drawn as small points. */
const CAUSES_MARKED = LINE_KINDS - 1;
const NO_CAUSE = 'no cause found';

/** What took the CPUs away, when, and who it was. */
export function viewGaps(result: AttributedResult): Markup {
  const { gaps = [], disturbances, explainedFraction } = result;
  const reason = whyNone(result);
  const share =
    explainedFraction === null
      ? ''
      : `${(explainedFraction * 100).toFixed(1)} % of the time that was taken is explained.`;
  const body = [
    ...(share + sayTier(result) === '' ? [] : [paragraph(`${share}${sayTier(result)}`.trim())]),
    ...(gaps.length === 0 ? [] : [drawTimeline(gaps)]),
    ...(disturbances.length === 0 ? [] : [listCauses(disturbances)]),
    ...(reason === '' ? [] : [paragraph(reason, 'muted')]),
  ];
  return section('gaps', 'Gaps and their causes', ...body);
}

function sayTier({ attribution }: AttributedResult): string {
  if (!attribution) return '';
  const { tier, why } = attribution;
  return ` Tier ${tier}: ${why.replace(/\.?$/, '.')}`;
}

function whyNone(result: AttributedResult): string {
  const { gaps = [], disturbances, probes, attribution } = result;
  if (gaps.length > 0 || disturbances.length > 0) return '';
  const jitter = probes.filter(({ gaps: found }) => found !== null);
  if (jitter.length === 0) return 'Jitter was not measured, and only its gaps have causes: `--probe jitter`.';
  if (jitter.every(({ samples }) => samples === 0)) return 'There was no gap to be explained.';
  return attribution ? 'No cause was found.' : 'No causes were sought in this measurement.';
}

function drawTimeline(gaps: readonly GapSeen[]): Markup {
  const shown = [...gaps].sort((one, other) => other.durationNs - one.durationNs).slice(0, GAPS_MAX);
  const totals = sumBy(gaps, ({ cpu }) => `${cpu}`);
  const cpus = [...totals.keys()]
    .slice(0, CPUS_MAX)
    .map(Number)
    .sort((one, other) => one - other);
  const causes = [...sumBy(gaps, nameCause).keys()];
  const height = cpus.length * STRIP + BOTTOM;
  const axes = axesOf(shown);
  const notes = [
    gaps.length > shown.length ? `the ${shown.length} longest of ${gaps.length}` : '',
    totals.size > cpus.length ? `the ${cpus.length} CPUs that lost most of ${totals.size}` : '',
  ].filter((note) => note !== '');
  return figure(
    'Gaps by CPU',
    notes.join('; '),
    scrolling(
      drawing(
        { width: WIDTH, height, name: 'Gaps over time, by CPU and cause' },
        drawTime(axes, height),
        ...cpus.map((cpu, index) =>
          drawCpu(
            shown.filter((gap) => gap.cpu === cpu),
            { cpu, causes, axes, top: index * STRIP },
          ),
        ),
      ),
    ),
    nameCauses(causes),
  );
}

/** What each took in all, the most first. */
function sumBy(gaps: readonly GapSeen[], keyOf: (gap: GapSeen) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const gap of gaps) sums.set(keyOf(gap), (sums.get(keyOf(gap)) ?? 0) + gap.durationNs);
  return new Map([...sums].sort(([, one], [, other]) => other - one));
}

function nameCause({ cause }: GapSeen): string {
  return cause ?? NO_CAUSE;
}

interface TimeAxes {
  readonly y: LogScale;
  readonly endS: number;
  at(second: number): number;
}

function axesOf(shown: readonly GapSeen[]): TimeAxes {
  const durations = shown.map(({ durationNs }) => Math.max(1, durationNs));
  const endS = shown.reduce((end, { atS }) => Math.max(end, atS), 1e-9);
  const range = {
    lowest: durations.reduce((a, b) => Math.min(a, b)),
    highest: durations.reduce((a, b) => Math.max(a, b)),
  };
  return {
    y: logScale(range, [STRIP - 12, NAME]),
    endS,
    at: (second) => LEFT + (Math.max(0, second) / endS) * (WIDTH - LEFT - RIGHT),
  };
}

function drawTime({ endS, at }: TimeAxes, height: number): Markup {
  return tag(
    'g',
    { class: 'axes' },
    ...linearSteps(endS, 8).map((second) =>
      label('tick middle', [at(second), height - BOTTOM + 16], `${Number(second.toPrecision(3))} s`),
    ),
    label('tick middle', [(LEFT + WIDTH - RIGHT) / 2, height - 4], 'time since the start of the measurement'),
  );
}

interface Strip {
  readonly cpu: number;
  readonly causes: readonly string[];
  readonly axes: TimeAxes;
  readonly top: number;
}

function drawCpu(gaps: readonly GapSeen[], { cpu, causes, axes, top }: Strip): Markup {
  const { y, at } = axes;
  const ends = [y.majors[0] ?? 1, y.majors.at(-1) ?? 1];
  return tag(
    'g',
    {},
    drawStripAxes({ y, top, ticks: ends, name: `CPU ${cpu}` }),
    ...[...gaps].reverse().map((gap) => drawGap(gap, [at(gap.atS), top + y.at(gap.durationNs)], causes)),
  );
}

/** Many gaps have a mark without a tooltip: each would be a hundred bytes. */
function drawGap(gap: GapSeen, place: readonly [number, number], causes: readonly string[]): Markup {
  const kind = causes.indexOf(nameCause(gap));
  if (kind < CAUSES_MARKED) return mark(kind, place, 'gap');
  return tag('rect', { class: 'gap-rest', x: place[0] - 1.5, y: place[1] - 1.5, width: 3, height: 3 });
}

function nameCauses(causes: readonly string[]): Markup {
  const marked = causes
    .slice(0, CAUSES_MARKED)
    .map((cause, kind) => tag('li', {}, keyOf(mark(kind, [7, 7], 'gap')), text(cause)));
  const rest = causes.length - marked.length;
  const others = keyOf(tag('rect', { class: 'gap-rest', x: 5.5, y: 5.5, width: 3, height: 3 }));
  return tag(
    'ul',
    { class: 'legend' },
    ...marked,
    ...(rest > 0 ? [tag('li', {}, others, text(`${rest} others`))] : []),
  );
}

function keyOf(sample: Markup): Markup {
  return tag('svg', { class: 'key', width: 14, height: 14, viewBox: '0 0 14 14', 'aria-hidden': 'true' }, sample);
}

const CAUSES_LISTED = 40;

function listCauses(disturbances: readonly Disturbance[]): Markup {
  const listed = [...disturbances].sort((one, other) => other.totalNs - one.totalNs).slice(0, CAUSES_LISTED);
  const heads = ['cause', 'count', 'in all', 'longest', 'what removes it'];
  const head = tag('tr', {}, ...heads.map((name) => tag('th', { scope: 'col' }, text(name))));
  const rows = listed.map(({ count, totalNs, maxNs, ...disturbance }) =>
    tag(
      'tr',
      {},
      tag('th', { scope: 'row' }, text(nameDisturbance(disturbance))),
      ...[`${count}`, printNs(totalNs), printNs(maxNs)].map((value, index) =>
        tag('td', { class: 'number', 'data-label': heads[index + 1] }, text(value)),
      ),
      tag('td', { 'data-label': heads[4] }, viewRemedy(disturbance)),
    ),
  );
  const rest = disturbances.length - listed.length;
  const table = tag('table', { class: 'causes' }, tag('thead', {}, head), tag('tbody', {}, ...rows));
  return joined([scrolling(table), ...(rest > 0 ? [paragraph(`${rest} lesser causes are in --json.`, 'muted')] : [])]);
}

/** The setting; without one, or with threads that throttling let run, what else there is to say. */
function viewRemedy(disturbance: Pick<Disturbance, 'fix' | 'advice' | 'letRun'>): Markup {
  const { fix, letRun = [] } = disturbance;
  const said = adviseOn(disturbance);
  if (!fix) return text(said ?? 'none known');
  const setting = tag('code', {}, text(fix));
  return letRun.length === 0 || said === null ? setting : joined([setting, text(` ${said}`)]);
}
