import type { Irq } from '../../topology/machine.ts';

/** What tells interrupts with the same name apart, by IRQ number. */
export type HardwareNumbers = Readonly<Record<number, string>>;

/** Names of interrupts that the kernel ties to one CPU or does not let anybody move, on x86, ARM and Xen. */
const FIXED = [
  /^(?:timer|cascade|hpet\d*|IPI\S*)$/,
  /^(?:arch_timer|arch_mem_timer|kvm guest [vp]timer|arm-?v?8?-?pmu\S*)$/,
  /^(?:xen-percpu\S*|(?:timer|resched|spinlock|callfunc|callfuncsingle|irqwork|debug|pmu)\d+)$/,
];

/** Whether an interrupt belongs to a CPU by its nature (timers, per-CPU ones), so that nobody can move it. */
export function isFixed(irq: Irq): boolean {
  return irq.actions.some((action) => FIXED.some((name) => name.test(action)));
}

/**
 * `ens1f0/rx-3`, `nvme0/q3`, `rtc0`: the same on every boot, unlike the IRQ number. Interrupts that share a name
 * (`i8042` twice) get their hardware number behind it.
 */
export function nameTargets(irqs: readonly Irq[], numbers: HardwareNumbers): ReadonlyMap<number, string> {
  const plain = new Map(irqs.map((irq) => [irq.irq, plainName(irq)]));
  const shared = sharedNames(irqs);
  return new Map(
    irqs.map((irq) => {
      const name = plain.get(irq.irq) as string;
      return [irq.irq, shared.has(name) ? `${name}#${numbers[irq.irq] ?? irq.irq}` : name];
    }),
  );
}

/** The names that more than one interrupt has. */
export function sharedNames(irqs: readonly Irq[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const irq of irqs) {
    const name = plainName(irq);
    if (seen.has(name)) shared.add(name);
    seen.add(name);
  }
  return shared;
}

/** Names of devices with a `/` in them would read as device and queue; white space would end the id. */
export function plainName(irq: Irq): string {
  const device = irq.device.replaceAll(/[\s/]+/g, '-');
  return irq.queue === '' ? device : `${device}/${irq.queue.replaceAll(/\s+/g, '-')}`;
}

const QUEUE =
  /^(?:(?:.*[-_.])?(?:tx-?rx|rx-?tx|rx|tx|comp|completion|input|output|fp|queue|q|ntfy-bl(?:oc)?k)[-_.]?)?(?<index>\d+)$/i;

/**
 * The number of the queue that an interrupt serves: 3 for `TxRx-3`, `rx-3`, `comp3`, `output.3`, `3`.
 * Undefined for the rest of a NIC's interrupts: link state, events, mailbox, configuration.
 */
export function queueIndex(irq: Irq): number | undefined {
  const index = QUEUE.exec(irq.queue)?.groups?.index;
  return index === undefined ? undefined : Number(index);
}
