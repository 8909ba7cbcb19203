import type { Irq } from '../../topology/machine.ts';

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

const QUEUE =
  /^(?:(?:.*[-_.])?(?:tx-?rx|rx-?tx|rx|tx|comp|completion|input|output|fp|queue|q|ntfy-bl(?:oc)?k)[-_.]?)?(?<index>\d+)$/i;

/**
 * The number of the queue that an interrupt serves: 3 for `TxRx-3`, `rx-3`, `comp3`, `output.3`, `3`.
 * Undefined for the rest of a NIC's interrupts: link state, events, mailbox, configuration, flow director.
 */
export function queueIndex(irq: Irq): number | undefined {
  if (irq.queue.includes('fdir')) return undefined;
  const index = QUEUE.exec(irq.queue)?.groups?.index;
  return index === undefined ? undefined : Number(index);
}
