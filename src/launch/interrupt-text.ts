/** Since boot, on one CPU: the timer's, those of devices, and all others (reschedules, calls, TLB shootdowns). */
export interface InterruptCounts {
  timer: number;
  devices: number;
  others: number;
}

/** One interrupt of a device. */
export interface DeviceRow {
  readonly irq: number;
  /** What follows its counts: controller, trigger, and the names its drivers gave it. */
  readonly description: string;
  /** Since boot, on the CPUs that were asked for. */
  readonly counts: ReadonlyMap<number, number>;
}

export interface InterruptTable {
  readonly cpus: ReadonlyMap<number, InterruptCounts>;
  readonly devices: readonly DeviceRow[];
}

/**
 * /proc/interrupts: what came on each CPU, and each device's part on some. Walked letter by letter: on a large machine it has
 * megabytes, and most of them are counts of CPUs that nobody asked for. https://docs.kernel.org/filesystems/proc.html
 */
export function parseInterruptTable(text: string, watched: readonly number[]): InterruptTable {
  const [header = '', ...lines] = text.split('\n');
  const cpus = [...header.matchAll(/CPU(\d+)/g)].map((match) => Number(match[1]));
  const counts = new Map(cpus.map((cpu) => [cpu, { timer: 0, devices: 0, others: 0 }]));
  const columns = cpus.map((cpu) => ({
    entry: counts.get(cpu) as InterruptCounts,
    cpu,
    isWatched: watched.includes(cpu),
  }));
  const devices: DeviceRow[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const label = line.slice(0, colon).trim();
    const { values, end } = readCounts(line, colon + 1, columns.length);
    const isDevice = /^\d+$/.test(label);
    const kind = isTimer(label, isDevice ? line.slice(end) : '') ? 'timer' : isDevice ? 'devices' : 'others';
    const own = new Map<number, number>();
    for (const [index, value] of values.entries()) {
      const { entry, cpu, isWatched } = columns[index] as (typeof columns)[number];
      entry[kind] += value;
      if (isWatched) own.set(cpu, value);
    }
    if (kind === 'devices') devices.push({ irq: Number(label), description: line.slice(end).trim(), counts: own });
  }
  return { cpus: counts, devices };
}

/** The local timer: a row of its own on x86, an interrupt like others on ARM. */
function isTimer(label: string, description: string): boolean {
  return label === 'LOC' || /\barch_(?:mem_)?timer\b/.test(description);
}

const [BLANK, ZERO, NINE] = [32, 48, 57];

/** At most `most` numbers from `start` on, and where they end. */
function readCounts(line: string, start: number, most: number): { readonly values: number[]; readonly end: number } {
  const values: number[] = [];
  let end = start;
  for (let at = start; values.length < most; ) {
    while (line.charCodeAt(at) === BLANK) at++;
    let value = 0;
    let digits = 0;
    for (let code = line.charCodeAt(at); code >= ZERO && code <= NINE; code = line.charCodeAt(++at)) {
      value = value * 10 + (code - ZERO);
      digits++;
    }
    const next = line.charCodeAt(at);
    // `5-edge` is no count, nor is the end of the line.
    if (digits === 0 || !(next === BLANK || Number.isNaN(next))) break;
    values.push(value);
    end = at;
  }
  return { values, end };
}
