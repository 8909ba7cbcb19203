import type { Agent } from '../agent/agent.ts';
import { HostError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { plotMeasurements } from '../latency/report/plots.ts';
import type { LatencyRecord } from '../latency/report/record.ts';
import type { LatencyResult, Outcome } from '../latency/report/result.ts';
import type { BaselinePart } from '../views/report/input.ts';
import { drawReport } from '../views/report/page.ts';

export interface RecordedLatency {
  readonly record: LatencyRecord;
  /** Why `hft status` and `hft report` will not know of it; one sentence. */
  readonly notKept: string | undefined;
}

export interface FinishedMeasurement {
  readonly result: LatencyResult;
  readonly outcomes: readonly Outcome[];
  /** When it began; ISO 8601. */
  readonly time: string;
  readonly version: string;
}

/** Keeps what was measured as the last measurement of this host, where the state directory can be written. */
export async function recordLatency(
  agent: Pick<Agent, 'facts' | 'keepLatency'>,
  { result, outcomes, time, version }: FinishedMeasurement,
): Promise<RecordedLatency> {
  const facts = await agent.facts();
  const record = { time, version, result, plots: plotMeasurements(outcomes), facts };
  // A run that was cut before its first sample must not take the place of a whole one.
  const notKept = result.probes.length === 0 ? undefined : await tryToKeep(agent, record);
  return { record, notKept };
}

/** Measuring needs no root, keeping does: it is no reason to fail. */
async function tryToKeep(agent: Pick<Agent, 'keepLatency'>, record: LatencyRecord): Promise<string | undefined> {
  try {
    await agent.keepLatency(record);
    return undefined;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return `Not kept for \`hft status\` and \`hft report\`: ${error.message}.`;
  }
}

/**
 * Where the page goes; nowhere without a file. A page that says so is written at once: a file that cannot be written must not be
 * found out after an hour of measuring.
 */
export async function openPage(
  file: string | undefined,
): Promise<(record: LatencyRecord, baseline: BaselinePart | undefined) => Promise<void>> {
  if (file === undefined) return async () => {};
  const host = new LocalHost();
  await host.replaceFile(file, UNFINISHED);
  return (record, baseline) => host.replaceFile(file, drawMeasurement(record, baseline));
}

const UNFINISHED =
  '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/><title>hft</title></head><body><p>hft verify latency is measuring, or was killed.</p></body></html>\n';

function drawMeasurement(record: LatencyRecord, baseline: BaselinePart | undefined): string {
  const { time, version, facts } = record;
  return drawReport({ time, version, host: facts.host, facts, latency: record, ...(baseline && { baseline }) });
}
