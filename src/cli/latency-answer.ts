import type { IngestResult } from '../latency/ingest/ingested.ts';
import { viewLatency } from '../views/latency.ts';
import { viewIngested } from '../views/latency-ingest.ts';
import { viewKept } from '../views/latency-saved.ts';
import type { BaselinePart } from '../views/report/input.ts';
import type { Terminal } from '../views/terminal.ts';
import { type LatencyFlags, measureHost } from './latency.ts';
import { requireFlagsTogether } from './latency-flags.ts';
import { type IngestFlags, ingestLog } from './latency-ingest.ts';
import { type KeptResult, localKeeper, measureAndKeep, type SavedFlags } from './latency-saved.ts';
import type { Installation } from './target.ts';

/** What `hft verify latency` shows, whichever of its ways was asked for. */
export interface LatencyAnswer {
  readonly json: KeptResult | IngestResult;
  readonly view: (terminal: Terminal) => string;
  readonly exitCode: number;
  /** For stderr: what was asked for beside the answer and failed. */
  readonly warning?: string;
}

type Flags = LatencyFlags & SavedFlags & Omit<IngestFlags, 'ingest'> & { readonly ingest?: string | undefined };

/** Measures, keeps and compares; or judges a log of others. */
export async function answerLatency(installation: Installation, flags: Flags): Promise<LatencyAnswer> {
  requireFlagsTogether({ ...flags });
  const { ingest } = flags;
  if (ingest !== undefined) {
    const { result, exitCode } = await ingestLog(installation, { ...flags, ingest });
    return { json: result, view: (terminal) => viewIngested(result, terminal), exitCode };
  }
  const keeper = localKeeper(installation.version);
  const measure = (baseline?: BaselinePart) => measureHost(installation, flags, baseline);
  const { result, exitCode, measured } = await measureAndKeep(keeper, flags, measure);
  const lost = result.saved?.error;
  const warnings = [...(lost ? [lost.message, ...lost.next] : []), ...(measured.notKept ? [measured.notKept] : [])];
  return {
    json: result,
    view: (terminal) => viewLatency(result, terminal, measured.record.plots) + viewKept(result, terminal),
    exitCode,
    ...(warnings.length > 0 && { warning: warnings.join('\n  ') }),
  };
}
