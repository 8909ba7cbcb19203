import { parseTelemetry } from '../dpdk/telemetry.ts';
import type { TrafficEnd } from '../dpdk/traffic.ts';
import { type TrafficRun, trafficCommand } from '../dpdk/traffic-script.ts';
import type { Host, HostReader } from '../host/host.ts';

/** Whether dpdk-testpmd is installed. To ask it for its version would start all of DPDK. */
export async function hasTestpmd(reader: HostReader): Promise<boolean> {
  const found = await reader.query(['sh', '-c', 'command -v dpdk-testpmd']);
  return found.found && found.exitCode === 0;
}

/** One run of dpdk-testpmd, to its end; undefined where unshare(1) or sh(1) is missing. An aborted signal ends it. */
export async function runTraffic(host: Host, run: TrafficRun, signal?: AbortSignal): Promise<TrafficEnd | undefined> {
  const child = await host.startChild(trafficCommand(run));
  if (child === undefined) return undefined;
  const stop = () => child.signal('SIGTERM');
  signal?.addEventListener('abort', stop);
  let text = '';
  for await (const piece of child.output) text += piece.toString('utf8');
  const { exitCode, stderr } = await child.ended;
  signal?.removeEventListener('abort', stop);
  return { exitCode, telemetry: parseTelemetry(text), said: stderr };
}
