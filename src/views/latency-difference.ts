import type { Difference } from '../latency/saved/baseline.ts';
import type { FingerprintDifference } from '../latency/saved/fingerprint.ts';
import { printNs } from './duration.ts';
import { indented, paint, type Terminal } from './terminal.ts';

/** `+1.20us`, `-35ns`; `0` when there is none. */
export function printSigned(ns: number): string {
  if (ns === 0) return '0';
  return `${ns < 0 ? '-' : '+'}${printNs(Math.abs(ns))}`;
}

/** `[-1.20us to +3.00us]`; a bound that is not known is `?`. */
export function printRange({ lower, upper }: Difference): string {
  const bound = (ns: number | null) => (ns === null ? '?' : printSigned(ns));
  return lower === null && upper === null ? '' : `[${bound(lower)} to ${bound(upper)}]`;
}

/** The interval says nothing of the direction. */
export function holdsZero({ lower, upper }: Difference): boolean {
  return (lower === null || lower <= 0) && (upper === null || upper >= 0);
}

/** More interrupts that moved than this are counted. */
const IRQS_SHOWN = 3;

/** What two machines, or one at two times, have different; '' when nothing. */
export function viewFingerprint(
  title: string,
  differences: readonly FingerprintDifference[],
  terminal: Terminal,
): string {
  if (differences.length === 0) return '';
  const irqs = differences.filter(({ what }) => what.startsWith('irq '));
  const shown = [...differences.filter((each) => !irqs.includes(each)), ...irqs.slice(0, IRQS_SHOWN)];
  const lines = shown.map(({ what, before, after }) =>
    indented(`${what}: ${before ?? 'not known'} → ${after ?? 'not known'}`, terminal, 2),
  );
  const more = irqs.length - IRQS_SHOWN;
  if (more > 0) lines.push(`  and ${more} more ${more === 1 ? 'interrupt' : 'interrupts'} on other CPUs (--json)`);
  return [paint(terminal, 'bold', title), ...lines].join('\n');
}
