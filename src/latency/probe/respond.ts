import { z } from 'zod';
import { HftError } from '../../errors.ts';
import type { Child, Host } from '../../host/host.ts';
import { printCpulist } from '../../topology/cpulist.ts';
import { readUnsupported } from './measure.ts';

/** A responder for the `network` probe of others: who may be measured with, where, and how it waits. */
export interface RespondRequest {
  /** `10.0.0.7:17707`: numbers alone. It listens there, TCP and UDP, and nowhere else. */
  readonly listen: string;
  /** As many are measured with at a time, each on one of these. */
  readonly cpus: readonly number[];
  /** A housekeeping CPU for everything else. */
  readonly controlCpu?: number | undefined;
  /** spin: while somebody who asks for it is measured with. block: always sleeps until something comes. */
  readonly wait: 'spin' | 'block';
  /** An interface past whose kernel's stack it answers who asks for that. */
  readonly xdp?: string | undefined;
  /** The one address that may ask; undefined: whoever reaches it. */
  readonly only?: string | undefined;
  /** It ends itself then, whatever becomes of who started it; undefined: when it is ended. */
  readonly mostMs?: number | undefined;
  /** Who says nothing for so long is let go. */
  readonly idleMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** It listens; a client has come to its end. */
  readonly onEvent: (event: ResponderEvent) => void;
}

const count = z.int().min(0);

const listening = z.object({
  event: z.enum(['listening', 'ended']),
  address: z.string(),
  clients: count,
  /** Datagrams that belong to nobody who is measured with. Nothing is ever said to these. */
  strangers: count,
  /** Connections that did not begin as a probe of hft does. */
  refused: count,
});

const client = z.object({
  event: z.literal('client'),
  address: z.string(),
  transport: z.enum(['udp', 'tcp']),
  payloadBytes: count,
  cpu: count,
  wait: z.enum(['spin', 'block']),
  /** Past the kernel's stack. */
  xdp: z.boolean(),
  seconds: z.number(),
  received: count,
  replied: count,
  repeated: count,
  reordered: count,
  damaged: count,
  /** Came while the buffer of its socket was full. */
  overflowed: count,
  strangers: count,
  /** done: it said so. closed: it went without a word. idle: it was silent for too long. stopped: the responder was ended. */
  end: z.enum(['done', 'closed', 'idle', 'nonsense', 'stopped']),
});

const responderEvent = z.union([listening, client]);
export type ResponderEvent = z.output<typeof responderEvent>;
export type ResponderClient = z.output<typeof client>;

const NS_PER_MS = 1_000_000;
const GRACE_MS = 3_000;

/**
 * Runs hft-probe's responder until the signal; returns when it has ended. It dies with this process. Throws HftError where it
 * cannot listen, or broke off.
 */
export async function respond(host: Host, program: string, request: RespondRequest): Promise<void> {
  const child = await host.startChild([program, ...respondArguments(request)]);
  if (child === undefined) {
    throw new HftError(`${program} is not there: hft was built without a C compiler.`, {
      exitCode: 3,
      next: ['Install the hft package, or build it after installing gcc and libc6-dev.'],
    });
  }
  const release = endWith(child, request.signal);
  try {
    for await (const line of linesOf(child.output)) request.onEvent(responderEvent.parse(JSON.parse(line)));
    const { exitCode, stderr } = await child.ended;
    if (exitCode !== 0) throw explain(exitCode, stderr, program);
  } finally {
    release();
  }
}

function respondArguments(request: RespondRequest): string[] {
  const { listen, cpus, controlCpu, wait, xdp, only, mostMs, idleMs } = request;
  const options = {
    listen,
    cpus: printCpulist(cpus),
    ...(controlCpu === undefined ? {} : { 'control-cpu': controlCpu }),
    wait,
    ...(xdp === undefined ? {} : { xdp }),
    ...(only === undefined ? {} : { only }),
    ...(mostMs === undefined ? {} : { 'most-ns': mostMs * NS_PER_MS }),
    'idle-ns': idleMs * NS_PER_MS,
    parent: process.pid,
  };
  return ['serve', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])];
}

/** Returns what takes the watch away, and the child with it if it still runs. */
function endWith(child: Child, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    child.signal('SIGTERM');
    timer = setTimeout(() => child.signal('SIGKILL'), GRACE_MS);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    child.signal('SIGKILL');
  };
}

async function* linesOf(output: AsyncIterable<Buffer>): AsyncIterable<string> {
  let rest = '';
  for await (const piece of output) {
    const lines = (rest + piece.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function explain(exitCode: number, stderr: string, program: string): HftError {
  const why = readUnsupported(stderr);
  if (exitCode === 3 && why.status === 'unsupported') {
    return new HftError(`The responder cannot listen: ${why.reason}.`, { next: [`It needs ${why.need}.`] });
  }
  const how = exitCode > 128 ? `was ended by signal ${exitCode - 128}` : `ended with exit code ${exitCode}`;
  return new HftError(`${program} ${how}: ${stderr.trim() || 'it said nothing'}`, { exitCode: 3 });
}
