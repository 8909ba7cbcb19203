import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FIRST, LAST, Launched, REFERENCE } from '../cli/launched.ts';
import { median } from './measure.ts';
import type { BenchPlaces } from './report.ts';

const ROUNDS = 5;
const MOST_S = 2;
/** It is not seen at all. */
const GIVE_UP_S = 20;
const PAUSE_MS = 10;

interface Misbehaviour {
  readonly what: string;
  /** What `hft ps --watch` prints of it. */
  readonly line: RegExp;
  act(here: Launched, round: number): Promise<unknown>;
  /** What is as it was placed again. */
  undo?(here: Launched): Promise<unknown>;
}

const ask = (request: string) => (here: Launched) => here.ask('md', request);
let stranger: ChildProcess;

const MISBEHAVIOURS: readonly Misbehaviour[] = [
  {
    what: 'a thread that moved itself',
    line: /processes\.cpus@md\/moved {2}since /,
    act: ask(`move moved ${LAST}`),
    undo: ask(`move moved ${FIRST}`),
  },
  {
    what: 'another policy',
    line: /processes\.policy@md\/policed {2}since /,
    act: ask('policy policed other 3'),
    undo: ask('policy policed batch 0'),
  },
  {
    what: 'a stranger on its CPU',
    line: new RegExp(`processes\\.strangers@cpu${LAST} {2}since .*\\n.*sleep \\(process`),
    act: async () => {
      stranger = spawn('taskset', ['-c', `${LAST}`, 'sleep', '600'], { stdio: 'ignore' });
    },
    undo: async () => {
      const ended = once(stranger, 'exit');
      stranger.kill('SIGKILL');
      await ended;
    },
  },
  {
    what: 'a storm of page faults',
    line: /processes\.faults@md\/faulting {2}since /,
    act: async (here) => {
      for (let burst = 0; burst < 20; burst++) {
        await here.ask('md', 'fault faulting 20000');
        await sleep(100);
      }
    },
  },
  {
    what: 'a new thread',
    line: /processes\.threads@md {2}since /,
    act: (here, round) => here.ask('md', `thread intruder-${round} block`),
  },
  {
    what: 'a process that was killed',
    line: /processes\.running@md {2}/,
    act: async (here) => process.kill(here.process('md').pid as number, 'SIGKILL'),
  },
];

/** How long until `hft ps --watch` says what went wrong, each by the clock of who did it. True when each is within two seconds. */
export async function benchSeen(_: BenchPlaces): Promise<boolean> {
  if (FIRST === LAST) throw new Error('two CPUs are needed');
  console.log(`\nUntil hft ps --watch says it, s: ${ROUNDS} rounds (wanted: each at most ${MOST_S})`);
  const seconds = new Map<string, number[]>(MISBEHAVIOURS.map(({ what }) => [what, []]));
  for (let round = 0; round < ROUNDS; round++) await measureAll(seconds, round);
  return [...seconds].map(([what, values]) => say(what, values)).every(Boolean);
}

/** A launch of its own for each round: what was seen once goes on being told for a while. */
async function measureAll(seconds: ReadonlyMap<string, number[]>, round: number): Promise<void> {
  const here = new Launched();
  try {
    await launch(here);
    for (const each of MISBEHAVIOURS) seconds.get(each.what)?.push(await measure(here, each, round));
  } finally {
    await here.end();
  }
}

async function launch(here: Launched): Promise<void> {
  const threads = ['rx', 'moved', 'policed', 'faulting'].map((name) => `--thread, "${name}:block"`).join(', ');
  const profile = here.write('own.yaml', `layout: { housekeeping: "${FIRST}", isolated: "${LAST}" }`);
  const file = here.write(
    'seen.yaml',
    `profile: ${profile}
processes:
  md:
    command: [${REFERENCE}, --socket, ${here.socket('md')}, ${threads}]
    cpus: [${LAST}]
    threads: { rx: own, moved: ${FIRST}, policed: { cpus: ${FIRST}, policy: batch }, faulting: ${FIRST}, "*": ${FIRST} }
    restart: { when: always, delay: 10ms }
`,
  );
  const launched = await here.hft(`launch ${file} --gate none --wait`);
  if (launched.exitCode !== 0) throw new Error(launched.stdout + launched.stderr);
}

async function measure(here: Launched, { line, act, undo }: Misbehaviour, round: number): Promise<number> {
  const file = join(here.folder, 'seen');
  const output = openSync(file, 'w');
  const environment = { ...here.environment, COLUMNS: '10000' };
  const watch = spawn(join(import.meta.dirname, '../../bin/hft'), ['ps', '--watch'], {
    env: environment,
    stdio: ['ignore', output, output],
  });
  try {
    // Its second look: from now on it knows what was before.
    const looks = () => readFileSync(file, 'utf8').match(/^Deployment /gm)?.length ?? 0;
    while (looks() < 2) await sleep(PAUSE_MS);
    // Anywhere in a second.
    await sleep(Math.random() * 1000);
    const from = statSync(file).size;
    const startMs = performance.now();
    const acting = act(here, round);
    const s = () => (performance.now() - startMs) / 1000;
    while (!line.test(readFileSync(file).subarray(from).toString()) && s() < GIVE_UP_S) await sleep(PAUSE_MS);
    const seenAfterS = s();
    await acting;
    await undo?.(here);
    return seenAfterS;
  } finally {
    const ended = once(watch, 'exit');
    watch.kill('SIGTERM');
    await ended;
  }
}

function say(what: string, seconds: readonly number[]): boolean {
  const isMet = Math.max(...seconds) <= MOST_S;
  const figures = seconds.map((s) => s.toFixed(2)).join(' ');
  console.log(`  ${what.padEnd(30)}  ${median(seconds).toFixed(2)}  (${figures})  ${isMet ? 'as wanted' : 'MISSED'}`);
  return isMet;
}
