import type { HostReader } from '../../host/host.ts';
import { nameTarget } from '../../topology/irq-names.ts';
import { readValue } from '../../topology/kernel-file.ts';
import type { Irq } from '../../topology/machine.ts';
import type { Candidate, CauseKind } from './cause.ts';
import { describeCause } from './explain.ts';
import { remedyFor, remedyForIrq } from './remedy.ts';

/** What the kernel counted on each CPU since it booted; read before and after a run. */
export interface Counters {
  /** By row of /proc/interrupts: a number for a device's, letters for a CPU's own. Then by CPU. */
  readonly interrupts: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly softirqs: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** /proc/stat, in hundredths of a second. */
  readonly stealTicks: ReadonlyMap<number, number>;
  /** How often a thread was given the CPU (/proc/schedstat). */
  readonly timeslices: ReadonlyMap<number, number>;
  /** System management interrupts (MSR 0x34 of Intel), where rdmsr(1) may read them. */
  readonly smis: ReadonlyMap<number, number>;
}

/** USER_HZ is 100 on every architecture that hft runs on. https://docs.kernel.org/filesystems/proc.html */
const NS_PER_STAT_TICK = 10_000_000;

export async function readCounters(host: HostReader, cpus: readonly number[]): Promise<Counters> {
  const text = async (path: string) => (await readValue(host, path)) ?? '';
  return {
    interrupts: parseCounterTable(await text('/proc/interrupts')),
    softirqs: parseCounterTable(await text('/proc/softirqs')),
    stealTicks: parsePerCpu(await text('/proc/stat'), 8),
    timeslices: parsePerCpu(await text('/proc/schedstat'), 9),
    smis: await readSmiCounts(host, cpus),
  };
}

/** A header that names the CPUs which are online, then `NAME: count count ...` and what else the row says. */
export function parseCounterTable(text: string): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const [header = '', ...lines] = text.split('\n');
  const cpus = [...header.matchAll(/CPU(\d+)/g)].map((match) => Number(match[1]));
  const rows = new Map<string, ReadonlyMap<number, number>>();
  for (const line of lines) {
    const [, name, rest = ''] = /^\s*(\S+):\s*(.*)$/.exec(line) ?? [];
    const words = rest.split(/\s+/).slice(0, cpus.length);
    const isRow = name !== undefined && words.length === cpus.length && words.every((word) => /^\d+$/.test(word));
    // ERR and MIS have one number for the whole machine.
    if (isRow) rows.set(name, new Map(cpus.map((cpu, at) => [cpu, Number(words[at])])));
  }
  return rows;
}

/** The n-th word of the lines `cpu3 ...`, the name being the 0th. */
function parsePerCpu(text: string, word: number): ReadonlyMap<number, number> {
  const found = [...text.matchAll(/^cpu(\d+) (.*)$/gm)].map(([, cpu, rest]): [number, number] => {
    return [Number(cpu), Number((rest as string).trim().split(/\s+/)[word - 1])];
  });
  return new Map(found.filter(([, count]) => Number.isFinite(count)));
}

/** Empty where msr-tools, the msr module or the register are not there. Each read interrupts the CPU, before and after a run. */
async function readSmiCounts(host: HostReader, cpus: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  for (const cpu of cpus) {
    const answer = await host.query(['rdmsr', '-p', `${cpu}`, '-d', '0x34']);
    if (!answer.found || answer.exitCode !== 0 || !/^\d+$/.test(answer.stdout.trim())) return counts;
    counts.set(cpu, Number(answer.stdout.trim()));
  }
  return counts;
}

/** Rows of the CPUs themselves. https://docs.kernel.org/filesystems/proc.html (interrupts) */
const OWN_ROWS: Readonly<Record<string, { readonly kind: CauseKind; readonly name: string }>> = {
  LOC: { kind: 'timer', name: 'local_timer' },
  RES: { kind: 'ipi', name: 'reschedule' },
  CAL: { kind: 'ipi', name: 'call_function' },
  IWI: { kind: 'ipi', name: 'irq_work' },
  TLB: { kind: 'tlb-shootdown', name: 'TLB shootdown' },
  NMI: { kind: 'nmi', name: 'NMI' },
  MCP: { kind: 'machine-check', name: 'poll for corrected errors' },
  THR: { kind: 'machine-check', name: 'threshold interrupt' },
  DFR: { kind: 'machine-check', name: 'deferred error' },
  TRM: { kind: 'thermal', name: 'thermal interrupt' },
};

export interface Counted {
  readonly before: Counters;
  readonly after: Counters;
  readonly irqs: readonly Irq[];
}

/** What may have taken the CPU, most frequent first: it was counted in the run, nobody saw when. */
export function candidatesOf(cpu: number, { before, after, irqs }: Counted): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const [row, count] of deltas(before.interrupts, after.interrupts, cpu)) {
    const evidence = `/proc/interrupts ${row} +${count}`;
    const own = OWN_ROWS[row];
    if (own !== undefined) found.push({ ...candidate(own.kind, own.name, cpu), count, evidence });
    else if (/^\d+$/.test(row)) found.push({ ...irqCandidate(Number(row), cpu, irqs), count, evidence });
  }
  for (const [row, count] of deltas(before.softirqs, after.softirqs, cpu))
    found.push({ ...candidate('softirq', row, cpu), count, evidence: `/proc/softirqs ${row} +${count}` });
  const slices = delta(before.timeslices, after.timeslices, cpu);
  if (slices > 0) {
    const evidence = `/proc/schedstat +${slices} timeslices`;
    found.push({ ...candidate('thread', 'other threads', cpu), count: slices, evidence });
  }
  return found.sort((left, right) => (right.count ?? 0) - (left.count ?? 0));
}

/** What is below the kernel, as far as it is counted: the events of the kernel cannot show it. */
export function candidatesBelow(cpu: number, { before, after }: Counted): readonly Candidate[] {
  const found: Candidate[] = [];
  const stolen = delta(before.stealTicks, after.stealTicks, cpu);
  if (stolen > 0) {
    const evidence = `/proc/stat steal +${stolen * 10} ms`;
    const totalNs = stolen * NS_PER_STAT_TICK;
    found.push({ ...candidate('hypervisor-steal', 'time stolen by the hypervisor', cpu), totalNs, evidence });
  }
  const smis = delta(before.smis, after.smis, cpu);
  if (smis > 0)
    found.push({
      ...candidate('smi', 'system management interrupts', cpu),
      count: smis,
      evidence: `MSR 0x34 +${smis}`,
    });
  return found;
}

/** What ran on the other hardware threads of the core, which share its units. */
export function candidatesBeside(cpu: number, siblings: readonly number[], counted: Counted): readonly Candidate[] {
  return siblings
    .filter((sibling) => sibling !== cpu)
    .flatMap((sibling) => {
      const slices = delta(counted.before.timeslices, counted.after.timeslices, sibling);
      if (slices === 0) return [];
      const fix = `cpu.online@cpu${sibling}`;
      const evidence = `/proc/schedstat cpu${sibling} +${slices} timeslices`;
      return [
        { cause: `CPU ${sibling}, of the same core`, kind: 'smt-sibling' as const, cpu, count: slices, evidence, fix },
      ];
    });
}

function candidate(kind: CauseKind, name: string, cpu: number): Omit<Candidate, 'evidence'> {
  return { cause: describeCause(kind, name), kind, cpu, ...remedyFor(kind, name) };
}

function irqCandidate(number: number, cpu: number, irqs: readonly Irq[]): Omit<Candidate, 'evidence'> {
  const irq = irqs.find((each) => each.irq === number);
  const name = irq === undefined ? `${number}` : nameTarget(irq);
  return { cause: describeCause('irq', name), kind: 'irq', cpu, ...remedyForIrq(irq) };
}

function deltas(
  before: ReadonlyMap<string, ReadonlyMap<number, number>>,
  after: ReadonlyMap<string, ReadonlyMap<number, number>>,
  cpu: number,
): [string, number][] {
  return [...after]
    .map(([row, counts]): [string, number] => [row, delta(before.get(row) ?? new Map(), counts, cpu)])
    .filter(([, count]) => count > 0);
}

/** 0 where either was not read: a counter that went back (a CPU was off) counts nothing. */
function delta(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>, cpu: number): number {
  const [from, to] = [before.get(cpu), after.get(cpu)];
  return to === undefined ? 0 : Math.max(0, to - (from ?? 0));
}
