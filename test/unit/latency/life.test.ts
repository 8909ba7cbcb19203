import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import { FrameReader } from '../../../src/latency/probe/frames.ts';
import { type Measured, measure } from '../../../src/latency/probe/measure.ts';
import type { Variant } from '../../../src/latency/probe/probe.ts';
import { handlesSigterm, isAlive } from '../../processes.ts';
import { CPUS, compileStrictly, makeFolder } from './program.ts';

/** How hft-probe ends: with its parent, at its deadline, when asked, and when it cannot begin. Real processes. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const [first, second] = CPUS as [number, number];
const MS = 1_000_000;
const JITTER: Variant = { name: '', cpus: [first], spins: true, policy: 'other', options: {} };

/** The time limit of the test is the only one: what is not killed runs for longer than that. */
async function untilEnded(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20);
}

/** The pid that children/measure.ts says; its output is read on. */
function untilStarted(parent: ChildProcess): Promise<number> {
  let said = '';
  return new Promise((resolve) => {
    parent.stdout?.on('data', (piece: Buffer) => {
      said += piece.toString();
      const pid = /^(?<pid>\d+)\n/.exec(said)?.groups?.pid;
      if (pid !== undefined) resolve(Number(pid));
    });
  });
}

describe('killed with its parent', () => {
  // It has nothing to write for many seconds after each of these, so that it is not the closed pipe that ends it.
  const POINTS = [
    ['at once', 30_000, 0],
    ['while it starts', 30_000, 15],
    ['in the warm-up', 30_000, 300],
    ['while it measures', 20, 800],
  ] as const;

  test.each(POINTS)('%s', async (_, warmupMs, laterMs) => {
    const script = join(import.meta.dirname, 'children/measure.ts');
    const argv = [script, program, `${first}`, `${second}`, `${warmupMs}`];
    const parent = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await untilStarted(parent);
    await sleep(laterMs);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL']);
    await untilEnded(pid);
  });

  test('that is another one than the one who meant to start it', () => {
    const { status, stderr } = spawnSync(program, ['jitter', '--cpus', `${first}`, '--parent', '1'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'hft-probe: the parent ended before the start\n' });
  });
});

function measureJitter(changes: Partial<Parameters<typeof measure>[1]>): Promise<Measured> {
  const asked = {
    program,
    probe: 'jitter',
    variant: JITTER,
    housekeeping: [first, second],
    durationMs: 20_000,
    warmupMs: 50,
    blockMs: 20,
  };
  return measure(new LocalHost(), { ...asked, ...changes });
}

describe('the deadline', () => {
  test('ends a run in order, which is marked as cut', () => {
    const begun = Date.now();
    const argv = [
      '--cpus',
      `${first}`,
      '--warmup-ns',
      `${20 * MS}`,
      '--duration-ns',
      `${60_000 * MS}`,
      '--deadline-ns',
      `${400 * MS}`,
    ];
    const output = execFileSync(program, ['jitter', ...argv], { maxBuffer: 1e8 });
    // By itself it would have ended after a minute.
    expect(Date.now() - begun).toBeLessThan(40_000);
    expect(output.toString('latin1')).toContain('"cut":"deadline"');
  });

  const killLate = (policy: 'other' | 'fifo') => {
    const argv = ['--cpus', `${first}`, '--warmup-ns', `${60_000 * MS}`, '--deadline-ns', `${100 * MS}`];
    const begun = Date.now();
    const { signal } = spawnSync(program, ['jitter', ...argv, '--policy', policy]);
    expect(signal).toBe('SIGKILL');
    expect(Date.now() - begun).toBeGreaterThan(1_000);
    expect(Date.now() - begun).toBeLessThan(40_000);
  };

  test('kills a program that does not get to that, one second later', () => killLate('other'));

  const whyNot = process.getuid?.() === 0 && CPUS.length > 1 ? '' : ' (skipped: needs root, and a CPU beside it)';
  test.skipIf(whyNot !== '')(`also under SCHED_FIFO, which nothing else on its CPU could end${whyNot}`, () =>
    killLate('fifo'),
  );
});

describe('an abort', () => {
  test('gives what was measured until then, marked as cut', async () => {
    const abort = new AbortController();
    const onProgress = ({ phase, share }: { phase: string; share: number }) => {
      if (phase === 'measuring' && share > 0.005) abort.abort();
    };
    const measured = await measureJitter({ signal: abort.signal, onProgress });
    if (measured.status !== 'measured') throw new Error(JSON.stringify(measured));
    const { result, streams } = measured.run;
    expect(result.cut).toBe('SIGTERM');
    const exposureNs = streams[0]?.blocks.reduce((sum, { durationNs }) => sum + durationNs, 0) ?? 0;
    expect(exposureNs).toBeGreaterThan(0.005 * 20_000 * MS);
    expect(exposureNs).toBeLessThan(10_000 * MS);
  });

  test.each([
    ['wakeup', [], 1],
    ['core-to-core', [], 2],
    ['shm', ['--rate', '1'], 2],
    ['shm', ['--rate', '1', '--wait', 'block', '--direction', 'one-way'], 2],
    ['futex', ['--rate', '1', '--wait', 'block'], 2],
    ['pipe', ['--rate', '1', '--wait', 'block', '--direction', 'one-way'], 2],
    ['pipeline', ['--rate', '1', '--wait', 'block'], 2],
    ['tcp', ['--rate', '1'], 2],
    ['udp', ['--rate', '1', '--wait', 'block', '--direction', 'one-way'], 2],
  ] as const)('%s %j ends in order, in the warm-up too', async (probe, options, cpuCount) => {
    const cpus = CPUS.slice(0, cpuCount).join(',');
    for (const warmupMs of [20_000, 20]) {
      const span = ['--warmup-ns', `${warmupMs * MS}`, '--duration-ns', `${20_000 * MS}`];
      const child = spawn(program, [probe, '--cpus', cpus, ...span, ...options], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const pieces: Buffer[] = [];
      child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
      while (!handlesSigterm(child.pid as number)) await sleep(1);
      // Well into the warm-up, or the measurement.
      await sleep(300);
      const asked = Date.now();
      child.kill('SIGTERM');
      expect(await once(child, 'close')).toEqual([0, null]);
      // By itself it would have ended after 20 s.
      expect(Date.now() - asked).toBeLessThan(15_000);
      const frames = [...new FrameReader().push(Buffer.concat(pieces))];
      expect(frames.at(-1)).toMatchObject({ type: 'result', json: { cut: 'SIGTERM' } });
      const durations = frames.flatMap((frame) => (frame.type === 'block' ? [frame.block.durationNs] : []));
      expect(durations.every((durationNs) => durationNs < 10_000 * MS)).toBe(true);
    }
  });

  test('before the start measures nothing', async () => {
    const measured = await measureJitter({ signal: AbortSignal.abort() });
    // The signal may come before the program knows it, which ends it at once.
    if (measured.status === 'measured') expect(measured.run.result.cut).toBe('SIGTERM');
    else expect(measured).toMatchObject({ status: 'failed', reason: expect.stringContaining('signal 15') });
  });

  test('an error of the reader ends the program', async () => {
    const host = new LocalHost();
    let pid = 0;
    const telling = Object.assign(Object.create(host) as LocalHost, {
      startChild: async (argv: readonly string[]) => {
        const child = await host.startChild(argv);
        pid = child?.pid ?? 0;
        return child;
      },
    });
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase === 'measuring') throw new Error('planted');
    };
    const asked = {
      program,
      probe: 'jitter',
      variant: JITTER,
      housekeeping: [first, second],
      // Longer than the time limit of the test.
      durationMs: 120_000,
      warmupMs: 20,
      blockMs: 20,
    };
    await expect(measure(telling, { ...asked, onProgress })).rejects.toThrow('planted');
    expect(pid).toBeGreaterThan(0);
    await untilEnded(pid);
  });
});

describe('what cannot begin', () => {
  test('a program that is not there is unsupported and says what to install', async () => {
    expect(await measureJitter({ program: join(folder.path, 'none') })).toEqual({
      status: 'unsupported',
      reason: expect.stringContaining('is not there'),
      need: expect.stringContaining('gcc'),
    });
  });

  test('a CPU that is not there', async () => {
    const variant = { ...JITTER, cpus: [1023] };
    expect(await measureJitter({ variant })).toEqual({
      status: 'unsupported',
      reason: 'nothing can be pinned to CPU 1023',
      need: expect.stringContaining('online'),
    });
  });

  test('an option that the program does not know is a failure with its words', async () => {
    const variant = { ...JITTER, options: { 'no-such': 1 } };
    expect(await measureJitter({ variant })).toEqual({
      status: 'failed',
      reason: expect.stringContaining('there is no option --no-such here'),
    });
  });

  test('SCHED_FIFO without the right to it says which right', () => {
    const isRoot = process.getuid?.() === 0;
    const asNobody = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
    const argv = ['prlimit', '--rtprio=0:0', ...asNobody, program, 'wakeup', '--cpus', `${first}`, '--policy', 'fifo'];
    const { status, stderr } = spawnSync(argv[0] as string, argv.slice(1), { encoding: 'utf8', cwd: '/' });
    expect(status).toBe(3);
    expect(JSON.parse(stderr)).toEqual({
      unsupported: 'SCHED_FIFO priority 1 is not allowed here',
      need: expect.stringMatching(/CAP_SYS_NICE.*rtprio.*limits/),
    });
  });

  const USAGE: readonly (readonly [argv: string, says: RegExp])[] = [
    ['', /expected the name of a probe/],
    ['nonsense', /there is no probe "nonsense"/],
    ['jitter', /--cpus is missing/],
    ['jitter --cpus', /--cpus needs a value/],
    ['jitter cpus 1', /expected an option such as --cpus, got "cpus"/],
    ['jitter --cpus 1-', /expected a CPU list/],
    ['jitter --cpus 3-1', /expected a CPU list/],
    ['jitter --cpus 1,1', /CPU 1 is given twice/],
    ['jitter --cpus 5000', /expected a CPU list/],
    ['jitter --cpus 0 --duration-ns -5', /expected a whole number/],
    ['jitter --cpus 0 --duration-ns 5s', /expected a whole number/],
    ['jitter --cpus 0 --block-ns 99999999999999', /expected a whole number from 1000000 to 10000000000/],
    ['jitter --cpus 0 --policy rr', /expected other, fifo/],
    ['wakeup --cpus 0 --policy fifo:99', /from 1 to 98/],
    ['core-to-core --cpus 0', /needs two CPUs/],
    ['shm --cpus 0', /needs two CPUs/],
    ['shm --cpus 0,1 --payload 100', /whole cache lines/],
    ['tcp --cpus 0', /tcp needs two CPUs/],
    ['udp --cpus 0,1 --pages 2m', /there is no option --pages here/],
    ['load --kind cpu --cpus 0', /"cpu" is none of its words/],
    ['load --kind network --cpus 0', /in pairs, got 1/],
    ['shm --cpus 0,1 --wait poll', /"poll" is none of its words/],
    ['wakeup --cpus 0 --threshold-ns 5', /there is no option --threshold-ns here/],
  ];
  test.each(USAGE)('hft-probe %s', (line, says) => {
    const { status, stderr, stdout } = spawnSync(program, line.split(' ').filter(Boolean), { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a spinning SCHED_FIFO thread does not share the CPU of the control thread', () => {
    const argv = ['jitter', '--cpus', `${first}`, '--control-cpu', `${first}`, '--policy', 'fifo'];
    const { status, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toContain('would lock out the control thread');
  });
});
