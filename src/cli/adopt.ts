import type { Adoption } from '../agent/adopting.ts';
import { HftError, UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { type AdoptionWish, findCpuProblem } from '../launch/adoption.ts';
import { readIsolated } from '../launch/isolated.ts';
import type { Scheduling } from '../launch/placement.ts';
import { findKeyProblem } from '../launch/thread-key.ts';
import { resolveCpuSet } from '../layout/cpu-set.ts';
import { effectiveLayout } from '../layout/effective.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { union } from '../topology/cpulist.ts';
import { readMachine } from '../topology/read.ts';
import { requireRoot } from './root.ts';
import { type Installation, openAgent } from './target.ts';

export interface AdoptFlags {
  readonly as: string;
  readonly cpus?: string | undefined;
  readonly thread?: readonly string[] | undefined;
}

/** Has a process that somebody else started placed and watched. Throws UsageError before anything is changed. */
export async function adopt(installation: Installation, pid: string, flags: AdoptFlags): Promise<Adoption> {
  const number = parsePid(pid);
  if (!NAME.test(flags.as))
    throw new UsageError(
      `--as: expected a name of lower-case letters, digits and hyphens, got ${JSON.stringify(flags.as)}.`,
    );
  requireRoot('hft adopt');
  const host = new LocalHost();
  const facts = await readMachine(host);
  const machine = { ...facts, layout: effectiveLayout(facts) };
  const isolated = union(machine.layout.isolated, await readIsolated(host));
  const wishes = parseWishes(flags, machine, isolated);
  const agent = await openAgent(installation);
  return agent.adoptProcess({ pid: number, name: flags.as, wishes, isolated });
}

/** As those of deployments. */
const NAME = /^[a-z][a-z0-9-]*$/;
/** PID_MAX_LIMIT of the kernel. */
const MOST_PID = 2 ** 22;

function parsePid(text: string): number {
  if (/^[1-9]\d*$/.test(text) && Number(text) <= MOST_PID) return Number(text);
  throw new UsageError(`Expected the number of a process, got ${JSON.stringify(text)}.`, {
    next: ['`pgrep NAME` finds it.'],
  });
}

function parseWishes(
  { cpus, thread = [] }: AdoptFlags,
  machine: PlacedMachine,
  isolated: readonly number[],
): AdoptionWish[] {
  const wishes = [
    ...thread.map((text) => parseThread(text, machine)),
    ...(cpus === undefined ? [] : [parseThread(`*=${cpus}`, machine)]),
  ];
  for (const [index, { name }] of wishes.entries())
    if (wishes.slice(0, index).some((wish) => wish.name === name))
      throw new UsageError(
        `Threads ${JSON.stringify(name)} are placed twice${name === '*' ? ' (--cpus is --thread "*=…")' : ''}.`,
      );
  for (const wish of wishes) {
    const problem = findCpuProblem(wish, isolated);
    if (problem !== undefined)
      throw new UsageError(`${wish.name === '*' ? '--cpus' : `--thread ${wish.name}`}: ${problem}.`);
  }
  return wishes;
}

const THREAD = /^(?<name>.+)=(?<sets>[^=:]+)(?::(?<policy>[a-z]+)(?::(?<number>-?\d+))?)?$/;

/** `md-rx=4`, `md-rx=4:fifo:48`, `gw-*=2/4:other:0`, `*=housekeeping`. */
function parseThread(text: string, machine: PlacedMachine): AdoptionWish {
  const { name, sets, policy, number } = THREAD.exec(text)?.groups ?? {};
  if (name === undefined || sets === undefined)
    throw new UsageError(`--thread: expected NAME=CPUS or NAME=CPUS:POLICY:NUMBER, got ${JSON.stringify(text)}.`, {
      next: ['For example --thread md-rx=4:fifo:48, or --thread "gw-*=2/4" for two threads.'],
    });
  const problem = findKeyProblem(name);
  if (problem !== undefined) throw new UsageError(`--thread ${name}: ${problem}.`);
  const cpus = sets.split('/').map((set) => resolveFor(name, set, machine));
  if (name === '*' && cpus.length > 1) throw new UsageError('--thread "*": all others have one CPU set.');
  return { name, cpus, scheduling: policy === undefined ? undefined : parseScheduling(name, policy, number) };
}

function resolveFor(name: string, set: string, machine: PlacedMachine): readonly number[] {
  try {
    return resolveCpuSet(set.trim(), machine);
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    throw new UsageError(`${name === '*' ? '--cpus' : `--thread ${name}`}: ${error.message}`, { next: error.next });
  }
}

const LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  other: [-20, 19],
  batch: [-20, 19],
  fifo: [1, 98],
  rr: [1, 98],
};

function parseScheduling(name: string, policy: string, text: string | undefined): Scheduling {
  const limits = LIMITS[policy];
  if (limits === undefined || (name === '*' && limits[0] === 1))
    throw new UsageError(
      `--thread ${name}: ${limits === undefined ? `there is no policy ${JSON.stringify(policy)}` : 'a realtime policy is for threads by their name'}.`,
      {
        next: [`Policies: ${Object.keys(LIMITS).join(', ')}.`],
      },
    );
  const number = text === undefined && limits[0] !== 1 ? 0 : Number(text);
  const isRealtime = limits[0] === 1;
  if (!(number >= limits[0] && number <= limits[1]))
    throw new UsageError(
      `--thread ${name}: ${policy} needs ${isRealtime ? 'a priority' : 'a nice value'} from ${limits[0]} to ${limits[1]}, got ${text ?? 'none'}.`,
      isRealtime ? { next: ['99 is that of the kernel’s own migration and watchdog threads.'] } : {},
    );
  return isRealtime
    ? { policy: policy as 'fifo' | 'rr', priority: number }
    : { policy: policy as 'other' | 'batch', nice: number };
}
