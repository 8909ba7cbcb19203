import type { IngestResult } from '../latency/ingest/ingested.ts';
import { viewLatency } from '../views/latency.ts';
import { viewIngested } from '../views/latency-ingest.ts';
import { viewKept } from '../views/latency-saved.ts';
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
  const { result, exitCode } = await measureAndKeep(keeper, flags, () => measureHost(installation, flags));
  const lost = result.saved?.error;
  return {
    json: result,
    view: (terminal) => viewLatency(result, terminal) + viewKept(result, terminal),
    exitCode,
    ...(lost && { warning: [lost.message, ...lost.next].join('\n  ') }),
  };
}
