import type { HostReader } from '../host/host.ts';
import { isSubset, parseCpulist, printCpulist } from '../topology/cpulist.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { IrqAffinityTunable, Reading } from './tunable.ts';

/**
 * The affinity of one interrupt. Written to /proc/irq/N/smp_affinity_list, judged by effective_affinity_list, the CPU
 * that really takes it. A managed interrupt refuses the write with EIO, since Linux 6.12 with EPERM.
 * https://docs.kernel.org/core-api/irq/irq-affinity.html
 */
export const irqAffinityKind: TunableKind<IrqAffinityTunable> = {
  persistent: false,
  async read(reader, tunable) {
    try {
      return await readAffinity(reader, tunable);
    } catch (error) {
      return unreadable(error, `/proc/irq/${tunable.irq}`);
    }
  },
  canonical: (_tunable, value) => printCpulist(parseCpulist(value)),
  asIf({ irq }, value) {
    const files = ['smp_affinity_list', 'effective_affinity_list'];
    return files.map((file) => ({ path: `/proc/irq/${irq}/${file}`, edit: (text) => `${value ?? text.trim()}\n` }));
  },
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      await host.writeText(`/proc/irq/${tunable.irq}/smp_affinity_list`, value ?? '');
    }
  },
};

async function readAffinity(reader: HostReader, { irq, action }: IrqAffinityTunable): Promise<Reading> {
  const folder = `/proc/irq/${irq}`;
  const affinityText = await reader.readText(`${folder}/smp_affinity_list`);
  if (affinityText === undefined) return { status: 'missing', evidence: `${folder}: there is no IRQ ${irq}` };
  const now = await reader.readText(`/sys/kernel/irq/${irq}/actions`);
  if (action !== undefined && now !== undefined && !now.trim().split(',').includes(action)) {
    return {
      status: 'missing',
      evidence: `IRQ ${irq} is "${now.trim()}" now, not "${action}": its driver was set up anew`,
    };
  }
  const effectiveText = await reader.readText(`${folder}/effective_affinity_list`);
  return judge(folder, affinityText.trim(), effectiveText?.trim() ?? '', await movesAtOnce(reader, irq));
}

/**
 * The affinity where the interrupt arrives inside it; else where it really arrives, so that a comparison fails.
 * Nothing effective: the interrupt is not started, and will start inside its affinity.
 */
function judge(folder: string, affinity: string, effective: string, isImmediate: boolean): Reading {
  const evidence = `${folder}: smp_affinity_list ${affinity}, effective ${effective === '' ? 'none' : effective}`;
  const asked = parseOrUndefined(affinity);
  const taken = parseOrUndefined(effective);
  if (asked === undefined || taken === undefined || asked.length === 0)
    return { status: 'unreadable', code: 'EINVAL', evidence };
  if (isSubset(taken, asked)) return { status: 'value', value: printCpulist(asked), evidence };
  if (isImmediate) return { status: 'value', value: printCpulist(taken), evidence };
  return { status: 'value', value: printCpulist(asked), evidence: `${evidence} until it fires once more` };
}

/**
 * Chips that move an interrupt while it is written: those behind interrupt remapping (IR-), and ARM's GIC and ITS.
 * The other x86 chips can only move it when it fires (the kernel keeps the new mask pending and shows it in
 * smp_affinity_list), so an idle interrupt keeps its old effective CPU for as long as it is idle: no failure.
 * https://docs.kernel.org/core-api/genericirq.html, kernel/irq/migration.c
 */
async function movesAtOnce(reader: HostReader, irq: number): Promise<boolean> {
  const chip = (await reader.readText(`/sys/kernel/irq/${irq}/chip_name`))?.trim() ?? '';
  return chip.startsWith('IR-') || chip.startsWith('ITS') || chip.startsWith('GIC');
}

function parseOrUndefined(text: string): readonly number[] | undefined {
  try {
    return parseCpulist(text);
  } catch {
    return undefined;
  }
}
