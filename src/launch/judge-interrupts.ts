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
      const actual = found.map(({ name }) => name).join(', ');
      return { ...base, status: 'fail', actual, evidence: found.map(({ text }) => text).join('; ') };
    }
    const evidence = `of ${tracks.size} interrupts of devices, in ${looks.length} looks`;
    return { ...base, status: 'pass', actual: base.expected, evidence };
  });
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
    for (const look of interrupts.devices) tracks.set(look.irq, [...(tracks.get(look.irq) ?? []), { atMs, look }]);
  return tracks;
}

/** Nothing where it is no disturbance. A managed interrupt that does not come is none: who uses its queue runs there. */
function sayIrq({ irq, seen, label }: IrqTrack, cpu: number, isExclusive: boolean): { name: string; text: string }[] {
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
  return [{ name, text: `${name} (IRQ ${irq}): ${sayPlace(seen, came, isMoved)}, ${counted}` }];
}

function sayPlace(seen: readonly SeenIrq[], came: number, isMoved: boolean): string {
  const at = seen[came] ?? seen.at(-1);
  const place = printCpulist(at?.look.effective ?? []);
  if (!isMoved)
    return came < 0
      ? `goes to ${place || 'a CPU that cannot be read'}`
      : `goes to ${place}, since before the first look`;
  const s = ((at?.atMs ?? 0) - (seen[0]?.atMs ?? 0)) / 1000;
  return `moved to ${place} from ${printCpulist(seen[came - 1]?.look.effective ?? [])}, first seen after ${s.toFixed(1)} s`;
}
