import type { TuningDomain } from './domain.ts';
import { irqDomain } from './irq/irq.ts';
import { persistenceDomain } from './persistence/persistence.ts';

/** Every domain, in the order in which people see them. A new domain is a folder here and a line in this list. */
export const domains: readonly TuningDomain[] = [
  irqDomain,
  persistenceDomain,
];
