/** A range that says nothing; the message is the sentence. */
export class BadRange extends Error {}

/** The names that one name with ranges stands for, the first range changing slowest. More are a mistake in a bound. */
const MOST_HOSTS = 100_000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `web[01:03]` → web01, web02, web03; `[a:c]`, `[0:10:2]`. A name without ranges stands for itself. Throws BadRange. */
export function expandRanges(text: string): readonly string[] {
  if (!text.includes('[')) return [text];
  const { head, range, tail } = /^(?<head>[^[]*)\[(?<range>[^\]]*)\](?<tail>.*)$/s.exec(text)?.groups ?? {};
  if (head === undefined || range === undefined || tail === undefined)
    throw new BadRange('a bracket is open: expected [FIRST:LAST] or [FIRST:LAST:STEP]');
  const members = expandRange(range);
  const tails = expandRanges(tail);
  if (members.length * tails.length > MOST_HOSTS)
    throw new BadRange(`stands for ${members.length * tails.length} hosts, more than ${MOST_HOSTS}`);
  return members.flatMap((member) => tails.map((rest) => `${head}${member}${rest}`));
}

function expandRange(range: string): readonly string[] {
  const [first = '', last = '', stepText = '1', ...more] = range.split(':');
  const shown = `[${range}]`;
  if (!range.includes(':') || more.length > 0)
    throw new BadRange(`${shown}: expected [FIRST:LAST] or [FIRST:LAST:STEP]`);
  if (last === '') throw new BadRange(`${shown}: expected a last one behind the colon`);
  if (!/^\d+$/.test(stepText) || Number(stepText) === 0)
    throw new BadRange(`${shown}: expected a step of at least 1, got ${JSON.stringify(stepText)}`);
  const members = expandBounds({ shown, first: first === '' ? '0' : first, last, step: Number(stepText) });
  if (members.length === 0) throw new BadRange(`${shown}: the first one is behind the last one`);
  return members;
}

interface Bounds {
  readonly shown: string;
  readonly first: string;
  readonly last: string;
  readonly step: number;
}

function expandBounds({ shown, first, last, step }: Bounds): readonly string[] {
  if (/^[A-Za-z]$/.test(first) && /^[A-Za-z]$/.test(last))
    return every(LETTERS.indexOf(first), LETTERS.indexOf(last), step).map((index) => LETTERS[index] as string);
  if (!/^\d+$/.test(first) || !/^\d+$/.test(last)) throw new BadRange(`${shown}: expected two numbers or two letters`);
  const digits = first.length > 1 && first.startsWith('0') ? first.length : 0;
  if (digits > 0 && digits !== last.length)
    throw new BadRange(`${shown}: with leading zeros both ends have as many digits`);
  return every(Number(first), Number(last), step).map((number) => String(number).padStart(digits, '0'));
}

function every(first: number, last: number, step: number): readonly number[] {
  const count = Math.max(0, Math.floor((last - first) / step) + 1);
  if (!(count <= MOST_HOSTS)) throw new BadRange(`stands for ${count} hosts, more than ${MOST_HOSTS}`);
  return Array.from({ length: count }, (_, index) => first + index * step);
}
