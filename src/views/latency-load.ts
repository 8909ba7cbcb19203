import type { LatencyResult } from '../latency/report/result.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { type Terminal, wrap } from './terminal.ts';

type Achieved = NonNullable<LatencyResult['probes'][number]['loadAchieved']>;

/** What else ran, where, and the least that it did in any of the runs: a load that got no CPU loads nothing. */
export function viewLoad({ probes }: LatencyResult, terminal: Terminal): string {
  const loads = probes.flatMap(({ loadAchieved }) => loadAchieved ?? []);
  const [first] = loads;
  if (first === undefined) return '';
  const least = (of: keyof Achieved['perSecond']) => Math.min(...loads.map(({ perSecond }) => perSecond[of] ?? 0));
  const did =
    first.kind === 'housekeeping'
      ? [
          `${printCount(least('copiedBytes'))}B copied`,
          `${printCount(least('systemCalls'))} system calls`,
          `${printCount(least('processes'))} processes`,
        ]
      : [`${printCount(least('sentPackets'))} UDP packets sent`, `${printCount(least('receivedPackets'))} received`];
  const nice = first.nice === 0 ? '' : `, nice ${first.nice}`;
  const where = `CPU${first.cpus.length === 1 ? '' : 's'} ${printCpulist(first.cpus)}`;
  const what = first.kind === 'network' ? 'network (loopback, no network card)' : first.kind;
  return wrap(`Load: ${what} on ${where}${nice}: a second at least ${did.join(', ')}.`, terminal.columns, 2);
}

/** Three digits: `1.23 G`, `450 k`, `280`. */
function printCount(number: number): string {
  const [unit, size] = UNITS.find(([, least]) => number >= least) ?? ['', 1];
  const digits = Number((number / size).toPrecision(3)).toString();
  return unit === '' ? digits : `${digits} ${unit}`;
}

const UNITS = [
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
] as const;
