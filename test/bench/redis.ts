import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './measure.ts';
import { judge, say } from './peers/place.ts';
import { allowedCpus, isInstalled, medianNs, startProbe, streamOf } from './probe/run.ts';
import type { BenchPlaces } from './report.ts';

const ROUNDS = 7;
const SECONDS = 1;
const REQUESTS = 20_000;
const MOST_RATIO = 1.1;

/**
 * GET and SET of 64 B over one connection, one after the other: hft-probe beside redis-benchmark, in turns, client and server on the
 * same CPUs. True when hft-probe's median is at most 1.1 times the other's everywhere; what cannot be compared is not as wanted.
 */
export async function benchRedis({ scratch }: BenchPlaces): Promise<boolean> {
  const [serverCpu, clientCpu] = allowedCpus();
  if (serverCpu === undefined || clientCpu === undefined)
    throw new Error('two CPUs are needed: one for the server and one for the client');
  const missing = ['redis-server', 'redis-benchmark', 'redis-cli', 'taskset'].filter((name) => !isInstalled(name));
  if (missing.length > 0) {
    console.log(`\nNot compared: ${missing.join(', ')} not installed (Debian: redis-server redis-tools util-linux)`);
    return false;
  }
  const place = await startServer(scratch, serverCpu);
  try {
    let isMet = true;
    for (const way of ['unix', 'tcp'] as const) {
      for (const command of ['get', 'set'] as const) {
        if (!(await compare({ ...place, clientCpu }, way, command))) isMet = false;
      }
    }
    return isMet;
  } finally {
    place.server.kill('SIGKILL');
  }
}

interface Place {
  readonly server: ChildProcess;
  readonly socket: string;
  readonly port: number;
  readonly clientCpu: number;
}

async function startServer(scratch: string, cpu: number): Promise<Omit<Place, 'clientCpu'>> {
  const folder = mkdtempSync(join(scratch, 'redis-'));
  chmodSync(folder, 0o700);
  const socket = join(folder, 'socket');
  const port = await freePort();
  const settings = ['--save', '', '--appendonly', 'no', '--dir', folder, '--bind', '127.0.0.1', '--port', `${port}`];
  const argv = ['-c', `${cpu}`, 'redis-server', ...settings, '--unixsocket', socket, '--loglevel', 'warning'];
  const server = spawn('taskset', argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  for (let tries = 0; tries < 200; tries++) {
    if (isAnswering(socket)) return { server, socket, port };
    await sleep(50);
  }
  server.kill('SIGKILL');
  throw new Error('redis-server does not answer');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function isAnswering(socket: string): boolean {
  try {
    return execFileSync('redis-cli', ['-s', socket, 'ping'], { encoding: 'utf8', stdio: 'pipe' }).trim() === 'PONG';
  } catch {
    return false;
  }
}

async function compare(place: Place, way: 'unix' | 'tcp', command: 'get' | 'set'): Promise<boolean> {
  const { socket, port, clientCpu } = place;
  const ours: number[] = [];
  const theirs: number[] = [];
  // A GET of what is not there is another one: redis-benchmark's SET makes its key.
  benchmarkUs(place, way, 'set');
  for (let round = 0; round < ROUNDS; round++) {
    const server = way === 'unix' ? `unix:${socket}` : `127.0.0.1:${port}`;
    const argv = ['redis', '--cpus', `${clientCpu}`, '--server', server, '--command', command, '--wait', 'block'];
    ours.push(medianNs(streamOf(await startProbe(argv, SECONDS), 'closed')) / 1000);
    theirs.push(benchmarkUs(place, way, command));
  }
  console.log(
    `\n${command.toUpperCase()} of 64 B over ${way}, one connection, closed loop, us: median of ${ROUNDS} medians, and each`,
  );
  say('hft-probe redis', ours);
  say('redis-benchmark -c 1', theirs);
  const ratio = median(ours.map((us, round) => us / (theirs[round] as number)));
  return judge(
    'hft-probe against redis-benchmark',
    `${ratio.toFixed(2)} x, wanted at most ${MOST_RATIO} x`,
    ratio <= MOST_RATIO,
  );
}

/** Its median, from `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms",...`. */
function benchmarkUs({ socket, port, clientCpu }: Place, way: 'unix' | 'tcp', command: string): number {
  const where = way === 'unix' ? ['-s', socket] : ['-h', '127.0.0.1', '-p', `${port}`];
  const what = ['-c', '1', '-n', `${REQUESTS}`, '-t', command, '-d', '64', '--csv'];
  const text = execFileSync('taskset', ['-c', `${clientCpu}`, 'redis-benchmark', ...where, ...what], {
    encoding: 'utf8',
  });
  const [heads, values] = text
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.replaceAll('"', '')));
  const ms = Number(values?.[heads?.indexOf('p50_latency_ms') ?? -1]);
  if (!(ms > 0)) throw new Error(`redis-benchmark says no median: ${text}`);
  return ms * 1000;
}
