import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GapTicks } from '../../src/latency/attribution/cause.ts';
import { explain } from '../../src/latency/attribution/explain.ts';
import { occupyByNoise } from '../../src/latency/attribution/noise.ts';
import { occupy } from '../../src/latency/attribution/occupancy.ts';
import { parseTrace } from '../../src/latency/attribution/trace-text.ts';

/**
 * A made-up kernel: random interruptions of one CPU, nested as the kernel nests them, that know who had the CPU in each tick. It
 * writes what ftrace and osnoise would, and what reads that must come to the same sums.
 */
const SELF = { pid: 5, comm: 'hft-probe' };
const EPOCH = 10n ** 17n;

type Kind = 'irq' | 'timer' | 'softirq' | 'thread';
interface Span {
  readonly kind: Kind;
  readonly id: number;
  /** What it takes itself, before, between and after what is in it. */
  readonly ticks: readonly number[];
  readonly inner: readonly Span[];
}

/** Only what is above may interrupt: thread, softirq, interrupt. */
const RANK: Readonly<Record<Kind, number>> = { thread: 0, softirq: 1, irq: 2, timer: 2 };

function spans(above: number, depth: number): fc.Arbitrary<readonly Span[]> {
  const kinds = (Object.keys(RANK) as Kind[]).filter((kind) => RANK[kind] > above);
  if (kinds.length === 0 || depth === 0) return fc.constant([]);
  const one = fc
    .tuple(
      fc.constantFrom(...kinds),
      fc.integer({ min: 0, max: 3 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 5, maxLength: 5 }),
    )
    .chain(([kind, id, ticks]) => spans(RANK[kind], depth - 1).map((inner): Span => ({ kind, id, ticks, inner })));
  return fc.array(one, { maxLength: 4 });
}

const gaps = fc.array(fc.record({ before: fc.integer({ min: 1, max: 500 }), spans: spans(-1, 3) }), { maxLength: 12 });

class Kernel {
  now = 1000;
  readonly trace: string[] = [];
  readonly noise: string[] = [];
  readonly net = new Map<string, number>();
  #task = SELF;

  run(span: Span): number {
    const begun = this.now;
    const from = this.#task;
    this.#say(this.trace, this.#entry(span));
    if (span.kind === 'thread') this.#task = { pid: 100 + span.id, comm: nameOf(span) };
    let own = 0;
    for (const [at, inner] of span.inner.entries()) {
      own += this.#pass(span.ticks[at] as number);
      this.run(inner);
    }
    own += this.#pass(span.ticks[span.inner.length] as number);
    this.net.set(nameOf(span), (this.net.get(nameOf(span)) ?? 0) + own);
    this.#say(this.noise, this.#sayNoise(span, own));
    this.#say(this.trace, this.#exit(span, from));
    this.#task = from;
    return this.now - begun;
  }

  #pass(ticks: number): number {
    this.now += ticks;
    return ticks;
  }

  #say(to: string[], event: string): void {
    to.push(` ${this.#task.comm}-${this.#task.pid}  [003] d.h2. ${EPOCH + BigInt(this.now)}: ${event}\n`);
  }

  #entry(span: Span): string {
    if (span.kind === 'timer') return 'local_timer_entry: vector=236';
    if (span.kind === 'irq') return `irq_handler_entry: irq=${30 + span.id} name=${nameOf(span)}`;
    if (span.kind === 'softirq') return `softirq_entry: vec=${span.id} [action=${nameOf(span)}]`;
    return switchEvent(this.#task, { pid: 100 + span.id, comm: nameOf(span) });
  }

  #exit(span: Span, from: { pid: number; comm: string }): string {
    if (span.kind === 'timer') return 'local_timer_exit: vector=236';
    if (span.kind === 'irq') return `irq_handler_exit: irq=${30 + span.id} ret=handled`;
    if (span.kind === 'softirq') return `softirq_exit: vec=${span.id} [action=${nameOf(span)}]`;
    return switchEvent(this.#task, from);
  }

  #sayNoise(span: Span, own: number): string {
    const took = `start 1.000000001 duration ${own} ns`;
    if (span.kind === 'timer') return `irq_noise: local_timer:236 ${took}`;
    if (span.kind === 'irq') return `irq_noise: ${nameOf(span)}:${30 + span.id} ${took}`;
    if (span.kind === 'softirq') return `softirq_noise:   ${nameOf(span)}:${span.id} ${took}`;
    return `thread_noise: ${nameOf(span)}:${100 + span.id} ${took}`;
  }
}

function nameOf({ kind, id }: Span): string {
  if (kind === 'timer') return 'timer tick';
  return { irq: `eth0-${id}`, softirq: `SOFT${id}`, thread: `worker ${id}` }[kind];
}

function switchEvent(previous: typeof SELF, next: typeof SELF): string {
  return `sched_switch: prev_comm=${previous.comm} prev_pid=${previous.pid} prev_prio=120 prev_state=R ==> next_comm=${next.comm} next_pid=${next.pid} next_prio=120`;
}

/** Runs the made-up kernel. A gap begins a little before and ends a little after what happens in it. */
function simulate(plan: readonly { readonly before: number; readonly spans: readonly Span[] }[]) {
  const kernel = new Kernel();
  const pairs: [number, number][] = [];
  for (const { before, spans: happening } of plan) {
    kernel.now += before;
    const start = kernel.now;
    for (const span of happening) {
      kernel.now += 3;
      kernel.run(span);
    }
    kernel.now += 4;
    pairs.push([start, kernel.now]);
  }
  const listed: GapTicks = {
    starts: Float64Array.from(pairs, ([start]) => start),
    ends: Float64Array.from(pairs, ([, end]) => end),
  };
  return { kernel, gaps: listed };
}

/** Nobody can tell the measuring thread from another where no gap begins with an interrupt of it; that is not what is tested. */
const MARK = { before: 10, spans: [{ kind: 'timer' as const, id: 0, ticks: [1, 1, 1, 1, 1], inner: [] }] };

describe.each([
  ['ftrace', occupy, 'trace'],
  ['osnoise', occupyByNoise, 'noise'],
] as const)('%s', (_, join, written) => {
  test('the net times of all causes are those of the kernel, and no more than the gaps', () => {
    fc.assert(
      fc.property(gaps, (plan) => {
        const { kernel, gaps: listed } = simulate([...Array(plan.length + 1).fill(MARK), ...plan]);
        const trace = parseTrace(kernel[written].join(''), 3, EPOCH);
        const pieces = join({ trace, hz: 1e9, overrun: false }, listed);
        const { causes, ...sums } = explain({ cpu: 3, gaps: listed, pieces, hz: 1e9 }, []);
        const found = causes
          .filter(({ explained }) => explained)
          .map((each) => [each.cause.replace(/^(interrupt|softirq) /, ''), Math.round(each.totalNs)]);
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(kernel.net));
        expect(sums.explainedNs).toBeLessThanOrEqual(sums.gapsNs);
        expect(sums.explainedNs + sums.outsideKernelNs + sums.besideCausesNs + sums.notRecordedNs).toBeCloseTo(
          sums.gapsNs,
          3,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('whatever is torn out of a trace, times stay within the gaps and never overlap', () => {
    fc.assert(
      fc.property(gaps, fc.array(fc.nat(), { maxLength: 20 }), fc.boolean(), (plan, torn, overrun) => {
        const { kernel, gaps: listed } = simulate(plan);
        const lines = [...kernel[written]];
        for (const [nth, at] of torn.entries())
          if (lines.length > 0)
            lines.splice(at % lines.length, 1, ...(nth % 2 === 0 ? [] : ['CPU:3 [LOST 3 EVENTS]\n']));
        const pieces = join({ trace: parseTrace(lines.join(''), 3, EPOCH), hz: 1e9, overrun }, listed);
        const inOrder = [...pieces].sort((left, right) => left.start - right.start);
        for (const [at, { gap, start, end }] of inOrder.entries()) {
          expect(start).toBeGreaterThanOrEqual(listed.starts[gap] as number);
          expect(end).toBeLessThanOrEqual(listed.ends[gap] as number);
          // Of a thread whose switch is torn out it is known that it ran, and no more.
          expect(end).toBeGreaterThanOrEqual(start);
          expect(start).toBeGreaterThanOrEqual(inOrder[at - 1]?.end ?? 0);
        }
      }),
      { numRuns: 300 },
    );
  });
});
