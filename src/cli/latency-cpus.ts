import type { Agent } from '../agent/agent.ts';
import { HftError, UsageError } from '../errors.ts';
import { type ChosenCpus, chooseCpus, housekeepingCpus } from '../latency/probe/choose-cpus.ts';
import type { PinnedThread } from '../launch/pinned.ts';
import { resolveCpuSet } from '../layout/cpu-set.ts';
import type { Layout } from '../layout/layout.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Machine } from '../topology/machine.ts';

export interface CpuQuestion {
  readonly machine: Machine;
  /** The roles of the profile; undefined: those of the running kernel count. */
  readonly layout: Layout | undefined;
  /** `--cpus`; undefined: hft chooses. */
  readonly expression: string | undefined;
}

/**
 * Where probes may run. Those that spin would take half of the time of whoever is pinned there, so hft leaves such cores alone, unless
 * they are asked for by name. Throws UsageError, and HftError where nothing is left.
 */
export async function findFreeCpus(agent: Pick<Agent, 'pinnedTo'>, question: CpuQuestion): Promise<ChosenCpus> {
  const { machine, layout, expression } = question;
  const chosen = expression === undefined ? chooseCpus(machine, layout) : askedCpus(expression, machine, layout);
  const pinned = await agent.pinnedTo(chosen.cpus);
  if (pinned.length === 0) return chosen;
  if (expression !== undefined) {
    const { cpus, why } = chosen;
    return { cpus, why: `${why}, although pinned there: ${sayPinned(pinned)}` };
  }
  const taken = new Set(pinned.flatMap(({ allowed }) => allowed).flatMap((cpu) => coreOf(machine, cpu)));
  const cpus = chosen.cpus.filter((cpu) => !taken.has(cpu));
  const lost = printCpulist(chosen.cpus.filter((cpu) => taken.has(cpu)));
  if (cpus.length > 0) return { cpus, why: `${chosen.why}, without the cores of ${lost}: ${sayPinned(pinned)}` };
  throw new HftError(
    `Every CPU to be measured (${lost}: ${chosen.why}) is of a core that somebody is pinned to: ${sayPinned(pinned)}. A probe would disturb them.`,
    {
      exitCode: 1,
      next: [`Stop them first (\`hft ps\`, \`hft stop\`), or disturb them: \`--cpus ${lost}\`. Nothing was measured.`],
    },
  );
}

/** `--cpus`. `isolated` and `housekeeping` are those of the profile, and without one those of the running kernel. Throws UsageError. */
function askedCpus(expression: string, machine: Machine, layout: Layout | undefined): ChosenCpus {
  const { isolated } = machine.kernel;
  const asIs = { housekeeping: housekeepingCpus(machine), irq: [], isolated, nic: undefined, reasons: [], refused: [] };
  const cpus = resolveCpuSet(expression, { ...machine, layout: layout ?? asIs });
  if (cpus.length > 0) return { cpus, why: `as asked, --cpus ${expression}` };
  throw new UsageError(`--cpus ${expression}: no CPU of ${machine.host} is in this set.`, {
    next: ['Give numbers (`--cpus 2,3`), or leave --cpus out: hft then says which it takes and why.'],
  });
}

/** A hyperthread that spins slows its sibling down. */
function coreOf({ topology }: Machine, wanted: number): readonly number[] {
  return topology.cpus.find(({ cpu }) => cpu === wanted)?.siblings ?? [wanted];
}

/** The first ones tell who it is. */
const MOST_NAMED = 4;

function sayPinned(threads: readonly PinnedThread[]): string {
  const said = threads
    .slice(0, MOST_NAMED)
    .map(({ name, pid, allowed }) => `${name} of process ${pid} to ${printCpulist(allowed)}`);
  return [...said, ...(threads.length > MOST_NAMED ? [`and ${threads.length - MOST_NAMED} more`] : [])].join(', ');
}
