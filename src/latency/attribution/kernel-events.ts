import type { CauseKind, Occurrence } from './cause.ts';
import { SHOOTDOWN_EVENT } from './shootdown-event.ts';
import type { TraceEvent } from './trace-text.ts';

/** What an event says of who has the CPU from now on. */
export type Step =
  | { readonly step: 'enter'; readonly key: string; readonly occurrence: Occurrence }
  | { readonly step: 'leave'; readonly key: string }
  | {
      readonly step: 'switch';
      readonly next: Task;
      readonly previous: Task;
      readonly preempted: boolean;
      readonly throttled: boolean;
    }
  | { readonly step: 'work'; readonly work: string | undefined }
  /** Of the thread that runs; lasts until it is back in its own code. */
  | { readonly step: 'fault'; readonly occurrence: Occurrence }
  /** What the interrupt between CPUs is for that is handled now. */
  | { readonly step: 'purpose'; readonly occurrence: Occurrence }
  /** Said at its end. */
  | { readonly step: 'ended'; readonly occurrence: Occurrence; readonly durationNs: number };

export interface Task {
  readonly pid: number;
  readonly comm: string;
}

/** Interrupts of the CPU itself, by the names of their events (arch/x86/include/asm/trace/irq_vectors.h). */
const VECTORS: Readonly<Record<string, CauseKind>> = {
  local_timer: 'timer',
  reschedule: 'ipi',
  call_function: 'ipi',
  call_function_single: 'ipi',
  irq_work: 'ipi',
  x86_platform_ipi: 'ipi',
  reboot: 'ipi',
  thermal_apic: 'thermal',
  threshold_apic: 'machine-check',
  deferred_error_apic: 'machine-check',
  error_apic: 'irq',
  spurious_apic: 'irq',
};

export function vectorOccurrence(name: string): Occurrence | undefined {
  const kind = VECTORS[name];
  return kind === undefined ? undefined : { kind, name };
}

const SWITCH =
  /^prev_comm=(?<comm>.*) prev_pid=(?<pid>\d+) prev_prio=(?<prio>-?\d+) prev_state=(?<state>\S+) ==> next_comm=(?<nextComm>.*) next_pid=(?<nextPid>\d+) next_prio=(?<nextPrio>-?\d+)/;
/** Of the kernel's own scale, on which less is more: realtime threads have 0 to 98, all others and the idle one 100 to 139. */
const FIRST_FAIR_PRIO = 100;

const SHOOTDOWN: Occurrence = { kind: 'tlb-shootdown', name: 'TLB shootdown' };

type Reading = (event: TraceEvent) => Step | undefined;

/** Every event that tells who has the CPU. https://docs.kernel.org/trace/events.html */
const READINGS: Readonly<Record<string, Reading>> = {
  sched_switch: ({ fields }) => {
    const found = SWITCH.exec(fields)?.groups;
    if (found === undefined) return undefined;
    const previous = { pid: Number(found.pid), comm: found.comm as string };
    const next = { pid: Number(found.nextPid), comm: found.nextComm as string };
    // R or R+: it would have gone on, so that when it does it is the same turn.
    const preempted = found.state?.startsWith('R') ?? false;
    // Nothing else gives the CPU of a realtime thread that would go on to one that is none, or leaves it idle.
    const throttled = preempted && Number(found.prio) < FIRST_FAIR_PRIO && Number(found.nextPrio) >= FIRST_FAIR_PRIO;
    return { step: 'switch', previous, next, preempted, throttled };
  },
  irq_handler_entry: ({ fields }) => {
    const found = /^irq=(?<irq>\d+) name=(?<name>.*)$/.exec(fields)?.groups;
    if (found === undefined) return undefined;
    const irq = Number(found.irq);
    return { step: 'enter', key: `irq ${irq}`, occurrence: { kind: 'irq', name: found.name as string, irq } };
  },
  irq_handler_exit: ({ fields }) => leave('irq', /^irq=(\d+)/, fields),
  softirq_entry: ({ fields }) => {
    const found = /^vec=(?<vec>\d+) \[action=(?<name>\w+)\]/.exec(fields)?.groups;
    if (found === undefined) return undefined;
    const occurrence: Occurrence = { kind: 'softirq', name: found.name as string };
    return { step: 'enter', key: `softirq ${found.vec}`, occurrence };
  },
  softirq_exit: ({ fields }) => leave('softirq', /^vec=(\d+)/, fields),
  workqueue_execute_start: ({ fields }) => {
    const name = /function (?<name>\S+)/.exec(fields)?.groups?.name;
    return name === undefined ? undefined : { step: 'work', work: name };
  },
  workqueue_execute_end: () => ({ step: 'work', work: undefined }),
  page_fault_user: () => ({ step: 'fault', occurrence: { kind: 'page-fault', name: 'page fault' } }),
  page_fault_kernel: () => ({ step: 'fault', occurrence: { kind: 'page-fault', name: 'page fault in a system call' } }),
  tlb_flush: ({ fields }) =>
    fields.includes('remote shootdown') ? { step: 'purpose', occurrence: SHOOTDOWN } : undefined,
  [SHOOTDOWN_EVENT]: () => ({ step: 'purpose', occurrence: SHOOTDOWN }),
  // Since Linux 6.4. It knows a shootdown too of which nothing is left to do, where tlb_flush is silent.
  csd_function_entry: ({ fields }) => {
    const name = /^func=(?<name>[\w.]+)/.exec(fields)?.groups?.name;
    if (name === undefined) return undefined;
    const occurrence: Occurrence = name === 'flush_tlb_func' ? SHOOTDOWN : { kind: 'ipi', name };
    return { step: 'purpose', occurrence };
  },
  nmi_handler: ({ fields }) => {
    const found = /^(?<name>\w+).*delta_ns: (?<ns>\d+)/.exec(fields)?.groups;
    if (found === undefined) return undefined;
    return { step: 'ended', occurrence: { kind: 'nmi', name: found.name as string }, durationNs: Number(found.ns) };
  },
  // Interrupts between CPUs where the architecture has no events of its own (arm64).
  ipi_entry: ({ fields }) => ({
    step: 'enter',
    key: 'ipi',
    occurrence: { kind: 'ipi', name: withoutBrackets(fields) },
  }),
  ipi_exit: () => ({ step: 'leave', key: 'ipi' }),
};

function leave(kind: string, pattern: RegExp, fields: string): Step | undefined {
  const number = pattern.exec(fields)?.[1];
  return number === undefined ? undefined : { step: 'leave', key: `${kind} ${number}` };
}

function withoutBrackets(fields: string): string {
  return fields.trim().replace(/^\((.*)\)$/, '$1');
}

/** undefined for events that say nothing of who has the CPU. */
export function stepOf(event: TraceEvent): Step | undefined {
  const reading = READINGS[event.name];
  if (reading !== undefined) return reading(event);
  const vector = /^(?<name>\w+)_(?<end>entry|exit)$/.exec(event.name)?.groups;
  const occurrence = vectorOccurrence(vector?.name ?? '');
  if (vector === undefined || occurrence === undefined) return undefined;
  const key = `vector ${vector.name}`;
  return vector.end === 'entry' ? { step: 'enter', key, occurrence } : { step: 'leave', key };
}

/** The kernel took the CPU from a realtime thread for the sake of others. */
export const THROTTLED = 'realtime throttling';

/** `kworker/1:3` and `kworker/1:0` are the same pool; what they do is their work. */
export function threadOccurrence({ pid, comm }: Task, work?: string): Occurrence {
  if (pid === 0) return { kind: 'throttling', name: 'idle' };
  const pool = comm.replace(/^(kworker\/u?\d+):\S+$/, '$1');
  return { kind: 'thread', name: work === undefined ? pool : `${pool} ${work}` };
}
