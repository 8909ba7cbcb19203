import { z } from 'zod';
import type { Child, ChildEnd, Host } from '../../host/host.ts';
import { printCpulist } from '../../topology/cpulist.ts';
import type { Refused } from './measure.ts';

/** What else the host does while it is measured. network: packets over the loopback interface, no network card. */
export type LoadKind = 'housekeeping' | 'network';

export interface LoadRequest {
  readonly kind: LoadKind;
  /** Where; none of them measures. */
  readonly cpus: readonly number[];
}

/** What the load did, as it counted itself; a second of its whole life, which is longer than that of the measurement. */
export interface LoadAchieved extends LoadRequest {
  readonly seconds: number;
  /** Of its threads, all SCHED_OTHER. */
  readonly nice: number;
  readonly perSecond: Readonly<Partial<Record<LoadCount, number>>>;
}

const LOAD_COUNTS = [
  'copiedBytes',
  'systemCalls',
  'mappings',
  'processes',
  'sentPackets',
  'sentBytes',
  'receivedPackets',
] as const;

type LoadCount = (typeof LOAD_COUNTS)[number];

const count = z.int().min(0).optional();

/** The last line of `hft-probe load` (agents/probes/load.c). */
const resultSchema = z.looseObject({
  kind: z.enum(['housekeeping', 'network']),
  cpus: z.array(z.int().min(0)).min(1),
  nice: z.int(),
  seconds: z.number().positive(),
  ended: z.enum(['asked', 'deadline']),
  copiedBytes: count,
  systemCalls: count,
  mappings: count,
  processes: count,
  sentPackets: count,
  sentBytes: count,
  receivedPackets: count,
});

const refusalSchema = z.object({ unsupported: z.string(), need: z.string() });

/** A load that runs. */
export interface RunningLoad {
  /** Ends it. A text when it had not lasted until now, or did not say what it did: nothing can be said to have run under it. */
  end(): Promise<LoadAchieved | string>;
}

const NS_PER_MS = 1_000_000;
const GRACE_AFTER_END_MS = 5_000;

const EXIT_UNSUPPORTED = 3;

/** Starts the load and returns when all of it runs, or why it does not. It dies with this process and at the deadline. */
export async function startLoad(
  host: Host,
  program: string,
  { kind, cpus, deadlineMs }: LoadRequest & { readonly deadlineMs: number },
): Promise<RunningLoad | Refused> {
  const options = ['--kind', kind, '--cpus', printCpulist(cpus), '--deadline-ns', `${deadlineMs * NS_PER_MS}`];
  const child = await host.startChild([program, 'load', ...options, '--parent', `${process.pid}`]);
  if (child === undefined) return { status: 'failed', reason: `${program} is not there.` };
  const said = new SaidLines(child);
  if ((await said.next()) === 'ready') return { end: () => endLoad(child, said) };
  child.signal('SIGKILL');
  return explainRefusal(await child.ended);
}

/** As of a probe: `{"unsupported":…,"need":…}` on its last line, or words. */
function explainRefusal({ exitCode, stderr }: ChildEnd): Refused {
  const parsed = refusalSchema.safeParse(parseJson(stderr.trim().split('\n').pop() ?? ''));
  if (exitCode === EXIT_UNSUPPORTED && parsed.success)
    return { status: 'unsupported', reason: `No load: ${parsed.data.unsupported}`, need: parsed.data.need };
  return { status: 'failed', reason: `The load could not be started: ${sayEnd({ exitCode, stderr })}` };
}

async function endLoad(child: Child, said: SaidLines): Promise<LoadAchieved | string> {
  child.signal('SIGTERM');
  const killer = setTimeout(() => child.signal('SIGKILL'), GRACE_AFTER_END_MS);
  try {
    const line = await said.next();
    const { exitCode } = await child.ended;
    if (line === undefined || exitCode !== 0) return `The load broke off: ${sayEnd(await child.ended)}`;
    return readAchieved(line);
  } finally {
    clearTimeout(killer);
    child.signal('SIGKILL');
  }
}

function readAchieved(line: string): LoadAchieved | string {
  const parsed = resultSchema.safeParse(parseJson(line));
  if (!parsed.success) return `The load did not say what it did: ${JSON.stringify(line)}.`;
  const { kind, cpus, nice, seconds, ended } = parsed.data;
  if (ended !== 'asked') return 'The load ended before the measurement.';
  const rates = LOAD_COUNTS.flatMap((name) => {
    const total = parsed.data[name];
    return total === undefined ? [] : [[name, Math.round(total / seconds)] as const];
  });
  return { kind, cpus, nice, seconds, perSecond: Object.fromEntries(rates) };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function sayEnd({ exitCode, stderr }: ChildEnd): string {
  return `${stderr.trim() || 'it said nothing'} (exit code ${exitCode}).`;
}

/** The lines of a child's output, one after the other; undefined when there is no more. */
class SaidLines {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest = '';

  constructor({ output }: Child) {
    this.#pieces = output[Symbol.asyncIterator]();
  }

  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\n');
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return line;
      }
      const piece = await this.#pieces.next();
      if (piece.done) return undefined;
      this.#rest += piece.value.toString();
    }
  }
}
