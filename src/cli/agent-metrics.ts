import type { AgentDaemon } from '../agent/daemon/daemon.ts';
import type { Log } from '../agent/daemon/log.ts';
import { localStatus } from '../agent/local-status.ts';
import { AgentMetrics } from '../agent/metrics/agent-metrics.ts';
import { hostReadings } from '../agent/metrics/host-readings.ts';
import { MetricsServer } from '../agent/metrics/metrics-server.ts';
import { readOwnCost } from '../agent/metrics/own-cost.ts';
import { nameRun } from '../agent/name-run.ts';
import { launchPath } from '../agent/run-path.ts';
import { statePath } from '../agent/state-path.ts';
import { HftError } from '../errors.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { QuietHost } from '../host/quiet-host.ts';
import { domains } from '../tuning/index.ts';
import type { ListenAddress } from './listen-address.ts';
import type { Installation } from './target.ts';

export interface MetricsRequest {
  readonly installation: Installation;
  readonly daemon: AgentDaemon;
  readonly log: Log;
  /** Why no controller gets in; undefined: they do. */
  readonly nobodyAuthorised: () => string | undefined;
}

/** Serves /metrics and /healthz. Throws HftError where it cannot listen. */
export async function serveMetrics({ address, port }: ListenAddress, request: MetricsRequest): Promise<MetricsServer> {
  const { installation, daemon, log, nobodyAuthorised } = request;
  const host = new QuietHost();
  const state = new LocalStateDirectory(statePath(process.env));
  const { version, root } = installation;
  const nowMs = () => performance.now();
  const readings = hostReadings({
    engine: { host, state, domains, version, nameRun, now: () => new Date() },
    watch: { host, state, run: new LocalStateDirectory(launchPath(process.env)) },
    status: () => localStatus(process.env, host),
    probe: `${root}/dist/hft-probe`,
    mayRead: () => !daemon.activity.isChanging,
    onFailed: (reading, reason) => log('reading-failed', { reading, reason }),
    nowMs,
  });
  const pages = new AgentMetrics({
    build: { version, runtime: process.version },
    readings,
    activity: () => ({ ...daemon.activity, counters: daemon.counters, scrapes: server.counts }),
    cost: () => readOwnCost(host),
    health: () => ({ ...daemon.activity, nobodyAuthorised: nobodyAuthorised() }),
    nowMs,
  });
  const server = await listen(address, port, {
    pages: { '/metrics': () => pages.metrics(), '/healthz': () => pages.healthz() },
    nowMs,
    onBug: (error) => log('bug', { stack: error instanceof Error ? error.stack : String(error) }),
  });
  log('metrics-listening', { url: server.url });
  return server;
}

type Served = Omit<Parameters<typeof MetricsServer.open>[0], 'address' | 'port'>;

async function listen(address: string, port: number, served: Served): Promise<MetricsServer> {
  try {
    return await MetricsServer.open({ address, port, ...served });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new HftError(`The agent cannot serve metrics on ${address} port ${port}: ${code}.`, {
      exitCode: 3,
      cause: error,
      next: ['`--metrics` (HFT_AGENT_METRICS) takes another address of this host, or `off`.'],
    });
  }
}
