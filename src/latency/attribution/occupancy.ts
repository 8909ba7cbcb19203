import type { GapTicks, Occurrence, Piece } from './cause.ts';
import { type Step, stepOf, type Task, THROTTLED, threadOccurrence } from './kernel-events.ts';
import type { CpuTrace, TraceEvent } from './trace-text.ts';

/** The time before the first event that was kept, or around lost ones. */
export const NOT_RECORDED: Occurrence = { kind: 'not-recorded', name: 'not recorded' };

export interface Recorded {
  readonly trace: CpuTrace;
  /** Ticks per second. */
  readonly hz: number;
  /** Older events were overwritten: nothing is known of gaps before the first that is left. */
  readonly overrun: boolean;
}

interface Frame {
  readonly key: string;
  occurrence: Occurrence;
}

/**
 * Who had the CPU in each gap. At both ends of a gap the measuring thread ran its own code, so whatever the events said before
 * is over there; in between the last one that was entered and not left has it. NMI, interrupt, softirq and thread nest so.
 */
export function occupy({ trace, hz, overrun }: Recorded, gaps: GapTicks): readonly Piece[] {
  const occupancy = new Occupancy(hz, measuringThread(trace.events, gaps));
  const { events, lostBefore } = trace;
  const coveredFrom = overrun ? (events[0]?.at ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  let at = 0;
  for (let gap = 0; gap < gaps.starts.length; gap++) {
    const [start, end] = [gaps.starts[gap] as number, gaps.ends[gap] as number];
    for (; at < events.length && (events[at] as TraceEvent).at < start; at++) occupancy.learn(events[at] as TraceEvent);
    occupancy.begin(gap, start);
    if (coveredFrom > start) occupancy.skip(Math.min(coveredFrom, end));
    for (; at < events.length && (events[at] as TraceEvent).at <= end; at++)
      occupancy.take(events[at] as TraceEvent, lostBefore.has(at));
    // Events that were lost between the last of this gap and the next one may have been in it.
    if (at === events.length && lostBefore.has(at)) occupancy.skip(end);
    occupancy.finish(end);
  }
  return occupancy.pieces;
}

/** The thread that most gaps interrupted: its name and number stand beside the first event in each. */
export function measuringThread(events: readonly TraceEvent[], gaps: GapTicks): number | undefined {
  const counts = new Map<number, number>();
  let at = 0;
  for (let gap = 0; gap < gaps.starts.length; gap++) {
    while (at < events.length && (events[at] as TraceEvent).at < (gaps.starts[gap] as number)) at++;
    const first = events[at];
    if (first === undefined || first.at > (gaps.ends[gap] as number)) continue;
    counts.set(first.pid, (counts.get(first.pid) ?? 0) + 1);
  }
  return [...counts].sort(([, left], [, right]) => right - left)[0]?.[0];
}

class Occupancy {
  readonly pieces: Piece[] = [];
  readonly #hz: number;
  readonly #self: number | undefined;
  #gap = -1;
  /** Until here the gap is divided. */
  #from = 0;
  #running: number | undefined;
  /** The thread before it: what happens while the kernel switches (another page table) still has its name. */
  #leaving: number | undefined;
  #thread: Occurrence | undefined;
  /** The page fault in which the measuring thread sleeps: it waits for memory, or for a lock of its address space. */
  #waiting: Occurrence | undefined;
  /** While the measuring thread, a realtime one, is kept from running although nothing above it runs. */
  #throttling: Occurrence | undefined;
  /** Who runs then. */
  #letRun: string | undefined;
  #stack: Frame[] = [];
  /** Frames of threads that were switched out inside them: PREEMPT_RT runs softirqs in threads, a page fault may sleep. */
  readonly #kept = new Map<number, Frame[]>();
  /** Turns of threads that were preempted in them. */
  readonly #turns = new Map<number, Occurrence>();
  readonly #works = new Map<number, string>();
  readonly #names = new Map<number, string>();

  constructor(hz: number, self: number | undefined) {
    this.#hz = hz;
    this.#self = self;
  }

  /** Outside of gaps only names count. */
  learn(event: TraceEvent): void {
    const step = stepOf(event);
    if (step?.step === 'switch') this.#names.set(step.next.pid, step.next.comm);
    if (step?.step === 'work') this.#setWork(event.pid, step.work);
  }

  begin(gap: number, start: number): void {
    this.#gap = gap;
    this.#from = start;
    this.#stack = [];
    this.#kept.clear();
    this.#turns.clear();
    this.#running = this.#self;
    this.#leaving = undefined;
    this.#thread = undefined;
    this.#throttling = undefined;
    this.#waiting = undefined;
  }

  finish(end: number): void {
    this.#divide(end);
  }

  skip(until: number): void {
    this.#divide(until, NOT_RECORDED);
  }

  take(event: TraceEvent, afterLoss: boolean): void {
    if (event.pid === this.#running) this.#leaving = undefined;
    const strayed = this.#running !== undefined && event.pid !== this.#running && event.pid !== this.#leaving;
    if (afterLoss || strayed) {
      this.skip(event.at);
      this.#stack = [];
      this.#run({ pid: event.pid, comm: event.comm });
      this.#goOn(event.pid);
      // It ran, for how long nobody knows: the switch to it was lost, and this may be the one away from it.
      if (this.#thread !== undefined)
        this.pieces.push({ gap: this.#gap, start: event.at, end: event.at, occurrence: this.#thread });
    }
    const step = stepOf(event);
    if (step !== undefined) this.#make(step, event);
  }

  #make(step: Step, { at, pid, comm }: TraceEvent): void {
    if (step.step === 'ended') {
      this.#divide(Math.max(this.#from, at - (step.durationNs * this.#hz) / 1e9));
      this.#divide(at, step.occurrence);
      return;
    }
    if (step.step === 'purpose') {
      const top = this.#stack.at(-1);
      if (top?.occurrence.kind === 'ipi') top.occurrence = { ...step.occurrence };
      return;
    }
    if (step.step === 'fault' && pid !== this.#self) {
      if (this.#thread?.kind === 'thread') this.#thread.pageFaults = (this.#thread.pageFaults ?? 0) + 1;
      return;
    }
    if (step.step !== 'leave') this.#divide(at);
    if (step.step === 'enter') this.#stack.push({ key: step.key, occurrence: { ...step.occurrence } });
    if (step.step === 'fault') this.#stack.push({ key: 'fault', occurrence: { ...step.occurrence } });
    if (step.step === 'leave') this.#leave(step.key, at);
    if (step.step === 'switch') this.#switch(step);
    if (step.step === 'work') {
      this.#setWork(pid, step.work);
      this.#run({ pid, comm });
    }
  }

  /** Without its entry (that was before the gap's events began) it says nothing. */
  #leave(key: string, at: number): void {
    const entered = this.#stack.findLastIndex((frame) => frame.key === key);
    if (entered === -1) return;
    this.#divide(at);
    this.#stack.length = entered;
  }

  #switch({ previous, next, preempted, throttled }: Extract<Step, { step: 'switch' }>): void {
    if (throttled && previous.pid === this.#self) this.#throttling = { kind: 'throttling', name: THROTTLED };
    if (next.pid === this.#self) this.#throttling = undefined;
    if (this.#stack.length > 0) this.#kept.set(previous.pid, this.#stack);
    const isWaiting = this.#thread !== undefined && this.#thread === this.#waiting;
    if (preempted && this.#thread !== undefined && !isWaiting) this.#turns.set(previous.pid, this.#thread);
    if (next.pid === this.#self) this.#waiting = undefined;
    if (previous.pid === this.#self && !preempted) this.#waiting = this.#faultOnStack();
    this.#names.set(next.pid, next.comm);
    this.#stack = this.#kept.get(next.pid) ?? [];
    this.#kept.delete(next.pid);
    this.#run(next);
    this.#goOn(next.pid);
    this.#leaving = previous.pid;
  }

  /** One that was preempted before in this gap has the same turn. */
  #goOn(pid: number): void {
    this.#thread = this.#turns.get(pid) ?? this.#thread;
    this.#turns.delete(pid);
  }

  #run({ pid, comm }: Task): void {
    this.#running = pid;
    const name = comm === '<...>' ? (this.#names.get(pid) ?? `thread ${pid}`) : comm;
    this.#thread = pid === this.#self ? undefined : threadOccurrence({ pid, comm: name }, this.#works.get(pid));
    // An idle CPU meanwhile is the fault's doing; whoever else runs has a name.
    if (pid === 0 && this.#waiting !== undefined) this.#thread = this.#waiting;
    if (this.#thread === undefined || this.#throttling === undefined) return;
    this.#letRun = pid === 0 ? undefined : this.#thread.name;
    this.#thread = this.#throttling;
  }

  #faultOnStack(): Occurrence | undefined {
    return this.#stack.findLast(({ key }) => key === 'fault')?.occurrence;
  }

  #setWork(pid: number, work: string | undefined): void {
    if (work === undefined) this.#works.delete(pid);
    else this.#works.set(pid, work);
  }

  /** The time until `until` is whose the CPU is now; the measuring thread's own is nobody's. */
  #divide(until: number, occurrence: Occurrence | undefined = this.#stack.at(-1)?.occurrence ?? this.#thread): void {
    if (until <= this.#from) return;
    if (occurrence !== undefined) this.pieces.push({ gap: this.#gap, start: this.#from, end: until, occurrence });
    if (occurrence !== undefined && occurrence === this.#throttling && this.#letRun !== undefined) {
      occurrence.letRun ??= new Map();
      addTicks(occurrence.letRun, this.#letRun, until - this.#from);
    }
    this.#from = until;
  }
}

/** To what is known of that name. */
export function addTicks(sums: Map<string, number>, name: string, ticks: number): void {
  sums.set(name, (sums.get(name) ?? 0) + ticks);
}
