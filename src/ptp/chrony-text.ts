/** What `chronyc -n -c tracking` says. An unsynchronised chronyd says offset 0 too: look at `isSynchronised` first. */
export interface ChronyTracking extends ChronyNumbers {
  /** `PHC0`, an address; empty when there is none. */
  readonly source: string;
  readonly stratum: number;
  readonly isSynchronised: boolean;
  /** When the clock was last brought to its source, since 1970; an offset is of then. */
  readonly referenceTimeS: number;
  readonly leap: string;
}

/** After the reference time, in chronyc's order. */
const NUMBERS = [
  'systemOffsetS',
  'lastOffsetS',
  'rmsOffsetS',
  'frequencyPpm',
  'residualPpm',
  'skewPpm',
  'rootDelayS',
  'rootDispersionS',
  'updateIntervalS',
] as const;
type ChronyNumbers = Readonly<Record<(typeof NUMBERS)[number], number>>;

const LEAPS = ['Normal', 'Insert second', 'Delete second', 'Not synchronised'];
const NUMBER = /^-?\d{1,15}(?:\.\d{1,12})?$/;

/** chronyc(1): 14 fields. undefined when it is anything else. */
export function parseTracking(text: string): ChronyTracking | undefined {
  if (!text.endsWith('\n')) return undefined;
  const fields = text.trim().split(',');
  const [reference, source, , , ...rest] = fields;
  const leap = rest.pop();
  if (fields.length !== 14 || !LEAPS.includes(leap ?? '') || !/^[0-9A-F]{8}$/.test(reference ?? '')) return undefined;
  if (![...fields.slice(2, 4), ...rest].every((field) => NUMBER.test(field))) return undefined;
  const numbers = Object.fromEntries(NUMBERS.map((name, index) => [name, Number(rest[index])])) as ChronyNumbers;
  return {
    ...numbers,
    source: source ?? '',
    stratum: Number(fields[2]),
    referenceTimeS: Number(fields[3]),
    isSynchronised: leap !== 'Not synchronised' && reference !== '00000000',
    leap: leap as string,
  };
}

/** A source of `chronyc -n -c sources`. */
export interface ChronySource {
  readonly kind: 'server' | 'peer' | 'local';
  readonly isSelected: boolean;
  readonly name: string;
  /** Of the last eight polls, which were answered. 0: none. */
  readonly reach: number;
}

const KINDS: Readonly<Record<string, ChronySource['kind']>> = { '^': 'server', '=': 'peer', '#': 'local' };

/** Lines that are no source are left out. */
export function parseSources(text: string): readonly ChronySource[] {
  return text.split('\n').flatMap((line) => {
    const [kind = '', state = '', name, stratum, , reach = '', ...rest] = line.split(',');
    const known = KINDS[kind];
    if (known === undefined || !/^[*+?x~-]$/.test(state) || !name || rest.length !== 4) return [];
    if (!/^\d+$/.test(stratum ?? '') || !/^[0-7]{1,3}$/.test(reach)) return [];
    return [{ kind: known, isSelected: state === '*', name, reach: Number.parseInt(reach, 8) }];
  });
}
