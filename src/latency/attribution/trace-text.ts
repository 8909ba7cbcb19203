/** One line of an ftrace buffer. */
export interface TraceEvent {
  /** Ticks since the epoch. */
  readonly at: number;
  readonly cpu: number;
  /** Who had the CPU: a thread that was interrupted is named here, not what interrupted it. */
  readonly comm: string;
  readonly pid: number;
  readonly name: string;
  /** What the event says, as text. */
  readonly fields: string;
}

/** The events of one CPU in the order of time. */
export interface CpuTrace {
  readonly cpu: number;
  readonly events: readonly TraceEvent[];
  /** Events before these (by index into `events`) the kernel had no room for. */
  readonly lostBefore: ReadonlySet<number>;
  /** How many it says were lost; some kernels do not count them. */
  readonly lost: number;
  /** Lines that are neither events nor comments. */
  readonly unread: number;
}

/**
 * `  kworker/1:1-73   [001] d.h2. 14213444430231: local_timer_entry: vector=236`. The flags are four to seven characters, by
 * kernel version and PREEMPT_RT; a column with the thread group stands between task and CPU where it was asked for. Names of tasks
 * may hold spaces, dashes and brackets.
 */
const EVENT =
  /^\s*(?<comm>.+)-(?<pid>\d+)\s+(?:\(\s*[\d-]+\)\s+)?\[(?<cpu>\d+)\]\s+(?:[^\s\d]\S*\s+)?(?<stamp>0x[\da-f]+|\d+(?:\.\d{6})?):\s+(?<name>\w+):\s?(?<fields>.*)$/;

const LOST = /^CPU:(?<cpu>\d+) \[(?:LOST (?<count>\d+) EVENTS|EVENTS DROPPED)\]/;
const COMMENT = /^(?:#.*|\s*|##### CPU \d+ buffer started ####)$/;

/**
 * Reads the `trace` file of one CPU. With the clock x86-tsc it has a count of ticks where other clocks have seconds; of those `rawText`
 * is the same file printed with the option raw, which has nanoseconds, and `epochTicks` counts them. Each line takes its moment from there.
 * https://docs.kernel.org/trace/ftrace.html. Lines of other CPUs are left out. A last line without its end is torn and is not used.
 */
export function parseTrace(text: string, cpu: number, epochTicks: bigint, rawText?: string): CpuTrace {
  const lines = text.split('\n');
  const readAt = rawText === undefined ? ticksReader(epochTicks) : nsReader(rawText, epochTicks);
  const torn = lines.pop() ?? '';
  const events: TraceEvent[] = [];
  const lostBefore = new Set<number>();
  let [lost, unread] = [0, torn === '' ? 0 : 1];
  for (const line of lines) {
    const event = parseEvent(line, readAt);
    if (event !== undefined) {
      if (event.cpu === cpu) events.push(event);
      continue;
    }
    const gone = LOST.exec(line)?.groups;
    if (gone === undefined) unread += COMMENT.test(line) ? 0 : 1;
    else if (Number(gone.cpu) === cpu) {
      lostBefore.add(events.length);
      lost += Number(gone.count ?? 0);
    }
  }
  return { cpu, events, lostBefore, lost, unread };
}

/** When an event was, since the epoch, by what its line says: the stamp as text. undefined: that cannot be known. */
type AtReader = (stamp: string, pid: number) => number | undefined;

function parseEvent(line: string, readAt: AtReader): TraceEvent | undefined {
  const found = EVENT.exec(line)?.groups;
  if (found === undefined) return undefined;
  const pid = Number(found.pid);
  const at = readAt(found.stamp as string, pid);
  if (at === undefined) return undefined;
  return {
    at,
    cpu: Number(found.cpu),
    comm: found.comm as string,
    pid,
    name: found.name as string,
    fields: found.fields as string,
  };
}

function ticksReader(epochTicks: bigint): AtReader {
  return (stamp) => (stamp.includes('.') ? undefined : Number(BigInt(stamp) - epochTicks));
}

/** `7 1 34838286838418 type: 372`: pid, CPU, ns. */
const RAW = /^(?<pid>\d+) (?<cpu>\d+) (?<ns>\d+) /gm;
/** The kernel rounds to the nearest microsecond. */
const ROUNDED_NS = 500;

/** Takes one raw line for each stamp, in order. Raw lines of what was no event in the text are passed over. */
function nsReader(rawText: string, epochNs: bigint): AtReader {
  const lines = rawText.matchAll(RAW);
  const read = () => {
    const groups = lines.next().value?.groups;
    return groups && { pid: Number(groups.pid), at: Number(BigInt(groups.ns as string) - epochNs) };
  };
  let next = read();
  return (stamp, pid) => {
    if (!stamp.includes('.')) return undefined;
    const roundedAt = Number(BigInt(`${stamp.replace('.', '')}000`) - epochNs);
    while (next !== undefined && next.at < roundedAt - ROUNDED_NS) next = read();
    if (next === undefined || next.pid !== pid || next.at > roundedAt + ROUNDED_NS) return undefined;
    const { at } = next;
    next = read();
    return at;
  };
}

/** `per_cpu/cpuN/stats`: what the buffer had no room for. https://docs.kernel.org/trace/ftrace.html */
export interface BufferStats {
  /** The oldest events, overwritten by newer ones. */
  readonly overrun: number;
  /** Events that came while another was written, or into a full buffer. */
  readonly dropped: number;
}

export function parseBufferStats(text: string): BufferStats {
  const numberOf = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { overrun: numberOf('overrun'), dropped: numberOf('commit overrun') + numberOf('dropped events') };
}
