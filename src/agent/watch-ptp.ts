import type { HostReader } from '../host/host.ts';
import { findTargets, lookAtPtp, type PtpLook, type PtpTarget } from '../ptp/look.ts';
import { pause } from './pause.ts';

export interface WatchPtpRequest {
  /** undefined: every ptp4l that runs here. */
  readonly target: PtpTarget | undefined;
  /** Where hft-probe is. */
  readonly probe: string;
  readonly clientSocket: string | undefined;
  readonly everyMs: number;
  /** undefined: until the signal. */
  readonly durationMs: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Looks at the time of a host again and again: at least twice, unless its signal ends it. Changes nothing. */
export async function* watchPtp(reader: HostReader, request: WatchPtpRequest): AsyncGenerator<PtpLook> {
  const { everyMs, durationMs = Number.POSITIVE_INFINITY, signal, probe, clientSocket } = request;
  const startMs = performance.now();
  // One that was seen and is gone is looked for all the same: that it is gone is what has to be told.
  const targets = new Map<string, PtpTarget>();
  for (let looks = 1; ; looks++) {
    const atMs = performance.now() - startMs;
    for (const target of request.target ? [request.target] : await findTargets(reader))
      targets.set(target.socket, target);
    yield await lookAtPtp(reader, {
      atMs,
      nowS: Date.now() / 1000,
      targets: [...targets.values()],
      probe,
      clientSocket,
    });
    if (signal?.aborted || (looks > 1 && atMs >= durationMs)) return;
    const untilMs = Math.max(Math.min(looks * everyMs, durationMs), performance.now() - startMs);
    await pause(startMs + untilMs - performance.now(), signal);
    if (signal?.aborted) return;
  }
}

/** All looks of a watch that ends: what `reportPtp` judges. For whoever gates on the time of a host. */
export async function collectPtp(reader: HostReader, request: WatchPtpRequest): Promise<readonly PtpLook[]> {
  const looks: PtpLook[] = [];
  for await (const look of watchPtp(reader, request)) looks.push(look);
  return looks;
}
