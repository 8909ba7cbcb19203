import type { Block } from '../histogram/block.ts';
import { Histogram } from '../histogram/histogram.ts';
import type { Measure, Pacing } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/run.ts';
import { type Bins, binsOf, type CurvePoint, curveOf } from './curve.ts';
import { observe } from './observed.ts';
import type { Outcome } from './result.ts';
import { type ReportedRun, shownMeasures } from './row.ts';

/**
 * What plots are drawn from, made when it was measured: blocks are not kept. Bounded whatever the length of the run and the number
 * of CPUs: of each variant the measures with the longest maxima, each with so many points.
 */
export interface LatencyPlots {
  readonly series: readonly Series[];
  readonly matrices: readonly CoreMatrix[];
}

/** One measure of one variant. */
export interface Series {
  readonly probe: string;
  /** Of the pipeline, whose stages are measured together. */
  readonly stage?: string;
  readonly variant: string;
  readonly cpus: readonly number[];
  /** Measures that this variant has; it is one of the worst of them. */
  readonly outOf: number;
  readonly direction: Measure['direction'];
  readonly pacing: Pacing;
  readonly quantity: 'latency' | 'delay';
  readonly samples: number;
  readonly floorNs: number;
  readonly curve: readonly CurvePoint[];
  readonly bins: Bins;
  readonly maxima: Maxima;
}

/** The largest sample (of a delay: the longest gap) of each step of the run; null where there is none. */
export interface Maxima {
  readonly stepS: number;
  readonly maxNs: readonly (number | null)[];
}

/** Medians of a cache line there and back, by position in `cpus`; null on the diagonal and where nothing was measured. */
export interface CoreMatrix {
  readonly variant: string;
  readonly cpus: readonly number[];
  readonly medianNs: readonly (readonly (number | null)[])[];
}

/** A plot of more lines than this tells nothing. */
const WORST_SHOWN = 6;
const STEPS_MAX = 300;
const SECOND_NS = 1e9;

export function plotMeasurements(outcomes: readonly Outcome[]): LatencyPlots {
  const reported = outcomes.flatMap(({ probe, variant, measured }): ReportedRun[] =>
    measured.status === 'measured' ? [{ variant, run: measured.run, report: probe.report(measured.run, variant) }] : [],
  );
  return {
    series: reported.flatMap(plotRun),
    matrices: reported.filter(({ report }) => report.probe === 'core-to-core').map(drawMatrix),
  };
}

function plotRun({ report, run }: ReportedRun): Series[] {
  const measures = shownMeasures(report).filter(({ isSplit }) => isSplit !== true);
  const worst = [...measures].sort((one, other) => maximum(other.blocks) - maximum(one.blocks)).slice(0, WORST_SHOWN);
  return measures
    .filter((measure) => worst.includes(measure))
    .flatMap((measure) => {
      const { probe, variant } = report;
      return plotMeasure(measure, run).map((plotted) => ({ probe, variant, outOf: measures.length, ...plotted }));
    });
}

/** Nothing where no sample was taken. */
function plotMeasure(measure: Measure, run: ProbeRun): Omit<Series, 'probe' | 'variant' | 'outOf'>[] {
  const { shares, samples, maxNs, floorNs } = observe(measure, run);
  if (shares === undefined || maxNs === undefined) return [];
  const { cpus, direction, pacing, blocks } = measure;
  const quantity = measure.samples === 'gap' ? 'delay' : 'latency';
  const { exceedances } = shares;
  return [
    {
      ...stageOf(measure),
      ...{ cpus, direction, pacing, quantity, samples, floorNs },
      curve: curveOf(exceedances, maxNs),
      bins: binsOf(exceedances, maxNs),
      maxima: maximaOf(blocks, run.meta.blockNs),
    },
  ];
}

/** Elsewhere a variant has one part, and its name says which. */
function stageOf({ isSynthetic, part }: Measure): Pick<Series, 'stage'> {
  return isSynthetic && part !== undefined ? { stage: part } : {};
}

function maximum(blocks: readonly Block[]): number {
  return blocks.reduce((max, { maxNs }) => Math.max(max, maxNs), 0);
}

/** Of each second; of each block in a short run, of longer steps in a long one. A block belongs to the step in which it begins. */
function maximaOf(blocks: readonly Block[], blockNs: number): Maxima {
  const spanNs = blocks.reduce((end, { startNs, durationNs }) => Math.max(end, startNs + durationNs), 0);
  const fewest = spanNs / STEPS_MAX;
  const stepNs = fewest <= blockNs ? blockNs : Math.ceil(fewest / SECOND_NS) * SECOND_NS;
  const maxNs = new Array<number | null>(Math.min(STEPS_MAX, Math.ceil(spanNs / stepNs))).fill(null);
  for (const block of blocks.filter(({ count }) => count > 0)) {
    const step = Math.min(maxNs.length - 1, Math.max(0, Math.floor(block.startNs / stepNs)));
    maxNs[step] = Math.max(maxNs[step] ?? 0, Math.round(block.maxNs));
  }
  return { stepS: stepNs / 1e9, maxNs };
}

function drawMatrix({ report, variant }: ReportedRun): CoreMatrix {
  const cpus = [...new Set(report.measures.flatMap((measure) => measure.cpus))].sort((one, other) => one - other);
  const medianNs = cpus.map(() => new Array<number | null>(cpus.length).fill(null));
  for (const { cpus: pair, blocks } of report.measures) {
    const [from = -1, to = -1] = pair.map((cpu) => cpus.indexOf(cpu));
    const median = Histogram.ofBlocks(blocks).quantile(0.5);
    for (const [row, column] of [
      [from, to],
      [to, from],
    ] as const) {
      const line = medianNs[row];
      if (line !== undefined && Number.isFinite(median)) line[column] = Math.round(median);
    }
  }
  return { variant: variant.name, cpus, medianNs };
}
