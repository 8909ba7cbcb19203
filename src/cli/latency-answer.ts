import type { IngestResult } from '../latency/ingest/ingested.ts';
import { briefLatency } from '../views/brief.ts';
import { viewLatency } from '../views/latency.ts';
import { viewIngested } from '../views/latency-ingest.ts';
import { viewKept } from '../views/latency-saved.ts';
import type { BaselinePart } from '../views/report/input.ts';
import type { Terminal } from '../views/terminal.ts';
import type { Answer } from './fleet-ask.ts';
import type { HostFlags } from './host-flag.ts';
import { type LatencyFlags, measureHost } from './latency.ts';
import { requireFlagsTogether } from './latency-flags.ts';
import { type IngestFlags, ingestLog } from './latency-ingest.ts';
import { type KeptResult, localKeeper, measureAndKeep, type SavedFlags } from './latency-saved.ts';
import type { NamedHost } from './named-host.ts';
import type { Installation } from './target.ts';

/** What `hft verify latency` shows, whichever of its ways was asked for. */
interface LatencyAnswer {
  readonly json: KeptResult | IngestResult;
  readonly view: (terminal: Terminal) => string;
  readonly exitCode: number;
  /** For stderr: what was asked for beside the answer and failed. */
  readonly warning?: string;
}

type Flags = LatencyFlags &
  SavedFlags &
  HostFlags &
  Omit<IngestFlags, 'ingest'> & { readonly ingest?: string | undefined };

type Answerer = (host: NamedHost | undefined) => Promise<Answer<KeptResult | IngestResult>>;

/** For this machine or others: hosts through their agents. `report` is for stderr. */
export async function latencyAnswerer(
  installation: Installation,
  flags: Flags,
  report: (warning: string) => void,
): Promise<Answerer> {
  if (flags.host === undefined && flags.inventory === undefined)
    return async () => {
      const { json, view, exitCode, warning } = await answerLatency(installation, flags);
      if (warning !== undefined) report(warning);
      return { json, text: view, brief: '', exitCode };
    };
  const { remoteMeasurer } = await import('./latency-remote.ts');
  const measure = await remoteMeasurer(installation, flags);
  return async (host) => {
    const { result, plots, exitCode, warnings } = await measure(host as NamedHost);
    if (warnings.length > 0) report(`${host?.name}: ${warnings.join('\n  ')}`);
    const kept = result.saved?.error === null ? `\nIt is kept on ${result.host}.` : '';
    return {
      json: result,
      text: (terminal) => viewLatency(result, terminal, plots) + viewKept(result, terminal) + kept,
      brief: briefLatency(result),
      hostname: result.host,
      exitCode,
    };
  };
}

/** Measures, keeps and compares; or judges a log of others. */
async function answerLatency(installation: Installation, flags: Flags): Promise<LatencyAnswer> {
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
