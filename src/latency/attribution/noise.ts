import type { GapTicks, Occurrence, Piece } from './cause.ts';
import { threadOccurrence, vectorOccurrence } from './kernel-events.ts';
import { measuringThread, NOT_RECORDED, type Recorded } from './occupancy.ts';
import type { TraceEvent } from './trace-text.ts';

/** What osnoise says at the end of each: its net duration, what interrupted it taken off. */
interface Noise {
  readonly occurrence: Occurrence;
  readonly durationNs: number;
  readonly pid?: number;
}

const NAMED = /^\s*(?<name>.+?):(?<number>\d+) start \d+\.\d+ duration (?<ns>\d+) ns/;
const NMI = /^\s*start \d+\.\d+ duration (?<ns>\d+) ns/;

/** `irq_noise: local_timer:236 start 18.500 duration 3500 ns`. https://docs.kernel.org/trace/osnoise-tracer.html */
export function readNoise({ name, fields }: TraceEvent): Noise | undefined {
  if (name === 'nmi_noise') {
    const ns = NMI.exec(fields)?.groups?.ns;
    return ns === undefined ? undefined : { occurrence: { kind: 'nmi', name: 'NMI' }, durationNs: Number(ns) };
  }
  const found = NAMED.exec(fields)?.groups;
  if (found === undefined) return undefined;
  const [called, number, durationNs] = [found.name as string, Number(found.number), Number(found.ns)];
  if (name === 'softirq_noise') return { occurrence: { kind: 'softirq', name: called }, durationNs };
  if (name === 'thread_noise')
    return { occurrence: threadOccurrence({ pid: number, comm: called }), durationNs, pid: number };
  if (name !== 'irq_noise') return undefined;
  return { occurrence: vectorOccurrence(called) ?? { kind: 'irq', name: called, irq: number }, durationNs };
}

/**
 * Who had the CPU in each gap by osnoise's events. Each says when it ended and what it took net, so its time is laid backwards
 * from its end over what is still free of the gap: sums are the kernel's own, the place within a gap is near the truth.
 */
export function occupyByNoise({ trace, hz, overrun }: Recorded, gaps: GapTicks): readonly Piece[] {
  const { events } = trace;
  const self = measuringThread(events, gaps);
  const pieces: Piece[] = [];
  const coveredFrom = overrun ? (events[0]?.at ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  let at = 0;
  for (let gap = 0; gap < gaps.starts.length; gap++) {
    const [start, end] = [gaps.starts[gap] as number, gaps.ends[gap] as number];
    while (at < events.length && (events[at] as TraceEvent).at < start) at++;
    const free = new FreeTime(start, end);
    const lay = (from: number, ticks: number, occurrence: Occurrence) => {
      for (const part of free.takeBefore(from, ticks)) pieces.push({ gap, ...part, occurrence });
    };
    if (coveredFrom > start) lay(Math.min(coveredFrom, end), Number.POSITIVE_INFINITY, NOT_RECORDED);
    let lost = false;
    for (; at < events.length && (events[at] as TraceEvent).at <= end; at++) {
      const event = events[at] as TraceEvent;
      lost ||= trace.lostBefore.has(at);
      const noise = readNoise(event);
      if (noise === undefined || (noise.pid !== undefined && noise.pid === self)) continue;
      lay(event.at, (noise.durationNs * hz) / 1e9, noise.occurrence);
    }
    // Lost events may be what filled the rest.
    if (lost) lay(end, Number.POSITIVE_INFINITY, NOT_RECORDED);
  }
  return pieces;
}

interface Part {
  readonly start: number;
  readonly end: number;
}

/** The parts of a gap that are nobody's yet, in order. */
class FreeTime {
  #parts: Part[];

  constructor(start: number, end: number) {
    this.#parts = [{ start, end }];
  }

  /** Up to that many ticks of the free time before `from`, the latest first. */
  takeBefore(from: number, ticks: number): Part[] {
    const taken: Part[] = [];
    let wanted = ticks;
    for (let at = this.#parts.length - 1; at >= 0 && wanted > 0; at--) {
      const part = this.#parts[at] as Part;
      if (part.start >= from) continue;
      const end = Math.min(part.end, from);
      const start = Math.max(part.start, end - wanted);
      wanted -= end - start;
      taken.push({ start, end });
      const left = [
        { start: part.start, end: start },
        { start: end, end: part.end },
      ].filter((rest) => rest.end > rest.start);
      this.#parts.splice(at, 1, ...left);
    }
    return taken;
  }
}
