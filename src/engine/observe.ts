import type { HostReader } from '../host/host.ts';
import { rememberingReader } from '../host/memo.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { solveLayout } from '../layout/solve.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Machine } from '../topology/machine.ts';
import { readMachine } from '../topology/read.ts';
import { refuseContradictions } from '../tuning/contradiction.ts';
import type { TuningDomain } from '../tuning/domain.ts';
import { asIfUntouched } from './as-if.ts';
import { withBystanders } from './bystanders.ts';
import { type Comparison, compare, type Wish } from './compare.ts';
import { findHeld, type HeldPlace, isChanged, ownerOf } from './held.ts';
import type { Run } from './journal.ts';
import { findLeftOver, type LeftOver } from './left-over.ts';
import type { Plan } from './plan.ts';
import { findRefusedBefore, type RefusedBefore, withoutRefused } from './refused-before.ts';
import { isIdInScope, isInScope, type Scope, type Wanted } from './scope.ts';
import { bootChanges } from './trial.ts';
import { withArmedTrial } from './trial-plan.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export interface Planning {
  readonly reader: HostReader;
  readonly domains: readonly TuningDomain[];
  readonly wanted: Wanted;
  readonly scope?: Scope;
  /** SSH_CONNECTION of who asks: its interface carries the session, whatever port it came in on. */
  readonly sshConnection?: string | undefined;
  /** The journal of this machine: what hft changed before. None for a captured machine. */
  readonly runs?: readonly Run[];
  /** Plans again what the kernel refused before for a reason of the moment (EBUSY). */
  readonly retries?: boolean;
}

/** What the journal says about the machine in this boot. */
interface Past {
  readonly held: readonly HeldPlace[];
  readonly refused: RefusedBefore;
}

/** Reads the machine once, decides, compares: the plan, and the machine that it was made from. Changes nothing. */
export async function observeAndPlan(planning: Planning): Promise<{ plan: Plan; machine: PlacedMachine }> {
  const reader = rememberingReader(planning.reader);
  const past = await readPast(reader, planning);
  const untouched = await asIfUntouched(reader, past.held);
  const { sshConnection } = planning;
  const facts = await readMachine(untouched, sshConnection === undefined ? {} : { sshConnection });
  const machine = { ...facts, layout: solveLayout(planning.wanted.layout, facts) };
  refuseContradictions(wantedInScope(planning), machine);
  const desired = await desireAll(untouched, planning, { facts, machine });
  const leftOver = await findLeftOver(reader, past.held, { ...planning, scope: planning.scope, ...desired });
  const comparisons: Comparison[] = [];
  for (const wish of desired.wishes) comparisons.push(await compare(reader, wish));
  const compared = assemble(machine, { ...planning, ...desired, comparisons, leftOver, past });
  const plan = { ...compared, changes: inSafeOrder(await withBystanders(reader, compared.changes)) };
  return {
    machine,
    plan:
      planning.scope?.onlyIds === undefined && mayHaveTrial(plan, past)
        ? await withArmedTrial(reader, plan, planning.scope)
        : plan,
  };
}

/** Looking costs reading the boot loader's files: only where there is a trial by the journal, or one can be meant. */
function mayHaveTrial(plan: Plan, { held }: Past): boolean {
  return bootChanges(plan).length > 0 || held.some((place) => place.place === 'boot-entry' && isChanged(place));
}

/** Without adopted processes: what they were given is none of a profile's. */
async function readPast(reader: HostReader, { runs: all = [], scope }: Planning): Promise<Past> {
  const runs = all.filter(({ begin }) => begin.origin !== 'adopt');
  const bootId = runs.length === 0 ? undefined : (await reader.readText(BOOT_ID))?.trim();
  const held = findHeld(runs, bootId).filter((place) => isInScope(ownerOf(place), scope));
  return { held, refused: findRefusedBefore(runs, bootId) };
}

function wantedInScope({ domains, wanted, scope }: Planning): Readonly<Record<string, unknown>> {
  const names = domains.map(({ name }) => name).filter((name) => isInScope(name, scope));
  return Object.fromEntries(names.map((name) => [name, wanted.domains[name]]));
}

interface Desires {
  readonly wishes: readonly Wish[];
  readonly refused: Plan['refused'];
}

/** What the layout and each domain in scope want of this machine. */
async function desireAll(
  reader: HostReader,
  { domains, wanted, scope }: Planning,
  { facts, machine }: { facts: Machine; machine: PlacedMachine },
): Promise<Desires> {
  const refused: Plan['refused'][number][] = machine.layout.refused.map((refusal) => ({
    ...refusal,
    kind: 'refused',
    domain: 'layout',
  }));
  const wishes: Wish[] = [];
  for (const domain of domains.filter((each) => isInScope(each.name, scope))) {
    const part = wanted.domains[domain.name];
    if (part === undefined) continue;
    const desired = domain.desire(part, await domain.observe(reader, facts, part), machine);
    const settings = desired.settings.filter(({ id }) => isIdInScope(id, scope));
    wishes.push(...settings.map((setting) => ({ domain: domain.name, setting })));
    const refusals = desired.refused.filter(({ id }) => scope?.onlyIds?.includes(id) !== false);
    refused.push(...refusals.map((refusal) => ({ ...refusal, domain: domain.name })));
  }
  return { wishes, refused };
}

interface Compared extends Desires {
  readonly wanted: Wanted;
  readonly retries?: boolean;
  readonly comparisons: readonly Comparison[];
  readonly leftOver: LeftOver;
  readonly past: Past;
}

/** What earlier profiles left comes first: it is as if it had never been there when this one's values are set. */
function assemble(machine: PlacedMachine, compared: Compared): Plan {
  const { leftOver, past, retries = false } = compared;
  const changes: Plan['changes'][number][] = [];
  const satisfied: Plan['satisfied'][number][] = [];
  const refused = [...compared.refused];
  const unread: Plan['unread'][number][] = [];
  for (const comparison of [...leftOver.comparisons, ...compared.comparisons]) {
    if (comparison.is === 'satisfied') satisfied.push(comparison);
    else if (comparison.is === 'refused') refused.push(comparison);
    else if (comparison.is === 'unread') unread.push(comparison);
    else {
      const planned = withoutRefused(comparison, past.refused, retries);
      if ('reason' in planned) refused.push(planned);
      else changes.push(planned);
    }
  }
  const { layout, host, kernel } = machine;
  return {
    profile: compared.wanted.name,
    host,
    bootId: kernel.bootId,
    layout: {
      housekeeping: printCpulist(layout.housekeeping),
      irq: printCpulist(layout.irq),
      isolated: printCpulist(layout.isolated),
    },
    changes,
    satisfied,
    refused,
    unread,
    kept: leftOver.kept,
    reboot: changes.some((change) => change.takesEffect === 'reboot') || satisfied.some((each) => each.pendingReboot),
  };
}

/** What exists first, then values; inside a stage the order of the domains and of their settings is kept. */
function inSafeOrder(changes: readonly Plan['changes'][number][]): readonly Plan['changes'][number][] {
  const shape = changes.filter((change) => change.setting.stage === 'shape');
  return [...shape, ...changes.filter((change) => change.setting.stage === 'values')];
}
