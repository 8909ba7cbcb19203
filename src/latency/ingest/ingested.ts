import { Histogram } from '../histogram/histogram.ts';
import { intervalsOfTag, type ReadInterval } from '../histogram/log-read.ts';
import {
  type Judged,
  judgePercentiles,
  type Percentiles,
  roundToClock,
  type Verdict,
  verdictOf,
} from '../report/judge.ts';
import type { Observation } from '../report/observed.ts';
import { blocksOf, exceedancesOf, kindOfTag } from '../saved/logged-rows.ts';
import { SAMPLES_BEYOND_MIN } from '../statistics/compare.ts';
import { ObservedShares } from '../statistics/effective-size.ts';
import { unseenPerSecondMax } from '../statistics/maximum.ts';
import { QUANTILES, type QuantileName, type Target } from '../targets/target.ts';

/** One tag of the log, and the row of the profile that judges it. */
export interface IngestedRow {
  /** null: the intervals without a tag. */
  readonly tag: string | null;
  /** delay: of a random arrival, from the gaps of hft's own jitter. */
  readonly quantity: 'latency' | 'delay';
  readonly intervals: number;
  readonly samples: number;
  readonly durationS: number;
  readonly percentiles: Readonly<Record<QuantileName | 'max', number | null>>;
  readonly interval: Readonly<Record<QuantileName, { readonly lower: number; readonly upper: number | null }>>;
  readonly judgements: Readonly<Record<QuantileName, Judged | null>>;
  /** Why a percentile is null. */
  readonly notAvailable: Readonly<Partial<Record<QuantileName, string>>>;
  /** Of these samples alone: they describe the log, and nothing is judged by them. null: too few beyond. */
  readonly ofTheseSamples: Readonly<Record<QuantileName, number | null>>;
  readonly target: (Partial<Record<QuantileName, number>> & { readonly name: string }) | null;
  /** null: no row judges it. */
  readonly verdict: Verdict | null;
  readonly unit: 'ns';
  /** What the values of the log do not resolve: 0 is less than this. */
  readonly floorNs: number;
  readonly unseenPerSecondMax: number | null;
}

/** The stable JSON of `hft verify latency --ingest FILE`: additive changes only. */
export interface IngestResult {
  readonly file: string;
  /** Of the values in the log, as it was stated. */
  readonly unit: 'ns' | 'us' | 'ms';
  readonly profile: string | null;
  readonly rows: readonly IngestedRow[];
  /** What the log cannot say, one sentence each. */
  readonly caveats: readonly string[];
  readonly summary: Readonly<Record<Verdict, number>> & { readonly notJudged: number };
}

export interface IngestQuestion {
  readonly file: string;
  readonly unit: IngestResult['unit'];
  readonly profile: string | undefined;
  /** The row that judges a tag (undefined: intervals without one); undefined: none does. */
  readonly targetFor: (tag: string | undefined) => Target | undefined;
}

/**
 * Judges the intervals of a log, which are its blocks. Pure. Throws HdrLogError for a tag whose intervals differ in resolution.
 */
export function judgeLog(intervals: readonly ReadInterval[], question: IngestQuestion): IngestResult {
  const { file, unit, profile, targetFor } = question;
  const tags = [...new Set(intervals.map(({ tag }) => tag))];
  const rows = tags.map((tag) => judgeTag(intervals, { file, tag }, targetFor(tag)));
  const count = (wanted: Verdict | null) => rows.filter(({ verdict }) => verdict === wanted).length;
  return {
    file,
    unit,
    profile: profile ?? null,
    rows,
    caveats: [...CAVEATS, ...sayStep(unit)],
    summary: { pass: count('pass'), fail: count('fail'), inconclusive: count('inconclusive'), notJudged: count(null) },
  };
}

/** As `hft verify latency`: 0 every limit is met or none was asked for, 1 one is missed, 6 undecided. */
export function ingestExitCode({ summary }: IngestResult): 0 | 1 | 6 {
  if (summary.fail > 0) return 1;
  return summary.inconclusive > 0 ? 6 : 0;
}

const CAVEATS = [
  'A log does not say direction, payload, pacing and load: they are taken to be what the row states.',
  'It does not say either whether a sample counts from the moment it was meant to start; where it does not, stalls count for less than they cost.',
] as const;

/** A value of 5 us may have been anything up to 6 us. */
function sayStep(unit: IngestResult['unit']): string[] {
  if (unit === 'ns') return [];
  return [
    `Its values are whole ${unit}: where the application cut off the rest, each latency may be up to 1 ${unit} longer than judged.`,
  ];
}

function judgeTag(
  all: readonly ReadInterval[],
  place: { readonly file: string; readonly tag: string | undefined },
  target: Target | undefined,
): IngestedRow {
  const { layout, intervals } = intervalsOfTag(all, place);
  const blocks = blocksOf(intervals);
  const whole = Histogram.ofBlocks(blocks, layout);
  const durationNs = blocks.reduce((sum, block) => sum + block.durationNs, 0);
  const kind = kindOfTag(place.tag);
  const exceedances = exceedancesOf(blocks, layout, kind);
  const stepNs = Math.max(kind.floorNs, layout.unitNs * 2 ** layout.unitBits);
  const observation: Observation = {
    shares: exceedances === undefined ? undefined : new ObservedShares(exceedances),
    samples: whole.count,
    durationNs,
    maxNs: whole.count === 0 ? undefined : whole.maxNs,
    unseenPerSecondMax: unseenPerSecondMax(durationNs),
    floorNs: stepNs,
    resolutionNs: layout.unitNs * 2 ** layout.unitBits,
    jitter: undefined,
  };
  const judged = explainFewBlocks(judgePercentiles(observation, target), blocks.length, whole.count);
  const each = <T>(of: (name: QuantileName, q: number) => T) =>
    Object.fromEntries(QUANTILES.map(({ name, q }) => [name, of(name, q)])) as Record<QuantileName, T>;
  return {
    tag: place.tag ?? null,
    quantity: kind.quantity,
    intervals: intervals.length,
    samples: whole.count,
    durationS: durationNs / 1e9,
    percentiles: {
      ...each((name) => judged[name].value),
      max: whole.count === 0 ? null : roundToClock(whole.maxNs, observation),
    },
    interval: each((name) => ({ lower: judged[name].lower, upper: judged[name].upper })),
    judgements: each((name) => judged[name].judgement),
    notAvailable: Object.fromEntries(
      QUANTILES.flatMap(({ name }) => (judged[name].why === null ? [] : [[name, judged[name].why]])),
    ),
    ofTheseSamples: each((_, q) => (kind.quantity === 'delay' ? null : describe(whole, q, observation))),
    target: target === undefined ? null : limitsOf(target),
    // Without samples no percentile is judged, which must not pass.
    verdict: target === undefined ? null : (verdictOf(judged) ?? 'inconclusive'),
    unit: 'ns',
    floorNs: stepNs,
    unseenPerSecondMax: durationNs > 0 ? observation.unseenPerSecondMax : null,
  };
}

/** With fewer, not even independent blocks would tell how far samples depend on each other (statistics/dependence.ts). */
const BLOCKS_MIN = 16;

function explainFewBlocks(percentiles: Percentiles, blocks: number, samples: number): Percentiles {
  if (blocks >= BLOCKS_MIN || samples === 0) return percentiles;
  const has = blocks === 1 ? 'the log has one interval' : `the log has ${blocks} intervals`;
  const why = `${has}, and how far samples depend on each other is told from ${BLOCKS_MIN} and more`;
  const entries = QUANTILES.map(({ name }) => {
    const { judgement, ...percentile } = percentiles[name];
    const explained = judgement === null ? null : explain(judgement, why);
    return [name, { ...percentile, why: percentile.why === null ? null : why, judgement: explained }] as const;
  });
  return Object.fromEntries(entries) as unknown as Percentiles;
}

function explain(judgement: Judged, why: string): Judged {
  return judgement.verdict === 'inconclusive' ? { ...judgement, why, decidesAfterS: null } : judgement;
}

function describe(whole: Histogram, q: number, observation: Observation): number | null {
  const isUsable = whole.count * (1 - q) >= SAMPLES_BEYOND_MIN * (1 - 1e-9);
  return isUsable ? roundToClock(whole.quantile(q), observation) : null;
}

function limitsOf(target: Target): NonNullable<IngestedRow['target']> {
  const limits = QUANTILES.flatMap(({ name }) => {
    const limitNs = target[name];
    return limitNs === undefined ? [] : [[name, limitNs] as const];
  });
  return { name: target.name, ...Object.fromEntries(limits) };
}
