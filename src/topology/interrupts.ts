/** One row of /proc/interrupts that belongs to a device. */
export interface InterruptRow {
  readonly irq: number;
  /** The controller, with the PCI device where the kernel names it: `IR-PCI-MSIX-0000:01:00.0`. */
  readonly chip: string;
  /** The controller's number for it (pin, vector of the device); undefined when the row has none. */
  readonly hardwareNumber: number | undefined;
  /** The names under which drivers asked for it; several share a line, none asked for a line that only counted. */
  readonly actions: readonly string[];
}

/**
 * Parses /proc/interrupts: a header that names the online CPUs, then `IRQ: counts chip hwirq-flow  actions`.
 * https://docs.kernel.org/filesystems/proc.html (interrupts). Rows of the architecture (NMI, LOC) are no devices.
 * Actions stand behind at least two spaces; their names may hold single ones (`PCIe PME`).
 */
export function parseInterrupts(text: string): readonly InterruptRow[] {
  const [header = '', ...lines] = text.split('\n');
  const counters = new RegExp(`^(?:\\s+\\d+){0,${header.match(/CPU\d+/g)?.length ?? 0}}`);
  return lines.flatMap((line) => {
    const match = /^\s*(\d+):(.*)$/.exec(line);
    if (!match) return [];
    const description = (match[2] as string).replace(counters, '').trim();
    return [{ irq: Number(match[1]), ...parseDescription(description) }];
  });
}

/** `2-edge`, `27 Level`, `-event`, `Edge`: how it triggers, the end of a row that has no action. */
const FLOW = /(?:^|\s)(?:(?<number>\d+)(?:-\w+)?(?:\s+(?:Level|Edge))?|-\w+|Level|Edge)$/;

function parseDescription(description: string): Omit<InterruptRow, 'irq'> {
  const parts = description.split(/\s{2,}/);
  const last = parts.at(-1) ?? '';
  const hasActions = parts.length > 1 && !FLOW.test(last);
  const before = (hasActions ? parts.slice(0, -1) : parts).join(' ');
  const number = FLOW.exec(before)?.groups?.number;
  return {
    chip: before.replace(FLOW, '').trim(),
    hardwareNumber: number === undefined ? undefined : Number(number),
    actions: hasActions
      ? last
          .split(',')
          .map((action) => action.trim())
          .filter((action) => action !== '')
      : [],
  };
}
