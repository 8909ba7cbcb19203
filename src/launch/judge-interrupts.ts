import { printCpulist } from '../topology/cpulist.ts';
import type { IrqLabel, Seen } from './judge.ts';
import type { Judged } from './judged.ts';
import type { IrqLook } from './look-interrupts.ts';

/**
 * Whether a device's interrupts come to the CPUs of watched threads: by where the kernel delivers them, and by what was counted there. On a CPU
 * that processes have to themselves none may; on one that they share none may be moved there.
 */
export function judgeInterrupts({ looks, cpus, irqs }: Pick<Seen, 'looks' | 'cpus' | 'irqs'>): Judged[] {
  const tracks = trackIrqs(looks);
  return cpus.watched.map((cpu): Judged => {
    const isExclusive = cpus.exclusive.includes(cpu);
    const found = [...tracks].flatMap(([irq, seen]) => sayIrq({ irq, seen, label: irqs.get(irq) }, cpu, isExclusive));
    const base = {
      id: `processes.interrupts@cpu${cpu}`,
      domain: 'CPUs',
      expected: isExclusive ? 'none' : 'no new one',
    };
    if (found.length > 0) {
      const worst = found.sort((left, right) => right.weight - left.weight).slice(0, MOST_NAMED);
      const more = found.length > MOST_NAMED ? [`and ${found.length - MOST_NAMED} more`] : [];
      const actual = [...worst.map(({ name }) => name), ...more].join(', ');
      return { ...base, status: 'fail', actual, evidence: [...worst.map(({ text }) => text), ...more].join('; ') };
    }
    const evidence = `of ${tracks.size} interrupts of devices, in ${looks.length} looks`;
    return { ...base, status: 'pass', actual: base.expected, evidence };
  });
}

/** The worst ones tell what is going on: those that were moved, and those that come most. */
const MOST_NAMED = 5;

interface Disturbance {
  readonly name: string;
  readonly text: string;
  readonly weight: number;
}

interface SeenIrq {
  readonly atMs: number;
  readonly look: IrqLook;
}

interface IrqTrack {
  readonly irq: number;
  /** In the order of time. */
  readonly seen: readonly SeenIrq[];
  readonly label: IrqLabel | undefined;
}

function trackIrqs(looks: Seen['looks']): Map<number, SeenIrq[]> {
  const tracks = new Map<number, SeenIrq[]>();
  for (const { atMs, interrupts } of looks)
    for (const look of interrupts.devices) {
      const seen = tracks.get(look.irq) ?? [];
      if (seen.push({ atMs, look }) === 1) tracks.set(look.irq, seen);
    }
  return tracks;
}

/** Nothing where it is no disturbance. A managed interrupt that does not come is none: who uses its queue runs there. */
function sayIrq({ irq, seen, label }: IrqTrack, cpu: number, isExclusive: boolean): Disturbance[] {
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return [];
  const countAt = ({ look }: SeenIrq) => look.counts.get(cpu) ?? 0;
  const isThere = ({ look }: SeenIrq) => look.effective?.includes(cpu) === true;
  const came = seen.findIndex(isThere);
  const isMoved = came > 0 && seen[came - 1]?.look.effective !== undefined;
  const count = countAt(last) - countAt(first);
  const disturbs = isExclusive && (count > 0 || (came >= 0 && label?.isManaged === false));
  if (!isMoved && !disturbs) return [];
  const name = label?.name ?? first.look.description;
  const counted = `${count} on this CPU in ${((last.atMs - first.atMs) / 1000).toFixed(1)} s`;
  return [
    {
      name,
      text: `${name} (IRQ ${irq}): ${sayPlace(seen, came, isMoved)}, ${counted}`,
      weight: isMoved ? Number.MAX_SAFE_INTEGER : count,
    },
  ];
}

function sayPlace(seen: readonly SeenIrq[], came: number, isMoved: boolean): string {
  const at = seen[came] ?? seen.at(-1);
  const place = printCpulist(at?.look.effective ?? []);
  if (!isMoved) return `goes to ${place || 'a CPU that cannot be read'}`;
  const s = ((at?.atMs ?? 0) - (seen[0]?.atMs ?? 0)) / 1000;
  return `moved to ${place} from ${printCpulist(seen[came - 1]?.look.effective ?? [])}, first seen after ${s.toFixed(1)} s`;
}
