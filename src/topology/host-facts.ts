import type { Inspection } from './inspection.ts';
import { nameTarget } from './irq-names.ts';
import type { Machine } from './machine.ts';

/** What a figure of this host is a figure of: enough to tell two hosts, or one host before and after a change, apart. */
export interface HostFacts {
  readonly host: string;
  /** Who made it and what it is, without serial numbers. */
  readonly product: string | null;
  readonly bios: string | null;
  readonly cpuModel: string | null;
  readonly microcode: string | null;
  readonly cpus: { readonly online: number; readonly present: number; readonly smt: boolean };
  readonly kernel: string;
  readonly realtime: boolean;
  readonly architecture: string;
  readonly cmdline: string;
  readonly isolated: readonly number[];
  readonly nohzFull: readonly number[];
  readonly clocksource: string | null;
  readonly hypervisor: string | null;
  readonly governors: readonly string[];
  readonly turbo: boolean | null;
  readonly idleStates: readonly string[];
  /** By name, as the kernel says it: `Mitigation: ...`, `Vulnerable`, `Not affected`. */
  readonly mitigations: Readonly<Record<string, string>>;
  /** Where each interrupt arrives: `ens1/rx-3` on these CPUs. */
  readonly irqs: readonly { readonly name: string; readonly cpus: readonly number[]; readonly managed: boolean }[];
  readonly nics: readonly { readonly name: string; readonly driver: string | null; readonly firmware: string | null }[];
}

export function hostFactsOf(machine: Machine, inspection: Inspection): HostFacts {
  const { kernel, topology } = machine;
  const { firmware, processor, frequency, idle } = inspection;
  return {
    host: machine.host,
    product: joined([firmware.vendor, firmware.product]),
    bios: joined([firmware.biosVendor, firmware.biosVersion, firmware.biosDate]),
    cpuModel: processor.model ?? null,
    microcode: processor.microcode ?? null,
    cpus: {
      online: topology.cpus.filter(({ online }) => online).length,
      present: topology.cpus.length,
      smt: topology.smt.active,
    },
    kernel: kernel.release,
    realtime: kernel.realtime,
    architecture: kernel.architecture,
    cmdline: kernel.cmdline,
    isolated: kernel.isolated,
    nohzFull: kernel.nohzFull,
    clocksource: kernel.clocksource ?? null,
    hypervisor: kernel.hypervisor ?? null,
    governors: [...new Set(frequency.policies.flatMap(({ governor }) => governor ?? []))],
    turbo: frequency.turbo ?? null,
    idleStates: idle.states.map(({ name }) => name),
    mitigations: inspection.vulnerabilities,
    irqs: machine.irqs.map((irq) => ({ name: nameTarget(irq), cpus: irq.effective, managed: irq.managed })),
    nics: machine.nics
      .filter(({ physical }) => physical)
      .map(({ name, driver }) => ({
        name,
        driver: driver ?? null,
        firmware: inspection.nics.find((each) => each.name === name)?.firmware ?? null,
      })),
  };
}

function joined(parts: readonly (string | undefined)[]): string | null {
  return parts.filter((part) => part !== undefined && part !== '').join(' ') || null;
}
