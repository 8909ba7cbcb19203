import { printCpulist } from './cpulist.ts';
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
  readonly cpus: { readonly online: readonly number[]; readonly present: number; readonly smt: boolean };
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
      online: topology.cpus.filter(({ online }) => online).map(({ cpu }) => cpu),
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

/** One fact as people read it; null: not known. */
export type Fact = readonly [name: string, value: string | null];

/** All but the long lists (mitigations, interrupts). */
export function listFacts(facts: HostFacts): readonly Fact[] {
  const { cpus, isolated, nohzFull, governors, turbo, idleStates, nics } = facts;
  const frequency = [governors.join(', '), turbo === null ? '' : `turbo ${turbo ? 'on' : 'off'}`];
  return [
    ['machine', facts.product],
    ['BIOS', facts.bios],
    ['CPU', facts.cpuModel],
    ['microcode', facts.microcode],
    ['CPUs', `${printCpulist(cpus.online)} of ${cpus.present} online, SMT ${cpus.smt ? 'on' : 'off'}`],
    ['kernel', `${facts.kernel}${facts.realtime ? ' PREEMPT_RT' : ''} ${facts.architecture}`],
    ['command line', facts.cmdline],
    ['isolated', printCpulist(isolated) || 'none'],
    ['nohz_full', printCpulist(nohzFull) || 'none'],
    ['clocksource', facts.clocksource],
    ['frequency', frequency.filter((part) => part !== '').join(', ') || null],
    ['idle states', idleStates.join(', ') || null],
    ['hypervisor', facts.hypervisor],
    ['NICs', nics.map(({ name, driver, firmware }) => sayNic(name, driver, firmware)).join('; ') || null],
  ];
}

function sayNic(name: string, driver: string | null, firmware: string | null): string {
  return [name, driver, firmware === null ? null : `firmware ${firmware}`].filter((part) => part !== null).join(' ');
}

function joined(parts: readonly (string | undefined)[]): string | null {
  return parts.filter((part) => part !== undefined && part !== '').join(' ') || null;
}
