import { randomBytes } from 'node:crypto';
import { readRuns } from '../engine/journal.ts';
import { observeAndPlan, type Scope, type Wanted } from '../engine/observe.ts';
import { confirm, findInForce, readBootId, recover, rollback } from '../engine/rollback.ts';
import { readStatus } from '../engine/status.ts';
import { refuseTrialHere } from '../engine/trial.ts';
import { type Engine, sessionInterfaces, tune } from '../engine/tune.ts';
import { verifyPlan } from '../engine/verify.ts';
import type { Host } from '../host/host.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { domains } from '../tuning/index.ts';
import type { Agent, ApplyRequest, Planned } from './agent.ts';
import { bringBack } from './boot.ts';
import { armGuard } from './guard.ts';
import { statePath } from './state-path.ts';
import { type Settled, watchRun } from './watch.ts';

export interface EmbeddedOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** How this hft is started again for the guard of an unconfirmed run: `/usr/bin/hft`. */
  readonly command: string;
}

/** The agent of this machine in this process: no daemon, no configuration. */
export function embeddedAgent(options: EmbeddedOptions): Agent {
  return agentOn(new LocalHost(), new LocalStateDirectory(statePath(options.environment)), options);
}

/** Watches a run of this machine until it is settled. What the guard process does. */
export async function watchLocalRun(options: EmbeddedOptions, run: string): Promise<Settled> {
  const state = new LocalStateDirectory(statePath(options.environment));
  return watchRun(engineOn(new LocalHost(), state, options.version), run);
}

/** The engine and what it works with. */
function engineOn(host: Host, state: StateDirectory, version: string): Engine {
  return { host, state, domains, version, now: () => new Date(), nameRun };
}

function agentOn(host: Host, state: StateDirectory, { version, command, environment }: EmbeddedOptions): Agent {
  const engine = engineOn(host, state, version);
  const plan = (wanted: Wanted, scope?: Scope): Promise<Planned> =>
    observeAndPlan({
      reader: host,
      domains,
      wanted,
      sshConnection: environment.SSH_CONNECTION,
      ...(scope && { scope }),
    });
  return {
    plan,
    apply: (request) => applyOn(engine, request, command),
    recover: () => recover(engine),
    rollback: (request) => rollback(engine, request),
    confirm: () => confirm(engine),
    async reboot() {
      await host.execute(['systemctl', 'reboot']);
    },
    bringBack: (scope) => bringBack(engine, scope),
    async status() {
      const hostname = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? 'localhost';
      return readStatus(host, await readRuns(state), { host: hostname, bootId: await readBootId(engine) });
    },
    async verify(wanted, scope) {
      return verifyPlan((await plan(wanted, scope)).plan, await refusedBefore(state));
    },
    async inForce() {
      const run = findInForce(await readRuns(state));
      if (!run) return undefined;
      const exceptIds = run.steps.filter((step) => step.status === 'undone').map((step) => step.id);
      return { wanted: run.begin.wanted, scope: { exceptIds } };
    },
  };
}

async function applyOn(engine: Engine, request: ApplyRequest, command: string) {
  const { wanted, scope, planned, approve, signal } = request;
  const isOwnSession = sessionInterfaces(planned.plan, planned.machine).length > 0;
  const trial = isTrialWanted(wanted) && (await refuseTrialHere(engine.host)) === undefined;
  return tune(engine, {
    wanted,
    plan: planned.plan,
    trial,
    origin: 'user',
    approve,
    ...(scope && { scope }),
    ...(signal && { signal }),
    ...(isOwnSession && {
      confirmWithinS: request.confirmWithinS,
      armGuard: (run: string) => armGuard(engine.host, command, run),
    }),
  });
}

/**
 * A trial is the way of every profile that does not turn it off. It is judged by the unit at boot, so a profile that is
 * not put back at boot has none.
 */
function isTrialWanted({ domains: parts }: Wanted): boolean {
  const boot = parts.boot as { readonly trial?: boolean } | undefined;
  return boot?.trial !== false && parts.persistence !== undefined;
}

/** What the kernel refused when the profile in force was applied, by id. */
async function refusedBefore(state: StateDirectory): Promise<ReadonlyMap<string, string>> {
  const steps = (await readRuns(state)).filter((run) => run.result === 'applied').flatMap((run) => run.steps);
  const refused = steps.filter((step) => step.status === 'skipped');
  return new Map(refused.map((step) => [step.id, step.reason ?? 'no reason was journaled']));
}

/** Sorts by time; two hosts or two runs in a second stay apart. */
function nameRun(): string {
  const time = new Date()
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  return `${time}-${randomBytes(2).toString('hex')}`;
}
