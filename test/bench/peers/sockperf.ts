import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../measure.ts';
import { medianNs, startProbe, streamOf } from '../probe/run.ts';
import { judge, type Place, say } from './place.ts';

const ROUNDS = 5;
const SECONDS = 2;
/** Of the rounds, so many must have a figure of both. */
const LEAST_ROUNDS = 3;
const PAYLOAD_BYTES = 64;
const MOST_RATIO = 1.2;
const PORT = 17_311;

/** Round trips of 64 B over loopback, one after the other: sockperf's ping-pong, and the closed loops of tcp and udp, in turns. */
export async function besideSockperf(place: Place): Promise<boolean> {
  const met: boolean[] = [];
  console.log(
    `\nBeside sockperf ping-pong over 127.0.0.1, ${PAYLOAD_BYTES} B, CPUs ${place.control} and ${place.cpu}, closed loop, in turns:`,
  );
  console.log(`median of ${ROUNDS} medians of round trips, us, and each`);
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const wait of ['block', 'spin'] as const) met.push(await compare(place, protocol, wait));
  }
  return met.every(Boolean);
}

async function compare({ cpu, control }: Place, protocol: 'tcp' | 'udp', wait: 'block' | 'spin'): Promise<boolean> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const run = await startProbe([protocol, '--cpus', `${control},${cpu}`, '--wait', wait], SECONDS);
    const peer = await pingPong({ cpu, control, protocol, wait });
    if (peer === undefined) continue;
    ours.push(medianNs(streamOf(run, 'closed')) / 1000);
    theirs.push(peer);
  }
  const missing = ROUNDS - theirs.length;
  if (missing > 0)
    console.log(
      `  sockperf ${protocol}, ${wait}: measured nothing in ${missing} of ${ROUNDS} rounds, which are left out`,
    );
  if (theirs.length < LEAST_ROUNDS)
    return judge(`${protocol}, ${wait}, against sockperf`, `fewer than ${LEAST_ROUNDS} rounds`, false);
  say(`hft-probe ${protocol}, ${wait}`, ours, 2);
  say(`sockperf ${protocol}, ${wait}`, theirs, 2);
  const ratio = median(ours.map((value, round) => value / (theirs[round] as number)));
  return judge(
    `${protocol}, ${wait}, against sockperf`,
    `${ratio.toFixed(2)} x, wanted at most ${MOST_RATIO} x`,
    ratio <= MOST_RATIO,
  );
}

interface Asked {
  readonly cpu: number;
  readonly control: number;
  readonly protocol: 'tcp' | 'udp';
  readonly wait: 'block' | 'spin';
}

/** Its server on one CPU and its client on the other; the median that it prints, of whole round trips.
 *  undefined: where the two got no CPU at the same time for long it has "No valid observations". */
async function pingPong({ cpu, control, protocol, wait }: Asked): Promise<number | undefined> {
  const common = [
    '-i',
    '127.0.0.1',
    '-p',
    `${PORT}`,
    ...(protocol === 'tcp' ? ['--tcp'] : []),
    ...(wait === 'spin' ? ['--nonblocked'] : []),
  ];
  const server = spawn('taskset', ['-c', `${cpu}`, 'sockperf', 'server', ...common], { stdio: 'ignore' });
  const ended = once(server, 'close');
  try {
    await sleep(500);
    const client = ['ping-pong', ...common, '-m', `${PAYLOAD_BYTES}`, '-t', `${SECONDS}`, '--full-rtt'];
    const said = execFileSync('taskset', ['-c', `${control}`, 'sockperf', ...client], {
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const us = /percentile 50\.000\s*=\s*(?<us>[\d.]+)/.exec(said)?.groups?.us;
    if (us !== undefined) return Number(us);
    if (said.includes('No valid observations')) return undefined;
    throw new Error(`sockperf printed no median: ${said}`);
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
}
