import type { HostReader } from '../host/host.ts';
import { parseCpulist } from '../topology/cpulist.ts';
import { type DeviceRow, type InterruptCounts, parseInterruptTable } from './interrupt-text.ts';
import type { LookMemory } from './look-memory.ts';
import { readOrNothing } from './read-or-nothing.ts';

/** One interrupt of a device at one moment. */
export interface IrqLook extends DeviceRow {
  /** Where the kernel delivers it; undefined: it could not be read. */
  readonly effective: readonly number[] | undefined;
}

export interface InterruptsLook {
  readonly cpus: ReadonlyMap<number, InterruptCounts>;
  /** Those of devices; empty where no CPU is watched. */
  readonly devices: readonly IrqLook[];
}

/** So old an affinity is read again: what is moved is seen by the next look a second later. */
const KNOWN_FOR_MS = 900;

/** What interrupts each CPU, and where devices' interrupts go, as far as watched CPUs can be meant. */
export async function lookAtInterrupts(
  reader: HostReader,
  watched: readonly number[],
  { atMs, memory }: { readonly atMs: number; readonly memory: LookMemory },
): Promise<InterruptsLook> {
  const { cpus, devices } = parseInterruptTable((await readOrNothing(reader, '/proc/interrupts')) ?? '', watched);
  if (watched.length === 0) return { cpus, devices: [] };
  const looks: IrqLook[] = [];
  for (const device of devices) {
    const known = memory.irqs.get(device.irq);
    const isFresh =
      known !== undefined && atMs - known.atMs < KNOWN_FOR_MS && hasSameCounts(known.counts, device.counts);
    const effective = isFresh ? known.effective : await readEffective(reader, device.irq);
    if (!isFresh) memory.irqs.set(device.irq, { atMs, effective, counts: device.counts });
    looks.push({ ...device, effective });
  }
  return { cpus, devices: looks };
}

function hasSameCounts(left: ReadonlyMap<number, number>, right: ReadonlyMap<number, number>): boolean {
  return [...right].every(([cpu, count]) => left.get(cpu) === count);
}

/** Kernels without CONFIG_GENERIC_IRQ_EFFECTIVE_AFF_MASK tell only what was asked for. */
async function readEffective(reader: HostReader, irq: number): Promise<readonly number[] | undefined> {
  const effective = await readOrNothing(reader, `/proc/irq/${irq}/effective_affinity_list`);
  const text = effective ?? (await readOrNothing(reader, `/proc/irq/${irq}/smp_affinity_list`));
  return text === undefined ? undefined : parseCpulist(text.trim());
}
