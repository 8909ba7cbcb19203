import type { Machine } from '../../src/topology/machine.ts';
import { cacheDifferencesFromLscpu, differencesFromHwloc, differencesFromLscpu } from './differences.ts';
import { addCpuListsForLscpu } from './dumps.ts';
import { askHwloc, askLscpu } from './oracles.ts';
import { findPeculiarities } from './peculiarities.ts';

/** What both oracles say against the machine that hft read from the same files; or why neither can be asked. */
export function judge(
  machine: Machine,
  root: string,
): { readonly lscpu: readonly string[]; readonly hwloc: readonly string[] } | { readonly why: string } {
  const hwloc = askHwloc(root);
  addCpuListsForLscpu(root);
  const lscpu = askLscpu(root);
  if ('why' in hwloc && 'why' in lscpu) return { why: `nobody else reads it: ${hwloc.why}; ${lscpu.why}` };
  const odd = findPeculiarities(root, {
    hwloc: 'why' in hwloc ? undefined : hwloc,
    lscpu: 'why' in lscpu ? undefined : lscpu,
  });
  return {
    lscpu:
      'why' in lscpu
        ? []
        : [...differencesFromLscpu(machine, lscpu.cpus, odd), ...cacheDifferencesFromLscpu(machine, lscpu.caches, odd)],
    hwloc: 'why' in hwloc ? [] : differencesFromHwloc(machine, hwloc, odd),
  };
}
