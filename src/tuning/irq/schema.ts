import { z } from 'zod';
import { cpuSet } from '../../profile/values.ts';

/** The value of a profile's `irq:` key. What is left out is left alone. */
export const irqWanted = z
  .strictObject({
    default: cpuSet()
      .optional()
      .describe('CPUs for interrupts that are requested later (/proc/irq/default_smp_affinity)'),
    others: cpuSet()
      .optional()
      .describe('CPUs for every interrupt that is not a trading queue; one that is on these already stays'),
    queues: cpuSet()
      .optional()
      .describe('CPUs for the queues of the trading NICs, one after the other, on the NUMA node of the NIC'),
    nics: z
      .union([z.literal('auto'), z.array(z.string().min(1)).min(1)], 'expected auto, or a list of NICs')
      .default('auto')
      .describe('Whose queues are placed: auto (the NIC of the layout), or a list of names, driver=NAME, pci=ADDRESS'),
    irqbalance: z
      .enum(['told', 'untouched'])
      .default('untouched')
      .describe(
        'told: a running irqbalance keeps off these CPUs and queues. untouched: for profiles that stop it (services)',
      ),
  })
  .describe('Which CPU takes which interrupt');

export type IrqWanted = z.output<typeof irqWanted>;
