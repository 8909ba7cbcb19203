import {
  type ChainCheck,
  type ChainEnd,
  type ChainFile,
  followChain,
  printBreak,
  type SeeLine,
  START_OF_CHAIN,
} from '../chain/chain.ts';
import type { PtpReport } from './report.ts';

export type EvidenceKind = 'start' | 'sample' | 'excursion' | 'recovery' | 'end';

/** What a whole log of evidence proves. */
export interface EvidenceCheck {
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

/** Counts the lines of evidence by their kinds while the chain is followed. */
export function countEvidence(): { readonly see: SeeLine; readonly sum: (check: ChainCheck) => EvidenceCheck } {
  const counts = { sample: 0, excursion: 0 };
  return {
    see: ({ kind }) => {
      if (kind === 'sample' || kind === 'excursion') counts[kind]++;
      return undefined;
    },
    sum: ({ broken, ...check }) => ({
      ...check,
      samples: counts.sample,
      excursions: counts.excursion,
      problem: broken && printBreak(broken),
    }),
  };
}

/** Follows a log of evidence that is in memory. */
export function checkFiles(files: readonly ChainFile[]): EvidenceCheck {
  const { see, sum } = countEvidence();
  return sum(files.reduce((check, file) => followChain(check, file, see), START_OF_CHAIN));
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
