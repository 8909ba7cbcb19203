import type { Scope, Wanted } from '../../engine/scope.ts';
import type { Agent } from '../agent.ts';
import type { Inspected } from '../inspect.ts';
import type { LocalStatus } from '../local-status.ts';
import type { Ask, Question, SentProfile } from '../protocol/request.ts';
import type { Hello } from '../protocol/results.ts';
import type { PlanStore } from './plan-store.ts';
import { Refused } from './refused.ts';
import type { VerifyServices } from './verify-services.ts';
import type { Work } from './work.ts';

/** What the daemon does for controllers, on this host. */
export interface AgentServices {
  readonly agent: Agent;
  readonly plans: PlanStore;
  readonly status: () => Promise<LocalStatus>;
  /** Checked by this hft's own schemas. Throws HftError. */
  readonly check: (profile: SentProfile) => Promise<Wanted>;
  readonly inspect: (wanted: Wanted | undefined) => Promise<Inspected>;
  /** Launched processes; `by`: for the record of launches. What they answer is checked where it is shown. */
  readonly launch: (request: Of<'launch'>, by: string) => Promise<unknown>;
  readonly stop: (names: readonly string[], by: string) => Promise<unknown>;
  readonly ps: () => Promise<unknown>;
  /** What measures, and what watches for some time. */
  readonly verifying: VerifyServices;
  readonly hello: (work: Work) => Promise<Hello>;
  readonly find: (id: string) => Work | undefined;
  /** ms of a clock that never goes back. */
  readonly nowMs: () => number;
}

type Of<Kind extends Ask> = Extract<Question, { ask: Kind }>;
type Handlers = {
  readonly [Kind in Ask]: (question: Of<Kind>, work: Work, services: AgentServices) => Promise<unknown>;
};

const HANDLERS: Handlers = {
  hello: (_, work, { hello }) => hello(work),
  status: (_, __, { status }) => status(),
  inspect: async ({ profile }, _, { inspect, check }) => inspect(profile && (await check(profile))),
  plan,
  verify: async ({ profile, scope }, _, { agent, check }) => agent.verify(await check(profile), scopeOf(scope)),
  'verify-in-force': async ({ scope }, _, { agent }) => (await agent.verifyInForce(scopeOf(scope))) ?? null,
  recover: (_, __, { agent }) => agent.recover(),
  apply: ({ plan: id, confirmWithinS }, work, services) => {
    const shown = services.plans.find(work.controller.key, id, services.nowMs());
    const onProgress: Work['progress'] = (progress) => work.progress(progress);
    const approve: Work['ask'] = (second, end) => work.ask(second, end);
    return services.agent.apply({ ...requestOf(shown), confirmWithinS, approve, onProgress, signal: work.signal });
  },
  adopt: async ({ plan: id, confirmWithinS }, work, { agent, plans, nowMs }) => {
    const shown = plans.find(work.controller.key, id, nowMs());
    return (await agent.adopt({ ...requestOf(shown), confirmWithinS, approve: async () => true })) ?? null;
  },
  answer: async ({ to, yes }, work, services) => {
    if (!ownWork(to, work, services).decide(yes)) throw new Refused('Nothing was asked, or not any more.', []);
    return null;
  },
  cancel: async ({ to }, work, services) => {
    ownWork(to, work, services).cancel();
    return null;
  },
  confirm: async (_, __, { agent }) => (await agent.confirm()) ?? null,
  rollback: ({ scope }, _, { agent }) => agent.rollback({ scope }),
  launch: (request, work, { launch }) => launch(request, work.controller.name),
  stop: ({ names }, work, { stop }) => stop(names, work.controller.name),
  ps: (_, __, { ps }) => ps(),
  reboot: async (_, __, { agent }) => {
    await agent.reboot();
    return null;
  },
  'verify-latency': (request, work, { verifying }) => verifying.latency(request, work),
  'verify-ptp': (request, work, { verifying }) => verifying.ptp(request, work),
  'verify-processes': (request, work, { verifying }) => verifying.processes(request, work),
  'verify-dpdk': (request, work, { verifying }) => verifying.dpdk(request, work),
  respond: (request, work, { verifying }) => verifying.respond(request, work),
  // What is at work, or was until now, is found before it comes here.
  attend: () =>
    Promise.reject(
      new Refused('It is not at work there any more: the agent was ended meanwhile, or nobody waited for it.', [
        'Nothing of it is left there. Run the command again.',
      ]),
    ),
};

/** What a request asks for, done. Throws HftError; anything else is a bug. */
export function serve(work: Work, services: AgentServices): Promise<unknown> {
  const { question } = work.request;
  return (HANDLERS[question.ask] as Handlers[Ask])(question as never, work, services);
}

async function plan({ profile, scope, retries }: Of<'plan'>, work: Work, services: AgentServices) {
  const { agent, plans, check, nowMs } = services;
  const wanted = await check(profile);
  const planned = await agent.plan(wanted, scopeOf(scope), { retries });
  const { sessionInterfaces } = await import('../../engine/confirmation.ts');
  return {
    plan: plans.keep(work.controller.key, { planned, wanted, scope: scopeOf(scope) }, nowMs()),
    shown: planned.plan,
    session: sessionInterfaces(planned.plan, planned.machine),
  };
}

function requestOf({ planned, wanted, scope }: ReturnType<PlanStore['find']>) {
  return { planned, wanted, ...(scope && { scope }) };
}

/** Of the same controller: nobody speaks for another one. */
function ownWork(id: string, { controller }: Work, { find }: AgentServices): Work {
  const found = find(id);
  if (found !== undefined && found.controller.key === controller.key) return found;
  throw new Refused('That request is not at work any more.', []);
}

/** Absent keys stay absent. */
function scopeOf(scope: Of<'plan'>['scope']): Scope {
  return Object.fromEntries(Object.entries(scope ?? {}).filter(([, names]) => names !== undefined));
}
