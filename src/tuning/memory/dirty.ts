import type { KnobWish } from '../knobs/wish.ts';
import type { DirtyWanted } from './schema.ts';

/**
 * Limits of dirty pages. Each is one knob with two files, bytes and ratio: writing one zeroes the other. The wish for the
 * one comes first and the zero of its companion after it. Undone backwards the companion gets its old value first, which
 * zeroes the other again; the kernel would not take a zero written to dirty_bytes.
 * https://docs.kernel.org/admin-guide/sysctl/vm.html#dirty-bytes
 */
export function wishDirtyLimits({ limit, background, expire, writeback }: DirtyWanted): readonly KnobWish[] {
  return [
    ...(limit === undefined ? [] : wishPair('vm.dirty', limit)),
    ...(background === undefined ? [] : wishPair('vm.dirty_background', background)),
    ...(expire === undefined ? [] : [wish('vm.dirty_expire_centisecs', expire * 100)]),
    ...(writeback === undefined ? [] : [wish('vm.dirty_writeback_centisecs', writeback * 100)]),
  ];
}

function wishPair(stem: string, amount: NonNullable<DirtyWanted['limit']>): readonly KnobWish[] {
  const inBytes = 'bytes' in amount;
  const [wanted, companion] = inBytes ? [`${stem}_bytes`, `${stem}_ratio`] : [`${stem}_ratio`, `${stem}_bytes`];
  const why = `Follows ${wanted}: the kernel keeps one of the two and zeroes the other.`;
  return [wish(wanted, inBytes ? amount.bytes : amount.ratio), { ...wish(companion, 0), why }];
}

function wish(knob: string, value: number): KnobWish {
  return { domain: 'memory', knob, value: String(value) };
}
