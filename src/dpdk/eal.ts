/** Arguments of DPDK's environment abstraction layer. https://doc.dpdk.org/guides/linux_gsg/linux_eal_parameters.html */
export interface EalPlan {
  /** Runs main(), control and what waits: a housekeeping CPU. */
  readonly mainLcore: number;
  /** Poll: isolated CPUs. */
  readonly workers: readonly number[];
  /** By NUMA node from 0 on; undefined: EAL takes what it needs when it needs it. */
  readonly memoryMib: readonly number[] | undefined;
  /** PCI addresses. None: no PCI device at all. */
  readonly allow: readonly string[];
  readonly filePrefix: string;
}

/** Each argument a word; no word needs quotes in a shell. */
export function ealArguments({ mainLcore, workers, memoryMib, allow, filePrefix }: EalPlan): readonly string[] {
  return [
    '-l',
    [mainLcore, ...workers].join(','),
    `--main-lcore=${mainLcore}`,
    ...(memoryMib === undefined ? [] : [`--socket-mem=${memoryMib.join(',')}`]),
    ...(allow.length === 0 ? ['--no-pci'] : allow.flatMap((address) => ['-a', address])),
    `--file-prefix=${filePrefix}`,
  ];
}

/** Stands in the command of a deployment for the arguments of that process. */
export const EAL_WORD = '{eal}';

export function withEal(command: readonly string[], eal: readonly string[]): readonly string[] {
  return command.flatMap((word) => (word === EAL_WORD ? eal : [word]));
}
