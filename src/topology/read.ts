import type { HostReader } from '../host/host.ts';
import { readValue } from './kernel-file.ts';
import { readKernel } from './kernel.ts';
import type { Machine } from './machine.ts';
import { readTopology } from './topology.ts';

/**
 * Reads a machine once, from /proc and /sys alone where they suffice. What a machine lacks, or does not let us read, is
 * undefined or empty. Throws UsageError when there are no CPUs or a CPU set is unreadable: then it is no machine.
 */
export async function readMachine(reader: HostReader): Promise<Machine> {
  const cpuinfo = (await readValue(reader, '/proc/cpuinfo')) ?? '';
  const topology = await readTopology(reader, cpuinfo);
  const kernel = await readKernel(reader, cpuinfo);
  const host = (await readValue(reader, '/proc/sys/kernel/hostname')) ?? reader.label;
  return { host, kernel, topology, irqs: [], nics: [], services: [] };
}
