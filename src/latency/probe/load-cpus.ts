import { UsageError } from '../../errors.ts';
import { printCpulist } from '../../topology/cpulist.ts';
import type { Machine } from '../../topology/machine.ts';
import { housekeepingCpus } from './choose-cpus.ts';
import type { LoadKind, LoadRequest } from './load.ts';

/**
 * Where a load runs: on housekeeping CPUs that do not measure and are no hyperthreads of those that do. The first of them is left to
 * the rest of the system and to hft; packets, which need a CPU to send and one to receive, take it where there are two in all.
 * Throws UsageError where nothing is left.
 */
export function chooseLoad(machine: Machine, kind: LoadKind, measured: readonly number[]): LoadRequest {
  const besides = housekeepingCpus(machine).filter((cpu) => !measured.includes(cpu));
  const cores = new Set(measured.flatMap((cpu) => siblingsOf(machine, cpu)));
  const spare = besides.filter((cpu) => !cores.has(cpu));
  const first = besides[0];
  const others = spare.filter((cpu) => cpu !== first);
  if (kind === 'housekeeping' && others.length > 0) return { kind, cpus: others };
  if (kind === 'network' && others.length > 1)
    return { kind, cpus: others.slice(0, others.length - (others.length % 2)) };
  if (kind === 'network' && spare.length === 2) return { kind, cpus: spare };
  const need =
    kind === 'housekeeping'
      ? 'one for the rest of the system and one more to bear the load'
      : 'two, to send and to receive';
  const left = spare.length === 0 ? 'none is' : `only ${printCpulist(spare)} ${spare.length === 1 ? 'is' : 'are'}`;
  throw new UsageError(
    `--load ${kind}: of the housekeeping CPUs ${left} left beside those that are measured (${printCpulist(measured)}) and their hyperthreads. ` +
      `It needs ${need}.`,
    { next: ['Measure on fewer CPUs (`--cpus`), or without --load.'] },
  );
}

function siblingsOf({ topology }: Machine, wanted: number): readonly number[] {
  return topology.cpus.find(({ cpu }) => cpu === wanted)?.siblings ?? [];
}
