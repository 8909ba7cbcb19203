import { findGoverning, findInForce, partsInForce } from '../engine/in-force.ts';
import { readRuns } from '../engine/journal.ts';
import { observeAndPlan } from '../engine/observe.ts';
import { planParts } from '../engine/plan-parts.ts';
import { confirm, type RollbackRequest, readBootId, recover } from '../engine/rollback.ts';
import { isSameWanted, type Scope, type Wanted } from '../engine/scope.ts';
import { readStatus } from '../engine/status.ts';
import { refuseTrialHere } from '../engine/trial.ts';
import { type Engine, tune } from '../engine/tune.ts';
import { verifyPlan } from '../engine/verify.ts';
import type { Host } from '../host/host.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { identifyThisProcess } from '../host/process-identity.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { hostFactsOf } from '../topology/host-facts.ts';
import { readInspection } from '../topology/inspection.ts';
import { readMachine } from '../topology/read.ts';
import { domains } from '../tuning/index.ts';
import type { AdoptionRequest } from './adopting.ts';
import type { Agent, ApplyRequest, Planned } from './agent.ts';
import { bringBack } from './boot.ts';
import { lookAtAll, type WholeLook } from './drift/whole-look.ts';
import { armGuard } from './guard.ts';
import { keepLatency, readLastLatency, readLastVerdict } from './last-latency.ts';
import { nameRun } from './name-run.ts';
import { rollbackWithUnits } from './rollback-units.ts';
import { launchPath } from './run-path.ts';
import { keptPath, statePath } from './state-path.ts';
import { type Settled, watchRun } from './watch.ts';

export interface EmbeddedOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** How this hft is started again for the guard of an unconfirmed run: `/usr/bin/hft`. */
  readonly command: string;
  /** Where hft-probe is: `/usr/lib/hft/dist/hft-probe`. */
  readonly probeProgram: string;
}

/** The agent of this machine in this process: no daemon, no configuration. */
export function embeddedAgent(options: EmbeddedOptions): Agent {
  const state = new LocalStateDirectory(statePath(options.environment));
  const host = new LocalHost({ probe: options.probeProgram });
  return agentOn(engineOn(host, state, options.version), options);
}

/** Watches a run of this machine until it is settled. What the guard process does. */
export async function watchLocalRun(options: Omit<EmbeddedOptions, 'probeProgram'>, run: string): Promise<Settled> {
  const state = new LocalStateDirectory(statePath(options.environment));
  return watchRun(engineOn(new LocalHost(), state, options.version), run);
}

/** What is in force beside this machine as it is. What the process does that the agent starts for it. */
export async function lookAtThisHost(options: Pick<EmbeddedOptions, 'environment' | 'version'>): Promise<WholeLook> {
  const state = new LocalStateDirectory(statePath(options.environment));
  return lookAtAll(engineOn(new LocalHost(), state, options.version));
}

/** The engine and what it works with. */
function engineOn(host: Host, state: StateDirectory, version: string): Engine {
  return { host, state, domains, version, now: () => new Date(), nameRun };
}

/** The agent that works with an engine. */
export function agentOn(engine: Engine, options: Omit<EmbeddedOptions, 'version'>): Agent {
  const { host, state, domains } = engine;
  const { command, environment, probeProgram } = options;
  const replan = async (wanted: Wanted, scope: Scope | undefined, retries: boolean): Promise<Planned> =>
    observeAndPlan({
      reader: host,
      domains,
      wanted,
      retries,
      runs: await readRuns(state),
      sshConnection: environment.SSH_CONNECTION,
      ...(scope && { scope }),
    });
  const apply = (request: ApplyRequest) =>
    applyOn(engine, {
      ...request,
      command,
      searchPath: environment.PATH,
      planAgain: () => replan(request.wanted, request.scope, true),
    });
  const plan: Agent['plan'] = (wanted, scope, options) => replan(wanted, scope, options?.retries ?? false);
  const machine: Agent['machine'] = () => {
    const { SSH_CONNECTION: sshConnection } = environment;
    return readMachine(host, sshConnection === undefined ? {} : { sshConnection });
  };
  return {
    plan,
    machine,
    pinnedTo: async (cpus) => (await import('../launch/pinned.ts')).findPinned(host, cpus),
    async facts() {
      const found = await machine();
      return hostFactsOf(found, await readInspection(host, found));
    },
    keepLatency: (record) => keepLatency(state, record),
    lastLatency: () => readLastLatency(state),
    async probe(request) {
      const { runProbe } = await import('./probe.ts');
      return runProbe(host, { ...request, program: probeProgram, machine: await machine() });
    },
    respond: async (request) => (await import('../latency/probe/respond.ts')).respond(host, probeProgram, request),
    apply,
    async adopt(request) {
      const before = findInForce(await readRuns(state))?.begin.wanted;
      const isOther = before !== undefined && !isSameWanted(before, request.wanted);
      if (isOther) await apply(request);
      return isOther ? before.name : undefined;
    },
    adoptProcess: (request) => adoptOn(engine, environment, request),
    recover: () => recover(engine),
    rollback: (request) => rollbackOn(engine, environment, request),
    confirm: () => confirm(engine),
    async reboot() {
      await host.execute(['systemctl', 'reboot']);
    },
    bringBack: (scope) => bringBack(engine, scope),
    status: () => statusOn(engine),
    async verify(wanted, scope) {
      return verifyPlan((await plan(wanted, scope)).plan);
    },
    async inForce(domain) {
      const names = domains.map(({ name }) => name);
      return findGoverning(partsInForce(await readRuns(state), names), domain);
    },
    async verifyInForce(scope) {
      const runs = await readRuns(state);
      const names = domains.map((domain) => domain.name);
      const parts = partsInForce(runs, names);
      return parts.length === 0 ? undefined : verifyPlan((await planParts(engine, parts, { scope, runs })).plan);
    },
  };
}

async function statusOn(engine: Engine) {
  const { host, state } = engine;
  const hostname = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? 'localhost';
  const [bootId, latency] = [await readBootId(engine), await readLastVerdict(state)];
  return readStatus(host, await readRuns(state), { host: hostname, bootId, latency });
}

function rollbackOn(engine: Engine, environment: EmbeddedOptions['environment'], request: RollbackRequest) {
  const kept = new LocalStateDirectory(keptPath(environment));
  return rollbackWithUnits(engine, { request, kept, run: new LocalStateDirectory(launchPath(environment)) });
}

async function adoptOn(engine: Engine, environment: EmbeddedOptions['environment'], request: AdoptionRequest) {
  const { adoptProcess } = await import('./adopting.ts');
  return adoptProcess({ engine, run: new LocalStateDirectory(launchPath(environment)) }, request);
}

interface Applying extends ApplyRequest {
  readonly command: string;
  readonly searchPath: string | undefined;
  readonly planAgain: () => Promise<Planned>;
}

async function applyOn(engine: Engine, request: Applying) {
  const { wanted, scope, planned, planAgain, approve, signal, onProgress, confirmWithinS, command, searchPath } =
    request;
  const { host, state } = engine;
  const trial = isTrialWanted(wanted) && (await refuseTrialHere(host)) === undefined;
  return tune(engine, {
    wanted,
    planned,
    planAgain,
    trial,
    origin: request.isHeal === true ? 'heal' : 'user',
    approve,
    guard: {
      confirmWithinS,
      ...(request.mustBeConfirmed && { always: true, owner: identifyThisProcess() }),
      arm: (run: string) => armGuard({ host, state, command, searchPath }, run),
    },
    ...(scope && { scope }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
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
