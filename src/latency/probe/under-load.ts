import type { Host } from '../../host/host.ts';
import { type LoadRequest, startLoad } from './load.ts';
import { type Measured, type Measurement, measure, mostRunMs } from './measure.ts';

/** Starting the load and ending it. */
const SLACK_MS = 10_000;

/**
 * Measures while a load runs: from before the warm-up until after the last sample. Without one it only measures. The load dies with
 * this process, at its deadline, and when the measurement ends, however that is. Throws what measure throws.
 */
export async function measureUnderLoad(
  host: Host,
  measurement: Measurement,
  load: LoadRequest | undefined,
): Promise<Measured> {
  if (load === undefined) return measure(host, measurement);
  const deadlineMs = mostRunMs(measurement) + SLACK_MS;
  const running = await startLoad(host, measurement.program, { ...load, deadlineMs });
  if ('status' in running) return running;
  const measured = await measure(host, measurement).catch(async (error: unknown) => {
    await running.end();
    throw error;
  });
  const achieved = await running.end();
  if (measured.status !== 'measured') return measured;
  return typeof achieved === 'string' ? { status: 'failed', reason: achieved } : { ...measured, load: achieved };
}
