import { createHash } from 'node:crypto';
import type { PtpReport } from './report.ts';

/** What the first line of an evidence log says came before it. */
export const NOTHING_BEFORE = '0'.repeat(64);

/** The end of a log: what the next line has to carry on from. */
export interface ChainEnd {
  readonly seq: number;
  /** Of the last whole line, with its newline. SHA-256, hex. */
  readonly hash: string;
}

export type EvidenceKind = 'start' | 'sample' | 'excursion' | 'recovery' | 'end';

/** One line: it names the hash of the line before, so that none can be changed, left out or moved unseen. */
export function writeEvidence(
  before: ChainEnd,
  record: { readonly time: string; readonly kind: EvidenceKind } & Readonly<Record<string, unknown>>,
): { readonly line: string; readonly end: ChainEnd } {
  const seq = before.seq + 1;
  const line = `${JSON.stringify({ seq, previous: before.hash, ...record })}\n`;
  return { line, end: { seq, hash: hashOf(line) } };
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export interface ChainFile {
  readonly name: string;
  readonly text: string;
}

/** What a whole log proves. */
export interface ChainCheck {
  readonly files: number;
  readonly lines: number;
  readonly samples: number;
  readonly excursions: number;
  readonly end: ChainEnd;
  /** Bytes after the last whole line: a write that a power cut tore. Only the end of a file may be so. */
  readonly torn: readonly string[];
  /** Where the chain is broken, `file:line  reason`; undefined: it is whole. */
  readonly problem: string | undefined;
}

/** Nothing was followed yet. */
export const START_OF_CHAIN: ChainCheck = {
  files: 0,
  lines: 0,
  samples: 0,
  excursions: 0,
  end: { seq: 0, hash: NOTHING_BEFORE },
  torn: [],
  problem: undefined,
};

/**
 * Follows the chain through one file more, in their order. It shows that nothing between the first and the last line was changed; that
 * nothing was cut off the end only a hash shows that was kept elsewhere.
 */
export function followChain(before: ChainCheck, { name, text }: ChainFile): ChainCheck {
  if (before.problem !== undefined) return before;
  const lines = text.split('\n');
  const isTorn = lines.pop() !== '';
  let { end, samples, excursions } = before;
  let problem: string | undefined;
  for (const [index, body] of lines.entries()) {
    const broken = findBreak(body, end);
    if (broken !== undefined) {
      problem = `${name}:${index + 1}  ${broken}`;
      break;
    }
    end = { seq: end.seq + 1, hash: hashOf(`${body}\n`) };
    const { kind } = JSON.parse(body) as { kind: string };
    if (kind === 'sample') samples++;
    if (kind === 'excursion') excursions++;
  }
  const torn = isTorn ? [...before.torn, name] : before.torn;
  return { files: before.files + 1, lines: end.seq, samples, excursions, end, torn, problem };
}

function findBreak(body: string, { seq, hash }: ChainEnd): string | undefined {
  let record: { seq?: unknown; previous?: unknown; kind?: unknown } | null;
  try {
    record = JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return 'is not a line of evidence';
    throw error;
  }
  if (typeof record !== 'object' || record === null || typeof record.kind !== 'string')
    return 'is not a line of evidence';
  if (record.seq !== seq + 1) return `expected line ${seq + 1} of the log, got ${JSON.stringify(record.seq)}`;
  if (record.previous !== hash) return `the line before it was changed, or is another one`;
  return undefined;
}

/** What of a report is kept for each sample: what a regulator asks for, in a line. */
export function sampleEvidence({ clocks, kernel, utcOffset, summary }: PtpReport): Readonly<Record<string, unknown>> {
  return {
    clocks: clocks.map(({ name, domain, state, budget }) => ({
      name,
      domain,
      port: state?.port.state ?? null,
      grandmaster: state?.grandmaster.identity ?? null,
      clockClass: state?.grandmaster.clockClass ?? null,
      clockAccuracy: state?.grandmaster.clockAccuracy ?? null,
      stepsRemoved: state?.stepsRemoved ?? null,
      timescale: state?.time.timescale ?? null,
      utcOffsetS: state?.time.utcOffsetS ?? null,
      ingressTimeNs: state?.sync.ingressTimeNs ?? null,
      pathDelayNs: state?.pathDelayNs ?? null,
      live: state?.sync.live ?? false,
      offsetNs: state?.offsetNs ?? null,
      systemOffsetNs: state?.system?.offsetNs ?? null,
      readDelayNs: state?.system?.readDelayNs ?? null,
      utcNs: budget.utcNs ?? null,
    })),
    kernelTaiOffsetS: kernel?.taiOffsetS ?? null,
    utcOffset,
    fail: summary.fail,
    unknown: summary.unknown,
  };
}
