import type { ChosenClock } from '../probe/clock.ts';

/**
 * The clock of a trace whose events stand on one time line with the gaps. x86-tsc prints ticks, mono_raw microseconds (the
 * nanoseconds are read apart). https://docs.kernel.org/trace/ftrace.html
 */
export type TraceClock = 'x86-tsc' | 'mono_raw';

/** By what timed the gaps: mono_raw is the kernel's name for CLOCK_MONOTONIC_RAW. */
const SAME_LINE: Readonly<Partial<Record<ChosenClock['source'], TraceClock>>> = { tsc: 'x86-tsc', raw: 'mono_raw' };

/** Whether events with this clock can be joined with gaps of that one. */
export function isSameLine(clock: TraceClock, source: ChosenClock['source']): boolean {
  return SAME_LINE[source] === clock;
}

/** Pure. `offered` is the text of `trace_clock`: `[local] global mono_raw x86-tsc`. Returns why there is none. */
export function chooseTraceClock(
  { source }: Pick<ChosenClock, 'source'>,
  offered: string,
): { readonly clock: TraceClock } | { readonly reason: string } {
  const clock = SAME_LINE[source];
  if (clock === undefined)
    return { reason: `The gaps are timed by ${source}, and no trace clock of the kernel is known to be the same.` };
  const clocks = offered.split(/\s+/).map((word) => word.replace(/^\[(.*)\]$/, '$1'));
  if (clocks.includes(clock)) return { clock };
  return { reason: `The kernel cannot trace by the clock of the gaps (${clock}); it has ${offered.trim()}.` };
}
