/** Arguments of DPDK's environment abstraction layer, from facts. Pure. https://doc.dpdk.org/guides/linux_gsg/linux_eal_parameters.html */
export interface EalPlan {
  /** Runs main(), control and what waits; on a housekeeping CPU. */
  readonly mainLcore: number;
  /** Poll; on isolated CPUs. */
  readonly workers: readonly number[];
  /** By NUMA node, MiB; a node in between that gives nothing has 0. */
  readonly memoryMib: readonly number[];
  /** PCI addresses. */
  readonly allow: readonly string[];
  readonly filePrefix: string;
  /** Mount point of hugetlbfs; undefined: EAL finds one by itself. */
  readonly hugeDir: string | undefined;
}

/** Each argument a word; nothing in them needs quotes in a shell. */
export function ealArguments(plan: EalPlan): readonly string[] {
  const { mainLcore, workers, memoryMib, allow, filePrefix, hugeDir } = plan;
  return [
    '-l',
    [mainLcore, ...workers].join(','),
    `--main-lcore=${mainLcore}`,
    ...(memoryMib.length === 0 ? [] : [`--socket-mem=${memoryMib.join(',')}`]),
    ...(hugeDir === undefined ? [] : [`--huge-dir=${hugeDir}`]),
    ...(allow.length === 0 ? ['--no-pci'] : allow.flatMap((address) => ['-a', address])),
    `--file-prefix=${filePrefix}`,
  ];
}
