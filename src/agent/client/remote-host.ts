import { randomUUID } from 'node:crypto';
import type { LaunchAnswer } from '../../cli/launch.ts';
import type { Listing } from '../../cli/ps.ts';
import type { Plan } from '../../engine/plan.ts';
import type { RollbackOutcome } from '../../engine/rollback.ts';
import { PERSISTENCE, type Scope, type Wanted } from '../../engine/scope.ts';
import type { TuneOutcome } from '../../engine/tune.ts';
import type { ProcessRecord } from '../../launch/supervision.ts';
import type { Approval, ControlledHost, Proposal } from '../controlled-host.ts';
import type { Inspected } from '../inspect.ts';
import type { LocalStatus } from '../local-status.ts';
import type { SentProfile } from '../protocol/request.ts';
import { type Hello, sentPlan } from '../protocol/results.ts';
import type { AgentConnection } from './connection.ts';
import { NoAnswer } from './failures.ts';
import { type RemoteVerifier, verifyRemotely } from './remote-verify.ts';

export interface LaunchRequest {
  readonly profile?: string | undefined;
  readonly only?: readonly string[] | undefined;
  readonly gate: string;
  /** Left out: no. */
  readonly wait?: boolean;
  readonly restart?: boolean;
}

/** What an agent knows a plan by, and the request to apply it. The same request again is done once. */
export interface ApplyNames {
  readonly plan: string;
  readonly request: string;
}

export interface RemoteProposal extends Proposal {
  /** The name by which the agent has the plan. */
  readonly name: string;
}

export interface RemoteHost extends ControlledHost {
  propose(wanted: Wanted, scope: Scope): Promise<RemoteProposal>;
  /** Applies a plan that the agent showed, or waits for the end of the request that was sent before, or has its answer again. */
  applyNamed(names: ApplyNames, approval: Approval): Promise<TuneOutcome>;
  inspect(wanted: Wanted | undefined): Promise<Inspected>;
  /** A deployment that is on the host, by its name. */
  launch(deployment: string, request: LaunchRequest): Promise<LaunchAnswer>;
  stop(names: readonly string[]): Promise<readonly ProcessRecord[]>;
  ps(): Promise<Listing>;
  hello(): Promise<Hello>;
  status(): Promise<LocalStatus>;
  readonly verifying: RemoteVerifier;
}

/**
 * Another host through its agent. What comes back was checked as far as it is looked at; where a value lives is not among it, so
 * none of it can be applied here.
 */
export function controlRemotely(connection: AgentConnection): RemoteHost {
  return {
    propose: (wanted, scope) => propose(connection, wanted, scope),
    applyNamed: (names, approval) => applyNamed(connection, names, approval),
    plan: async (wanted, scope) =>
      (await askPlan(connection, { wanted, scope, retries: false })).shown as unknown as Plan,
    recover: async () => (await connection.ask<'recover'>({ ask: 'recover' })) as RollbackOutcome,
    rollback: async ({ scope }) => {
      const asked = typeof scope === 'object' && 'items' in scope ? { items: [...scope.items] } : scope;
      return (await connection.ask<'rollback'>({ ask: 'rollback', scope: asked })) as RollbackOutcome;
    },
    confirm: async () => (await connection.ask<'confirm'>({ ask: 'confirm' })) ?? undefined,
    status: async () => (await connection.ask<'status'>({ ask: 'status' })) as LocalStatus,
    verify: (wanted, scope) =>
      connection.ask<'verify'>({ ask: 'verify', profile: toSent(wanted), scope: toSentScope(scope) }),
    verifyInForce: async (scope) =>
      (await connection.ask<'verify-in-force'>({ ask: 'verify-in-force', scope: toSentScope(scope) })) ?? undefined,
    reboot: async () => {
      await connection.ask<'reboot'>({ ask: 'reboot' });
    },
    inspect: async (wanted) => {
      const answer = await connection.ask<'inspect'>({ ask: 'inspect', ...(wanted && { profile: toSent(wanted) }) });
      return answer as unknown as Inspected;
    },
    launch: (deployment, request) => launch(connection, deployment, request),
    stop: async (names) =>
      (await connection.ask<'stop'>({ ask: 'stop', names: [...names] })) as unknown as readonly ProcessRecord[],
    ps: async () => {
      const { rows, ...listing } = await connection.ask<'ps'>({ ask: 'ps' });
      const mapped = rows.map((row) => ({ ...row, nodes: row.nodes && new Map(row.nodes) }));
      return { ...listing, rows: mapped, differences: undefined } as unknown as Listing;
    },
    hello: () => connection.ask<'hello'>({ ask: 'hello' }),
    verifying: verifyRemotely(connection),
  };
}

async function launch(connection: AgentConnection, deployment: string, request: LaunchRequest): Promise<LaunchAnswer> {
  const { profile, only, gate, wait = false, restart = false } = request;
  const answer = await connection.ask<'launch'>({
    ask: 'launch',
    deployment,
    ...(profile !== undefined && { profile }),
    ...(only && { only: [...only] }),
    gate: gate === 'none' ? 'none' : 'verify',
    wait,
    restart,
  });
  return answer as unknown as LaunchAnswer;
}

async function propose(connection: AgentConnection, wanted: Wanted, scope: Scope): Promise<RemoteProposal> {
  const { plan, shown, session } = await askPlan(connection, { wanted, scope, retries: true });
  return {
    plan: shown as unknown as Plan,
    session,
    name: plan,
    apply: (approval) => applyNamed(connection, { plan, request: randomUUID() }, approval),
    adopt: async (confirmWithinS) =>
      (await connection.ask<'adopt'>({ ask: 'adopt', plan, confirmWithinS })) ?? undefined,
  };
}

async function applyNamed(
  connection: AgentConnection,
  { plan, request }: ApplyNames,
  { approve, signal, confirmWithinS, onProgress }: Approval,
): Promise<TuneOutcome> {
  const onQuestion = (second: unknown) => {
    const read = sentPlan.safeParse(second);
    if (!read.success) throw new NoAnswer(connection.host, 'the second plan is none', true);
    return approve(read.data as unknown as Plan, signal);
  };
  const outcome = await connection.ask<'apply'>(
    { ask: 'apply', plan, confirmWithinS },
    { onQuestion, signal, id: request, ...(onProgress && { onProgress }) },
  );
  return outcome as unknown as TuneOutcome;
}

function askPlan(
  connection: AgentConnection,
  { wanted, scope, retries }: { wanted: Wanted; scope: Scope; retries: boolean },
) {
  return connection.ask<'plan'>({ ask: 'plan', profile: toSent(wanted), scope: toSentScope(scope), retries });
}

/** Its keys as they were checked here; those of the host's hft are its own. */
export function toSent({ name, layout, latency, drift, domains }: Wanted): SentProfile {
  const { [PERSISTENCE]: persistence, ...written } = domains;
  return {
    name,
    keys: { layout, ...(latency && { latency }), ...(drift && { drift }), ...written },
    persist: persistence !== undefined,
  };
}

function toSentScope({ only, skip, exceptIds, onlyIds }: Scope) {
  return {
    ...(only && { only: [...only] }),
    ...(skip && { skip: [...skip] }),
    ...(exceptIds && { exceptIds: [...exceptIds] }),
    ...(onlyIds && { onlyIds: [...onlyIds] }),
  };
}
