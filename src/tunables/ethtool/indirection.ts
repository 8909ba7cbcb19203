/** The table by which the NIC spreads flows over its receive queues. */
export interface Indirection {
  /** Receive queues of the NIC. */
  readonly rings: number;
  /** The queue of each hash bucket. */
  readonly table: readonly number[];
}

/**
 * Parses `ethtool -x DEVICE`. Undefined for a driver without a table, and for a table that is not whole: its rows are
 * numbered, and the title of the hash key must follow it.
 */
export function parseIndirection(text: string, device: string): Indirection | undefined {
  const lines = text.split('\n').slice(0, -1);
  const title = /^RX flow hash indirection table for (?<device>\S+) with (?<rings>\d{1,5}) RX ring\(s\):$/.exec(
    lines[0] ?? '',
  );
  const end = lines.indexOf('RSS hash key:');
  if (title?.groups?.device !== device || end < 2) return undefined;
  const table: number[] = [];
  for (const line of lines.slice(1, end)) {
    const row = /^\s*(?<first>\d{1,6}):(?<queues>(?:\s+\d{1,5})+)$/.exec(line)?.groups;
    if (row === undefined || Number(row.first) !== table.length) return undefined;
    table.push(...(row.queues as string).trim().split(/\s+/).map(Number));
  }
  return { rings: Number(title.groups.rings), table };
}

/**
 * A table in the words that `ethtool -X` has for it: `equal 4` (0 1 2 3 0 1 …), `weight 16 16` (blocks), with
 * `start 2` before them when it does not begin at queue 0. `table …` is one that ethtool cannot set.
 */
export function spellIndirection(table: readonly number[]): string {
  const first = Math.min(...table);
  const count = Math.max(...table) - first + 1;
  const start = first === 0 ? '' : `start ${first} `;
  if (table.every((queue, bucket) => queue === first + (bucket % count))) return `${start}equal ${count}`;
  const isInBlocks = table.every((queue, bucket) => bucket === 0 || queue >= (table[bucket - 1] as number));
  if (!isInBlocks) return `table ${table.join(',')}`;
  const weights = Array.from({ length: count }, (_, index) => table.filter((queue) => queue === first + index).length);
  return `${start}weight ${weights.join(' ')}`;
}

/** The table of so many buckets that `ethtool -X DEVICE weight W0 W1 …` makes: blocks in proportion to the weights. */
export function tableOfWeights(weights: readonly number[], buckets: number): readonly number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let queue = -1;
  let partial = 0;
  return Array.from({ length: buckets }, (_, bucket) => {
    while (bucket >= Math.floor((buckets * partial) / sum)) partial += weights[++queue] as number;
    return queue;
  });
}

/** Whether the queues share the buckets equally, but for one each. */
export function isEven({ table, rings }: Indirection): boolean {
  const counts = Array.from({ length: rings }, (_, queue) => table.filter((each) => each === queue).length);
  return rings > 0 && Math.max(...table) < rings && Math.max(...counts) - Math.min(...counts) <= 1;
}

/** Whether a spelled table gives flows to every queue, as a driver's own does. */
export function coversAllRings(value: string, rings: number): boolean {
  const equal = /^equal (?<count>\d+)$/.exec(value)?.groups?.count;
  if (equal !== undefined) return Number(equal) === rings;
  if (value.startsWith('weight ')) return value.split(' ').length - 1 === rings;
  return value.startsWith('table ');
}

/** One spelling of the words that `ethtool -X` has for a table: `equal 4`. Throws RangeError for other words. */
export function canonicalIndirection(value: string): string {
  const words = value.trim().split(/\s+/).join(' ');
  if (words === 'default' || /^(?:start \d+ )?(?:equal \d+|weight(?: \d+)+)$|^table \d+(?:,\d+)*$/.test(words))
    return words;
  throw new RangeError(`expected equal N, weight W0 W1 … or default, got ${JSON.stringify(value)}`);
}
