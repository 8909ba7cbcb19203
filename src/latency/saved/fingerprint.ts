import { printCpulist } from '../../topology/cpulist.ts';
import type { Inspection } from '../../topology/inspection.ts';
import type { Irq, Machine } from '../../topology/machine.ts';

/** What a measurement was taken on, as far as it can make a difference. Stable as JSON; null is "not known". */
export interface Fingerprint {
  readonly host: string;
  readonly product: string | null;
  readonly bios: string | null;
  readonly processor: string | null;
  readonly microcode: string | null;
  readonly hypervisor: string | null;
  /** uname -r */
  readonly kernel: string;
  readonly cmdline: string;
  readonly clocksource: string | null;
  /** cpulists, as the kernel has them in effect */
  readonly onlineCpus: string;
  readonly isolatedCpus: string;
  readonly nohzFullCpus: string;
  /** The profile that hft has put in force. */
  readonly profileInForce: string | null;
  /** By device and queue, never by number: the CPUs that each interrupt reaches, as a cpulist. */
  readonly irqs: Readonly<Record<string, string>>;
  readonly hft: string;
}

export interface FingerprintParts {
  readonly machine: Machine;
  readonly firmware: Inspection['firmware'];
  readonly processor: Inspection['processor'];
  readonly profileInForce: string | undefined;
  readonly hft: string;
}

export function makeFingerprint(parts: FingerprintParts): Fingerprint {
  const { machine, firmware, processor } = parts;
  const { kernel, topology } = machine;
  const online = topology.cpus.filter((cpu) => cpu.online).map(({ cpu }) => cpu);
  return {
    host: machine.host,
    product: joined(firmware.vendor, firmware.product),
    bios: joined(firmware.biosVendor, firmware.biosVersion, firmware.biosDate),
    processor: processor.model ?? null,
    microcode: processor.microcode ?? null,
    hypervisor: kernel.hypervisor ?? null,
    kernel: kernel.release,
    cmdline: kernel.cmdline.trim(),
    clocksource: kernel.clocksource ?? null,
    onlineCpus: printCpulist(online),
    isolatedCpus: printCpulist(kernel.isolated),
    nohzFullCpus: printCpulist(kernel.nohzFull),
    profileInForce: parts.profileInForce ?? null,
    irqs: mapIrqs(machine.irqs),
    hft: parts.hft,
  };
}

function joined(...words: (string | undefined)[]): string | null {
  return words.filter((word) => word !== undefined && word !== '').join(' ') || null;
}

/** Two interrupts of one name get their place among these as a number: `eth0/rx-0`, `eth0/rx-0#2`. */
function mapIrqs(irqs: readonly Irq[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (const { device, queue, effective, affinity } of irqs) {
    const name = queue === '' ? device : `${device}/${queue}`;
    let key = name;
    for (let place = 2; key in map; place++) key = `${name}#${place}`;
    map[key] = printCpulist(effective.length > 0 ? effective : affinity);
  }
  return map;
}

/** One thing that two machines, or one machine at two times, have different. null: not known, or not there. */
export interface FingerprintDifference {
  /** `kernel`, `microcode`, `irq eth0/rx-0` … */
  readonly what: string;
  readonly before: string | null;
  readonly after: string | null;
}

export function compareFingerprints(before: Fingerprint, after: Fingerprint): FingerprintDifference[] {
  const { irqs: irqsBefore, ...partsBefore } = before;
  const { irqs: irqsAfter, ...partsAfter } = after;
  const values = compareValues(partsBefore, partsAfter, (name) => NAMES[name] ?? name);
  return [...values, ...compareValues(irqsBefore, irqsAfter, (name) => `irq ${name}`)];
}

/** As people say it, where that is not the key. */
const NAMES: Readonly<Record<string, string>> = {
  bios: 'BIOS',
  cmdline: 'kernel command line',
  onlineCpus: 'CPUs online',
  isolatedCpus: 'isolated CPUs',
  nohzFullCpus: 'nohz_full CPUs',
  profileInForce: 'profile in force',
  hft: 'hft version',
};

type Values = Readonly<Record<string, string | null>>;

function compareValues(before: Values, after: Values, nameOf: (key: string) => string): FingerprintDifference[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => {
    const [one, other] = [before[key] ?? null, after[key] ?? null];
    return one === other ? [] : [{ what: nameOf(key), before: one, after: other }];
  });
}
