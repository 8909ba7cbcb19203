/** Packets of one direction of a port, as testpmd counts them when forwarding stops. */
export interface Forwarded {
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
}

/**
 * The totals of every `stop` in the output of dpdk-testpmd, in order: its own count, which a silent loss is not in. Empty where there
 * is none; a block that is cut is none.
 */
export function parseForwarded(text: string): readonly Forwarded[] {
  const blocks = text.split(/^ *\++ Accumulated forward statistics for all ports\++$/m).slice(1);
  return blocks.flatMap((block) => {
    const rx = /^ *RX-packets: (\d+) +RX-dropped: (\d+) +RX-total: (\d+) *$/m.exec(block);
    const tx = /^ *TX-packets: (\d+) +TX-dropped: (\d+) +TX-total: (\d+) *$/m.exec(block);
    const isWhole = /^ *\+{20,} *$/m.test(block);
    if (rx === null || tx === null || !isWhole) return [];
    return [{ received: Number(rx[1]), sent: Number(tx[1]), dropped: Number(rx[2]) + Number(tx[2]) }];
  });
}

/** The reasons that EAL or testpmd gave for not starting, most telling first. */
export function findEalErrors(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const causes = lines.filter((line) => /^Cause: /.test(line)).map((line) => line.slice('Cause: '.length));
  const fatal = lines.filter((line) => /^EAL: FATAL: /.test(line)).map((line) => line.slice('EAL: FATAL: '.length));
  const others = lines.filter((line) =>
    /^(?:EAL: Error|EAL: Cannot|EAL: invalid|vdev_probe|rte_pmd_init|init_internals)/.test(line),
  );
  return [...new Set([...fatal, ...causes, ...others])];
}
