import { z } from 'zod';
import { UsageError } from '../../errors.ts';
import type { Block } from '../histogram/block.ts';
import { logMeasurements, tagOf } from '../report/hdr-log.ts';
import type { LatencyPlots } from '../report/plots.ts';
import type { LatencyResult, Outcome } from '../report/result.ts';
import type { LatencyRow } from '../report/row.ts';
import type { Fingerprint } from './fingerprint.ts';

/** One measurement, kept whole: this as JSON, and beside it its histograms as an HDR log. */
export interface SavedRun {
  readonly format: 1;
  /** Its name among the runs of one state; sorts by time. */
  readonly run: string;
  /** When measuring began: ISO 8601, and seconds since 1970-01-01 UTC. */
  readonly time: string;
  readonly startEpochS: number;
  readonly fingerprint: Fingerprint;
  /** What `hft verify latency --json` printed. */
  readonly result: LatencyResult;
  /** What its curves are drawn from. */
  readonly plots?: LatencyPlots;
}

/** The runs of one state of a machine that were saved under one name: what is read before any of them. */
export interface SavedIndex {
  readonly format: 1;
  readonly name: string;
  readonly runs: readonly string[];
}

const SHAPE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Throws UsageError: the name becomes that of a folder, and a path is told from a name by its slash. */
export function requireName(flag: string, name: string): void {
  if (SHAPE.test(name)) return;
  throw new UsageError(
    `${flag} ${JSON.stringify(name)}: expected a name of at most 64 letters, digits, dots, hyphens and underscores, the first a letter or digit.`,
    { next: [`For example: ${flag} before-bios-update`] },
  );
}

/** So many intervals tell all that the statistics see of dependence, and keep a day of measuring small enough to read. */
const INTERVALS_MAX = 2000;

/** The histograms of a run: blocks as they are, and of long runs several together, at most 2000 for each stream. */
export function logBlocks(outcomes: readonly Outcome[], startEpochS: number): string {
  return logMeasurements(outcomes, startEpochS, (blocks) => {
    const size = Math.ceil(blocks.length / INTERVALS_MAX);
    const groups: Block[][] = [];
    for (let from = 0; from < blocks.length; from += size) groups.push(blocks.slice(from, from + size));
    return groups;
  });
}

/** Which stream of the log a row was made of. */
export function tagOfRow({ name, part, synthetic, split, variant, load, cpus, quantity, rule }: LatencyRow): string {
  const samples = quantity === 'delay' ? 'gap' : 'latency';
  return tagOf({ probe: name, variant, load }, { cpus, rule, part, isSynthetic: synthetic, isSplit: split, samples });
}

const index = z.looseObject({
  format: z.literal(1),
  name: z.string(),
  runs: z.array(z.string().regex(/^[\w.-]+$/)).min(1),
});

/** What a comparison needs of a row; a file that hft has written has the rest too. */
const row = z.looseObject({
  name: z.string(),
  variant: z.string(),
  cpus: z.array(z.number()),
  rule: z.string(),
  quantity: z.enum(['latency', 'delay']),
  floorNs: z.number(),
  percentiles: z.record(z.string(), z.number().nullable()),
  interval: z.record(z.string(), z.looseObject({ lower: z.number(), upper: z.number().nullable() })),
});

const run = z.looseObject({
  format: z.literal(1),
  run: z.string(),
  time: z.string(),
  startEpochS: z.number(),
  fingerprint: z.looseObject({ host: z.string(), irqs: z.array(z.looseObject({ name: z.string() })) }),
  result: z.looseObject({
    host: z.string(),
    probes: z.array(row),
    findings: z.array(z.looseObject({ probe: z.string(), variant: z.string(), invalidates: z.boolean() })),
  }),
});

/** Throws UsageError that names the file. */
export function parseSavedIndex(text: string, file: string): SavedIndex {
  return parse(text, file, index);
}

export function parseSavedRun(text: string, file: string): SavedRun {
  return parse(text, file, run) as unknown as SavedRun;
}

function parse<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const next = ['Saved measurements are written by `hft verify latency --save NAME`, and not by hand.'];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file}: expected a saved measurement, got no JSON: ${(cause as Error).message}`, {
      cause,
      next,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `${file}: expected a saved measurement: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}`,
    { next },
  );
}
