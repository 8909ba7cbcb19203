import type { StateDirectory } from '../host/state-directory.ts';
import {
  type LatencyRecord,
  type LatencyVerdict,
  parseRecord,
  parseVerdict,
  printRecord,
} from '../latency/report/record.ts';

const FILE = 'latency/last.jsonl';

/** Keeps a measurement in place of the one before. Throws HostError (EACCES without root). */
export async function keepLatency(state: StateDirectory, record: LatencyRecord): Promise<void> {
  await state.replace(FILE, printRecord(record));
}

/** undefined when nothing was measured here, or by another version of hft. */
export async function readLastLatency(state: StateDirectory): Promise<LatencyRecord | undefined> {
  return parseRecord((await state.readText(FILE)) ?? '');
}

export async function readLastVerdict(state: StateDirectory): Promise<LatencyVerdict | undefined> {
  return parseVerdict((await state.readText(FILE)) ?? '');
}
