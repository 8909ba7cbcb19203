import type { HostReader } from '../host/host.ts';
import { rememberingReader } from '../host/memo.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import type { LayoutWanted } from '../layout/schema.ts';
import { solveLayout } from '../layout/solve.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { readMachine } from '../topology/read.ts';
import type { TuningDomain } from '../tuning/domain.ts';
import { compare, type Wish } from './compare.ts';
import type { Plan } from './plan.ts';
import { bootChanges, readTrialState } from './trial.ts';
import { withArmedTrial } from './trial-plan.ts';

/** What a profile asks for: the part of each domain by the domain's name, checked against the schemas. */
export interface Wanted {
  readonly name: string;
  readonly layout: LayoutWanted;
  readonly domains: Readonly<Record<string, unknown>>;
}

/** Limits a plan to some domains (`--only`, `--skip`), or leaves out single settings that were rolled back by hand. */
export interface Scope {
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly exceptIds?: readonly string[];
}

export interface Planning {
  readonly reader: HostReader;
  readonly domains: readonly TuningDomain[];
  readonly wanted: Wanted;
  readonly scope?: Scope;
  /** SSH_CONNECTION of who asks: its interface carries the session, whatever port it came in on. */
  readonly sshConnection?: string | undefined;
}

/** Reads the machine once, decides, compares: the plan, and the machine that it was made from. Changes nothing. */
export async function observeAndPlan(planning: Planning): Promise<{ plan: Plan; machine: PlacedMachine }> {
  const reader = rememberingReader(planning.reader);
  const { sshConnection } = planning;
  const facts = await readMachine(reader, sshConnection === undefined ? {} : { sshConnection });
  const machine = { ...facts, layout: solveLayout(planning.wanted.layout, facts) };
  const refused: Plan['refused'][number][] = machine.layout.refused.map((refusal) => ({
    ...refusal,
    kind: 'refused',
    domain: 'layout',
  }));
  const wishes: Wish[] = [];
  for (const domain of planning.domains.filter((each) => isInScope(each.name, planning.scope))) {
    const wanted = planning.wanted.domains[domain.name];
    if (wanted === undefined) continue;
    const desired = domain.desire(wanted, await domain.observe(reader, facts, wanted), machine);
    const settings = desired.settings.filter((setting) => !planning.scope?.exceptIds?.includes(setting.id));
    wishes.push(...settings.map((setting) => ({ domain: domain.name, setting })));
    refused.push(...desired.refused.map((refusal) => ({ ...refusal, domain: domain.name })));
  }
  const plan = await planWishes(reader, wishes, { machine, refused, profile: planning.wanted.name });
  return {
    machine,
    plan: bootChanges(plan).length > 0 ? await withArmedTrial(reader, plan, await readTrialState(reader)) : plan,
  };
}

interface PlanFrame {
  readonly machine: PlacedMachine;
  readonly refused: readonly Plan['refused'][number][];
  readonly profile: string;
}

async function planWishes(reader: HostReader, wishes: readonly Wish[], frame: PlanFrame): Promise<Plan> {
  const changes: Plan['changes'][number][] = [];
  const satisfied: Plan['satisfied'][number][] = [];
  const refused = [...frame.refused];
  const unread: Plan['unread'][number][] = [];
  for (const wish of wishes) {
    const comparison = await compare(reader, wish);
    if (comparison.is === 'change') changes.push(comparison);
    else if (comparison.is === 'satisfied') satisfied.push(comparison);
    else if (comparison.is === 'refused') refused.push(comparison);
    else unread.push(comparison);
  }
  const { layout, host, kernel } = frame.machine;
  return {
    profile: frame.profile,
    host,
    bootId: kernel.bootId,
    layout: {
      housekeeping: printCpulist(layout.housekeeping),
      irq: printCpulist(layout.irq),
      isolated: printCpulist(layout.isolated),
    },
    changes: inSafeOrder(changes),
    satisfied,
    refused,
    unread,
    reboot: changes.some((change) => change.takesEffect === 'reboot') || satisfied.some((each) => each.pendingReboot),
  };
}

/** What exists first, then values; inside a stage the order of the domains and of their settings is kept. */
function inSafeOrder(changes: readonly Plan['changes'][number][]): readonly Plan['changes'][number][] {
  const shape = changes.filter((change) => change.setting.stage === 'shape');
  return [...shape, ...changes.filter((change) => change.setting.stage === 'values')];
}

function isInScope(name: string, scope: Scope | undefined): boolean {
  if (scope?.only && !scope.only.includes(name)) return false;
  return !scope?.skip?.includes(name);
}
