import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { FrameReader } from '../../../../src/latency/probe/frames.ts';
import type { Measure } from '../../../../src/latency/probe/probe.ts';
import { type ProbeRun, RunAssembly } from '../../../../src/latency/probe/run.ts';
import { CPUS } from '../program.ts';

/** A server of the test on a port of 127.0.0.1: what it answers to everything that comes, as text. */
export type Answer = (request: string, socket: Socket) => string | undefined;

export interface ScriptedServer {
  readonly address: string;
  /** Everything that came, in its order. */
  readonly heard: readonly string[];
  close(): void;
}

export async function serve(answer: Answer): Promise<ScriptedServer> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      const request = piece.toString('latin1');
      heard.push(request);
      const reply = answer(request, socket);
      if (reply !== undefined) socket.write(Buffer.from(reply, 'latin1'));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, heard, close };
}

/** The commands of a piece of RESP: whole ones, as clients send them. */
export function parseCommands(request: string): string[][] {
  const commands: string[][] = [];
  const lines = request.split('\r\n');
  for (let at = 0; at < lines.length - 1; ) {
    const count = Number((lines[at] as string).slice(1));
    commands.push(Array.from({ length: count }, (_, word) => lines[at + 2 + 2 * word] as string));
    at += 1 + 2 * count;
  }
  return commands;
}

/** A Redis of one key: INFO, AUTH, SET with EX, GET, DEL. */
export function miniRedis(changes: Readonly<Record<string, (words: readonly string[]) => string>> = {}): Answer {
  const values = new Map<string, string>();
  const commands: Readonly<Record<string, (words: readonly string[]) => string>> = {
    INFO: () => '$21\r\nredis_version:9.8.7\r\n\r\n',
    SET: ([, key, value]) => {
      values.set(key as string, value as string);
      return '+OK\r\n';
    },
    GET: ([, key]) => {
      const value = values.get(key as string);
      return value === undefined ? '$-1\r\n' : `$${value.length}\r\n${value}\r\n`;
    },
    DEL: ([, key]) => `:${values.delete(key as string) ? 1 : 0}\r\n`,
    ...changes,
  };
  return (request) =>
    parseCommands(request)
      .map((words) => (commands[words[0] as string] ?? (() => `-ERR unknown command '${words[0]}'\r\n`))(words))
      .join('');
}

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What hft-probe came to; not spawnSync, so that a server of this process can answer it. */
export async function follow(child: ChildProcess): Promise<Ended> {
  const said: Buffer[] = [];
  const complained: Buffer[] = [];
  child.stdout?.on('data', (piece: Buffer) => said.push(piece));
  child.stderr?.on('data', (piece: Buffer) => complained.push(piece));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stdout: Buffer.concat(said), stderr: Buffer.concat(complained).toString() };
}

export function start(program: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
}

export function runOf({ stdout }: Ended): ProbeRun {
  const assembly = new RunAssembly();
  for (const frame of new FrameReader().push(stdout)) assembly.add(frame);
  const run = assembly.finish();
  if (run === undefined) throw new Error('there is no result');
  return run;
}

export function samplesOf(measures: readonly Pick<Measure, 'blocks'>[]): number {
  return measures.flatMap(({ blocks }) => blocks).reduce((sum, { count }) => sum + count, 0);
}

const SPAN = ['--duration-ns', '200000000', '--warmup-ns', '20000000', '--block-ns', '20000000'];

export type Question = readonly [
  probe: string,
  answer: Answer,
  more?: readonly string[],
  env?: Readonly<Record<string, string>>,
];

/** A short run of hft-probe against such a server, 500 requests a second. */
export async function askScripted(program: string, ...[probe, answer, more = [], env = {}]: Question) {
  const server = await serve(answer);
  const [cpu] = CPUS as [number];
  const where = ['--cpus', `${cpu}`, '--server', server.address];
  const ended = await follow(
    start(program, [probe, ...where, '--wait', 'block', '--rate', '500', ...SPAN, ...more], env),
  );
  server.close();
  return { ...ended, heard: server.heard, address: server.address };
}
