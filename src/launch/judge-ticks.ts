import { intersection } from '../topology/cpulist.ts';
import type { Seen } from './judge.ts';
import type { Judged } from './judged.ts';
import { sayWhoRan } from './who-ran.ts';

/** A nohz_full CPU with one busy thread had 2 a second, an ordinary one all of HZ (measured, Linux 6.1 and 6.12). */
const MOST_TICKS_PER_S = 10;

/** Whether the tick is silent on exclusive CPUs where the kernel can stop it. Others tick, and nobody promised that they do not. */
export function judgeTicks({ looks, cpus }: Pick<Seen, 'looks' | 'cpus'>): Judged[] {
  const [first, last] = [looks[0], looks.at(-1)];
  if (first === undefined || last === undefined || last.atMs === first.atMs) return [];
  const s = (last.atMs - first.atMs) / 1000;
  return intersection(cpus.exclusive, cpus.tickless).map((cpu): Judged => {
    const countAt = ({ interrupts }: typeof last) => interrupts.cpus.get(cpu)?.timer ?? 0;
    const perS = (countAt(last) - countAt(first)) / s;
    const isSilent = perS <= MOST_TICKS_PER_S;
    const ran = isSilent
      ? ''
      : `; ${sayWhoRan(cpu, looks) ?? 'nobody else was seen to run there: timers of the thread itself count too'}`;
    return {
      id: `processes.ticks@cpu${cpu}`,
      domain: 'CPUs',
      status: isSilent ? 'pass' : 'fail',
      expected: `at most ${MOST_TICKS_PER_S}/s`,
      actual: `${perS.toFixed(1)}/s`,
      evidence: `${countAt(last) - countAt(first)} timer interrupts in ${s.toFixed(1)} s${ran}`,
    };
  });
}
