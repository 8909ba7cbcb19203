import type { ExplainedRole } from '../layout/explain.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Irq, Machine, Nic } from '../topology/machine.ts';
import type { Box } from './topology-svg-box.ts';
import { drawGroup, drawRect, drawText, fitText, measureText } from './topology-svg-mark.ts';

const PADDING = 10;
const CHIP_HEIGHT = 18;
const CHIP_GAP = 4;
const MOST_CHIP_ROWS = 3;

/** What a NIC is drawn from, besides itself. */
export interface NicContext {
  readonly machine: Machine;
  readonly trading: string | undefined;
  readonly roleOf: ReadonlyMap<number, ExplainedRole>;
}

/** A NIC: name, driver, speed, and where its interrupts are served, one chip for each set of CPUs. */
export function buildNic(nic: Nic, context: NicContext, width: number): Box {
  const inner = width - 2 * PADDING;
  const trading = nic.name === context.trading;
  const chips = placeChips(listChips(nic, context), inner);
  const pills = [...(trading ? ['trading NIC'] : []), ...(nic.carriesSession ? ['session'] : [])];
  const height =
    46 + (chips.rows > 0 ? 22 + chips.rows * (CHIP_HEIGHT + CHIP_GAP) - CHIP_GAP : 0) + (chips.rows > 0 ? 6 : 2);
  return {
    width,
    height,
    draw({ x, y }) {
      const left = x + PADDING;
      const pillMarks = drawPills(pills, { right: x + width - PADDING, y: y + 8 });
      const nameWidth = inner - pillMarks.width;
      return drawGroup(describeNic(nic), [
        drawRect(trading ? 'panel trading' : 'panel', { x, y, width, height, radius: 8 }),
        drawText('title', { x: left, y: y + 21 }, fitText(nic.name, nameWidth, 14.5)),
        pillMarks.text,
        drawText('muted', { x: left, y: y + 38 }, fitText(describeNic(nic), inner, 12)),
        ...(chips.rows > 0
          ? [drawText('small', { x: left, y: y + 58 }, fitText(countIrqs(nic, context), inner, 11))]
          : []),
        ...chips.marks.map((chip) => drawChip(chip, { x: left, y: y + 66 })),
      ]);
    },
  };
}

function describeNic(nic: Nic): string {
  const parts = [
    nic.driver,
    nic.carrier === false ? 'no link' : nic.speedMbps === undefined ? undefined : `${nic.speedMbps / 1000} Gbit/s`,
    nic.pcie && `PCIe ${nic.pcie.speedGTs} GT/s x${nic.pcie.widthLanes}`,
    nic.phc,
    nic.uppers.length > 0 ? `in ${nic.uppers.join(', ')}` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}

interface Chip {
  readonly text: string;
  readonly role: string;
}

interface PlacedChip extends Chip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function irqsOf(nic: Nic, machine: Machine): Irq[] {
  return machine.irqs.filter((irq) => nic.irqs.includes(irq.irq) || irq.device === nic.name);
}

function countIrqs(nic: Nic, context: NicContext): string {
  const count = irqsOf(nic, context.machine).length;
  const queues = nic.queues.rx + nic.queues.tx > 0 ? `${nic.queues.rx} rx and ${nic.queues.tx} tx queues · ` : '';
  return `${queues}${count === 1 ? '1 interrupt' : `${count} interrupts`} on CPU`;
}

/** By the CPUs that serve them in effect: `5 ×8` is eight interrupts on CPU 5. */
function listChips(nic: Nic, context: NicContext): Chip[] {
  const counts = new Map<string, { cpus: readonly number[]; count: number }>();
  for (const irq of irqsOf(nic, context.machine)) {
    const cpus = irq.effective.length > 0 ? irq.effective : irq.affinity;
    const key = printCpulist(cpus);
    counts.set(key, { cpus, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts]
    .sort(([, left], [, right]) => (left.cpus[0] ?? -1) - (right.cpus[0] ?? -1))
    .map(([key, { cpus, count }]) => {
      const roles = new Set(cpus.map((cpu) => context.roleOf.get(cpu) ?? 'offline'));
      const [role] = roles;
      const list = key === '' ? 'none' : fitText(key, 110, 11.5);
      return {
        text: count > 1 ? `${list} ×${count}` : list,
        role: roles.size === 1 && role !== undefined ? role : 'mixed',
      };
    });
}

function placeChips(chips: readonly Chip[], width: number): { marks: PlacedChip[]; rows: number } {
  const marks: PlacedChip[] = [];
  let x = 0;
  let row = 0;
  for (const [index, chip] of chips.entries()) {
    const chipWidth = Math.max(26, measureText(chip.text, 11.5) + 12);
    const left = chips.length - index;
    const more = { text: `+${left} more`, role: 'mixed' };
    // The last row keeps room to say how many are not shown.
    const needed = row === MOST_CHIP_ROWS - 1 && left > 1 ? chipWidth + 64 : chipWidth;
    if (x > 0 && x + needed > width) {
      if (row === MOST_CHIP_ROWS - 1) {
        marks.push({ ...more, x, y: row * (CHIP_HEIGHT + CHIP_GAP), width: measureText(more.text, 11.5) + 12 });
        break;
      }
      row++;
      x = 0;
    }
    marks.push({ ...chip, x, y: row * (CHIP_HEIGHT + CHIP_GAP), width: chipWidth });
    x += chipWidth + CHIP_GAP;
  }
  return { marks, rows: chips.length === 0 ? 0 : row + 1 };
}

function drawChip(chip: PlacedChip, origin: { readonly x: number; readonly y: number }): string {
  const frame = { x: origin.x + chip.x, y: origin.y + chip.y, width: chip.width, height: CHIP_HEIGHT, radius: 9 };
  const place = { x: frame.x + chip.width / 2, y: frame.y + 13, anchor: 'middle' as const };
  return drawRect(`chip ${chip.role}`, frame) + drawText(`number on-${chip.role}`, place, chip.text);
}

function drawPills(
  pills: readonly string[],
  corner: { readonly right: number; readonly y: number },
): { text: string; width: number } {
  let right = corner.right;
  const marks = pills.map((pill) => {
    const width = measureText(pill, 11) + 14;
    const kind = pill === 'trading NIC' ? ' trading' : '';
    right -= width;
    const mark =
      drawRect(`pill${kind}`, { x: right, y: corner.y, width, height: 18, radius: 9 }) +
      drawText(`on-pill${kind}`, { x: right + width / 2, y: corner.y + 13, anchor: 'middle' }, pill);
    right -= 6;
    return mark;
  });
  return { text: marks.join(''), width: corner.right - right };
}
