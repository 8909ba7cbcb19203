import type { Agent } from '../agent/agent.ts';
import type { AgentDaemon } from '../agent/daemon/daemon.ts';
import type { Log } from '../agent/daemon/log.ts';
import { readDrift } from '../agent/drift/drift-file.ts';
import { DriftTimer } from '../agent/drift/drift-timer.ts';
import { DriftWatch } from '../agent/drift/drift-watch.ts';
import { heal } from '../agent/drift/heal.ts';
import { ProcessLooks } from '../agent/drift/process-look.ts';
import type { WholeLook } from '../agent/drift/whole-look.ts';
import { launchPath, runPath } from '../agent/run-path.ts';
import { statePath } from '../agent/state-path.ts';
import { HftError, UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { ownCpuMs } from '../host/own-cost.ts';
import { identifyThisProcess } from '../host/process-identity.ts';
import { parseSeconds } from './duration.ts';
import type { Installation } from './target.ts';

export interface DriftStart {
  readonly installation: Installation;
  readonly agent: Agent;
  readonly daemon: AgentDaemon;
  /** undefined: as often as it may cost. */
  readonly everyMs: number | undefined;
  readonly log: Log;
}

/** `10s`; `auto`: undefined. */
export function parseLookEvery(text: string): number | undefined {
  if (text === 'auto') return undefined;
  const everyS = parseSeconds('--look-every', text);
  if (everyS >= 1) return everyS * 1_000;
  throw new UsageError(`--look-every: expected auto, or a time of at least 1s, got ${text}.`);
}

/** Begins to look for drift on this host. */
export async function watchDrift({ installation, agent, daemon, everyMs, log }: DriftStart): Promise<DriftTimer> {
  const { env } = process;
  const [host, run, state] = [
    new LocalHost(),
    new LocalStateDirectory(runPath(env)),
    new LocalStateDirectory(statePath(env)),
  ];
  const { agent: _, ...before } = (await readDrift(run)) ?? { agent: undefined };
  const watch = new DriftWatch(
    {
      ...{ host, state, log, audit: daemon.audit, now: () => new Date() },
      processes: new ProcessLooks({ host, state, run: new LocalStateDirectory(launchPath(env)) }),
      lookAtAll: () => lookElsewhere(host, `${installation.root}/bin/hft`),
      heal: (ids, begin) => heal(agent, ids, begin),
    },
    'drifted' in before ? { drifted: before.drifted, ended: before.ended, looked: before.looked } : undefined,
  );
  const timer = new DriftTimer({
    ...{ watch, run, log, everyMs, agent: identifyThisProcess() },
    cpuMs: ownCpuMs,
    nowMs: () => performance.now(),
  });
  timer.start();
  return timer;
}

/** A plan takes memory that an agent would keep for ever: another process makes it, and ends. */
async function lookElsewhere(host: LocalHost, command: string): Promise<WholeLook> {
  const result = await host.query([command, 'agent', 'run', '--look']);
  if (result.found && result.exitCode === 0) return JSON.parse(result.stdout) as WholeLook;
  const said = result.found
    ? (result.stderr.split('\n').find((line) => line !== '') ?? `exit code ${result.exitCode}`)
    : 'not found';
  throw new HftError(`\`${command} agent run --look\`: ${said}`, { exitCode: 3 });
}

/** What that process does. */
export async function lookHere({ version }: Installation): Promise<WholeLook> {
  const { lookAtThisHost } = await import('../agent/embedded.ts');
  return lookAtThisHost({ environment: process.env, version });
}
