import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResponderEvent } from '../../../../src/latency/probe/respond.ts';
import type { ProbeRun } from '../../../../src/latency/probe/run.ts';
import { freePort } from '../../../free-port.ts';
import { CPUS } from '../program.ts';
import { type Ended, follow, runOf, start } from '../servers/scripted.ts';

/** A responder of the test: hft-probe's own, and what it says. */
export interface TestResponder {
  readonly child: ChildProcess;
  readonly address: string;
  readonly port: number;
  readonly events: ResponderEvent[];
  readonly said: () => string;
  /** Returns when it has ended by SIGTERM. */
  end(): Promise<number | null>;
}

export const MS = 1_000_000;
const [asker, answerer] = [CPUS[0], CPUS.at(-1)] as [number, number];

/** The words before the program, such as `ip netns exec NAME`. */
export type Within = readonly string[];

export interface ResponderOptions {
  readonly within?: Within;
  readonly host?: string;
  readonly port?: number;
  readonly more?: readonly string[];
}

/** Returns when it listens. */
export async function startResponder(
  program: string,
  { within = [], host = '127.0.0.1', port, more = [] }: ResponderOptions = {},
): Promise<TestResponder> {
  const its = port ?? (await freePort());
  const address = `${host}:${its}`;
  const options = ['--wait', 'block', ...more];
  const [command, ...argv] = [...within, program, 'serve', '--listen', address, '--cpus', `${answerer}`, ...options];
  const child = spawn(command as string, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const events: ResponderEvent[] = [];
  let complained = '';
  let rest = '';
  child.stderr?.on('data', (piece: Buffer) => {
    complained += piece.toString();
  });
  child.stdout?.on('data', (piece: Buffer) => {
    const lines = (rest + piece.toString()).split('\n');
    rest = lines.pop() ?? '';
    events.push(...lines.map((line) => JSON.parse(line) as ResponderEvent));
  });
  const closed = once(child, 'close');
  await until(() => events.length > 0 || child.exitCode !== null);
  const end = async () => {
    child.kill('SIGTERM');
    await closed;
    return child.exitCode;
  };
  return { child, address, port: its, events, said: () => complained, end };
}

export async function until<T>(what: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + 100_000; Date.now() < end; await sleep(10)) {
    const found = what();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`waited in vain for ${what}`);
}

const SPAN = ['--duration-ns', `${600 * MS}`, '--warmup-ns', `${50 * MS}`, '--block-ns', `${20 * MS}`];

/** The probe, which has 600 ms in turns of 20 ms: 4 of 30 turns are stamped. */
export function startProbe(program: string, address: string, more: readonly string[] = [], within: Within = []) {
  const where = ['network', '--cpus', `${asker}`, '--server', address];
  const [command, ...argv] = [...within, program, ...where, '--rate', '500', '--wait', 'block', ...SPAN, ...more];
  return start(command as string, argv);
}

export async function askPeer(...asked: Parameters<typeof startProbe>): Promise<Ended> {
  return follow(startProbe(...asked));
}

/** What must hold of every run, whatever the machine was busy with. */
export interface Counted {
  readonly sent: number;
  readonly samples: number;
  readonly dropped: number;
}

export function count(run: ProbeRun): Counted {
  const whole = run.streams.filter(({ name }) => name !== 'part');
  const samples = whole.flatMap(({ blocks }) => blocks).reduce((sum, block) => sum + block.count, 0);
  return { sent: run.result.sent ?? 0, samples, dropped: run.result.dropped ?? 0 };
}

/** The samples of a part of the round trip: how many, the shortest and the longest. */
export function partOf(run: ProbeRun, ending: string) {
  const blocks = run.streams.filter(({ part }) => part?.endsWith(`-${ending}`) === true).flatMap((each) => each.blocks);
  const seen = blocks.filter((block) => block.count > 0);
  return {
    count: seen.reduce((sum, block) => sum + block.count, 0),
    minNs: Math.min(...seen.map(({ minNs }) => minNs)),
    maxNs: Math.max(...seen.map(({ maxNs }) => maxNs)),
  };
}

/** A run that came to its end; what it said otherwise. */
export function runOrComplaint(ended: Ended): ProbeRun {
  if (ended.exitCode !== 0) throw new Error(`hft-probe ended with ${ended.exitCode}: ${ended.stderr}`);
  return runOf(ended);
}
