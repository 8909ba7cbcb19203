import { z } from 'zod';

/**
 * What an agent says of its machine, as far as hft looks at it; the rest is passed on, for it is what `hft inspect --json`
 * prints on the host itself.
 */
const text = z.string();
const number = z.number();
const cpus = z.array(z.number().int().nonnegative()).max(65_536);

const cpu = z.looseObject({
  cpu: number,
  online: z.boolean(),
  core: number.optional(),
  package: number.optional(),
  die: number.optional(),
  node: number.optional(),
  l3: number.optional(),
  siblings: cpus,
  coreType: z.enum(['performance', 'efficiency']).optional(),
});

const node = z.looseObject({
  node: number,
  cpus,
  memoryBytes: number,
  hugepages: z.array(z.looseObject({ pageBytes: number, total: number, free: number })),
  distances: z.array(number),
});

const kernel = z.looseObject({
  release: text,
  version: z.tuple([number, number]),
  realtime: z.boolean(),
  architecture: text,
  cmdline: text,
  isolated: cpus,
  nohzFull: cpus,
  config: z.record(text, text).optional(),
  lockdown: text.optional(),
  clocksource: text.optional(),
  cgroupVersion: z.union([z.literal(1), z.literal(2)]).optional(),
  hypervisor: text.optional(),
  bootId: text.optional(),
});

const irq = z.looseObject({
  irq: number,
  device: text,
  queue: text,
  managed: z.boolean(),
  actions: z.array(text),
  affinity: cpus,
  effective: cpus,
});

const nic = z.looseObject({
  name: text,
  driver: text.optional(),
  bus: text.optional(),
  node: number.optional(),
  mac: text.optional(),
  mtu: number,
  carrier: z.boolean().optional(),
  speedMbps: number.optional(),
  physical: z.boolean(),
  queues: z.looseObject({ rx: number, tx: number }),
  uppers: z.array(text),
  carriesSession: z.boolean(),
  pcie: z.looseObject({ widthLanes: number, speedGTs: number }).optional(),
  phc: text.optional(),
  irqs: z.array(number),
});

const machine = z.looseObject({
  host: text,
  kernel,
  topology: z.looseObject({
    cpus: z.array(cpu),
    nodes: z.array(node),
    caches: z.array(
      z.looseObject({ level: number, type: z.enum(['data', 'instruction', 'unified']), bytes: number, cpus }),
    ),
    smt: z.looseObject({ active: z.boolean(), control: text.optional() }),
  }),
  irqs: z.array(irq),
  nics: z.array(nic),
  services: z.array(z.looseObject({ name: text, active: z.boolean(), enabled: z.boolean() })),
});

const limited = z.record(text, z.looseObject({ current: number.optional() }));

const inspection = z.looseObject({
  firmware: z.looseObject({
    vendor: text.optional(),
    product: text.optional(),
    biosVendor: text.optional(),
    biosVersion: text.optional(),
    biosDate: text.optional(),
  }),
  processor: z.looseObject({ model: text.optional(), microcode: text.optional() }),
  iommu: z.looseObject({ units: z.array(text), groups: number }),
  frequency: z.looseObject({
    policies: z.array(z.looseObject({ cpus, governor: text.optional() })),
    turbo: z.boolean().optional(),
  }),
  idle: z.looseObject({ driver: text.optional(), states: z.array(z.looseObject({ name: text })) }),
  clocksources: z.array(text),
  vulnerabilities: z.record(text, text),
  nics: z.array(z.looseObject({ name: text, firmware: text.optional(), rings: limited })),
});

const module = z.looseObject({ bank: text, bytes: number, type: text, speedMTs: number.optional() });

const role = z.enum(['housekeeping', 'irq', 'isolated', 'offline']);

const layout = z.looseObject({
  housekeeping: cpus,
  irq: cpus,
  isolated: cpus,
  offline: cpus.optional(),
  nic: text.optional(),
  nicWhy: text.optional(),
  reasons: z.array(z.looseObject({ cpus, role, why: text })),
  refused: z.array(z.looseObject({ id: text, reason: text })),
});

export const sentInspection = z.object({
  machine,
  inspection,
  inventory: z.looseObject({ memoryModules: z.array(module), disks: z.array(z.looseObject({})) }).optional(),
  layout: layout.optional(),
});
