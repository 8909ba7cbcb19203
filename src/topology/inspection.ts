import type { HostReader } from '../host/host.ts';
import { parseCpuinfo } from './cpuinfo.ts';
import { type Frequency, readFrequency } from './frequency.ts';
import { type Idle, readIdle } from './idle.ts';
import { readNames, readValue } from './kernel-file.ts';
import type { Machine } from './machine.ts';
import { type NicDetails, readNicDetails } from './nic-details.ts';
import { CPU_ROOT } from './present-cpus.ts';

/** What people look at and no plan needs: read by `hft inspect` and `hft snapshot` only, for it asks ethtool. */
export interface Inspection {
  /** DMI: who made the machine, without serial numbers. */
  readonly firmware: {
    readonly vendor: string | undefined;
    readonly product: string | undefined;
    readonly biosVendor: string | undefined;
    readonly biosVersion: string | undefined;
    readonly biosDate: string | undefined;
  };
  readonly processor: { readonly model: string | undefined; readonly microcode: string | undefined };
  /** IOMMU units (`dmar0`) and how many groups of devices they keep apart; no unit: switched off or not there. */
  readonly iommu: { readonly units: readonly string[]; readonly groups: number };
  readonly frequency: Frequency;
  readonly idle: Idle;
  readonly clocksources: readonly string[];
  /** By name: `Mitigation: ...`, `Vulnerable`, `Not affected`. */
  readonly vulnerabilities: Readonly<Record<string, string>>;
  readonly nics: readonly NicDetails[];
}

const DMI = '/sys/class/dmi/id';
const CLOCKSOURCES = '/sys/devices/system/clocksource/clocksource0/available_clocksource';

export async function readInspection(reader: HostReader, machine: Machine): Promise<Inspection> {
  const online = machine.topology.cpus.filter((cpu) => cpu.online).map(({ cpu }) => cpu);
  const physical = machine.nics.filter((nic) => nic.physical);
  return {
    firmware: await readFirmware(reader),
    processor: await readProcessor(reader),
    iommu: {
      units: await readNames(reader, '/sys/class/iommu'),
      groups: (await readNames(reader, '/sys/kernel/iommu_groups')).length,
    },
    frequency: await readFrequency(reader),
    idle: await readIdle(reader, online),
    clocksources: ((await readValue(reader, CLOCKSOURCES)) ?? '').split(/\s+/).filter((name) => name !== ''),
    vulnerabilities: await readVulnerabilities(reader),
    nics: await Promise.all(physical.map((nic) => readNicDetails(reader, nic.name))),
  };
}

export async function readFirmware(reader: HostReader): Promise<Inspection['firmware']> {
  return {
    vendor: await readValue(reader, `${DMI}/sys_vendor`),
    product: await readValue(reader, `${DMI}/product_name`),
    biosVendor: await readValue(reader, `${DMI}/bios_vendor`),
    biosVersion: await readValue(reader, `${DMI}/bios_version`),
    biosDate: await readValue(reader, `${DMI}/bios_date`),
  };
}

export async function readProcessor(reader: HostReader): Promise<Inspection['processor']> {
  return nameProcessor((await readValue(reader, '/proc/cpuinfo')) ?? '');
}

/** Of the first CPU; ARM and POWER name it under keys of their own, or not at all. */
export function nameProcessor(cpuinfo: string): Inspection['processor'] {
  const fields = parseCpuinfo(cpuinfo)[0]?.fields;
  return { model: fields?.get('model name') ?? fields?.get('cpu'), microcode: fields?.get('microcode') };
}

/** https://docs.kernel.org/admin-guide/hw-vuln/index.html */
async function readVulnerabilities(reader: HostReader): Promise<Readonly<Record<string, string>>> {
  const folder = `${CPU_ROOT}/vulnerabilities`;
  const found: Record<string, string> = {};
  for (const name of await readNames(reader, folder)) {
    const state = await readValue(reader, `${folder}/${name}`);
    if (state !== undefined) found[name] = state;
  }
  return found;
}
