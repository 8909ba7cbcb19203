import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { LocalHost } from '../../../src/host/local.ts';
import { startLoad } from '../../../src/latency/probe/load.ts';
import { chooseLoad } from '../../../src/latency/probe/load-cpus.ts';
import type { Measurement } from '../../../src/latency/probe/measure.ts';
import { measureUnderLoad } from '../../../src/latency/probe/under-load.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';
import { isAlive, readProc } from '../../processes.ts';
import { CPUS, compileStrictly, makeFolder } from './program.ts';

/** The load that runs beside a measurement: where, what it says of itself, and that it ends. Real processes but where a fake says so. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const [first, second] = CPUS as [number, number];

describe('CPUs of the load', () => {
  const SHAPE = { packages: 1, coresPerPackage: 8, threads: 1, kernel: { isolated: [4, 5, 6, 7] } };

  test.each([
    ['housekeeping: all but the first', 'housekeeping', [4, 5, 6, 7], [1, 2, 3]],
    ['housekeeping: none that measures', 'housekeeping', [2, 3], [1]],
    ['network: in pairs', 'network', [4, 5], [1, 2]],
    ['network: the first too, where there are two', 'network', [2, 3], [0, 1]],
  ] as const)('%s', (_, kind, measured, cpus) => {
    expect(chooseLoad(buildMachine(SHAPE), kind, measured)).toEqual({ kind, cpus });
  });

  test('no hyperthread of a CPU that measures', () => {
    const machine = buildMachine({ packages: 1, coresPerPackage: 4, threads: 2 });
    const { siblings } = machine.topology.cpus[3] as { siblings: readonly number[] };
    const { cpus } = chooseLoad(machine, 'housekeeping', [3]);
    expect(siblings).toHaveLength(2);
    expect(cpus.filter((cpu) => siblings.includes(cpu))).toEqual([]);
    expect(cpus).toHaveLength(5);
  });

  test.each([
    ['housekeeping', 2, /housekeeping CPUs only 0 is left beside those that are measured \(1\).*one more to bear/],
    ['network', 2, /only 0 is left .* needs two, to send and to receive/],
    ['housekeeping', 1, /none is left beside/],
  ] as const)('%s: a host of %i CPUs has none', (kind, coresPerPackage, says) => {
    const machine = buildMachine({ packages: 1, coresPerPackage, threads: 1 });
    const choose = () => chooseLoad(machine, kind, [coresPerPackage - 1]);
    expect(choose).toThrow(UsageError);
    expect(choose).toThrow(says);
  });
});

async function load(
  kind: 'housekeeping' | 'network',
  cpus: readonly number[],
  deadlineMs = 20_000,
  host = new LocalHost(),
) {
  const started = await startLoad(host, program, { kind, cpus, deadlineMs });
  if ('status' in started) throw new Error(JSON.stringify(started));
  return started;
}

describe('a load', () => {
  test('of housekeeping says what it did, a second', async () => {
    const running = await load('housekeeping', [first]);
    // Each kind of work has its turn in it, on a busy CPU too.
    await sleep(2000);
    const achieved = await running.end();
    if (typeof achieved === 'string') throw new Error(achieved);
    expect(achieved).toMatchObject({ kind: 'housekeeping', cpus: [first] });
    expect(achieved.seconds).toBeGreaterThan(0.25);
    const { copiedBytes, systemCalls, mappings, processes } = achieved.perSecond;
    for (const rate of [copiedBytes, systemCalls, mappings, processes]) expect(rate).toBeGreaterThan(0);
    expect(achieved.perSecond).not.toHaveProperty('sentPackets');
  });

  test('of packets has sent at least what it received', async () => {
    const running = await load('network', [first, second]);
    await sleep(300);
    const achieved = await running.end();
    if (typeof achieved === 'string') throw new Error(achieved);
    const { sentPackets = 0, receivedPackets = 0, sentBytes = 0 } = achieved.perSecond;
    expect(receivedPackets).toBeGreaterThan(0);
    expect(sentPackets).toBeGreaterThanOrEqual(receivedPackets);
    expect(sentBytes / sentPackets).toBeCloseTo(1024, 0);
  });

  test('runs on its CPUs alone, as an ordinary process, and so does what it starts', async () => {
    const child = spawn(program, ['load', '--cpus', `${first}`, '--deadline-ns', '20000000000'], { stdio: 'pipe' });
    await once(child.stdout, 'data');
    const seen = await watchThreads(child.pid as number);
    child.kill('SIGTERM');
    await once(child, 'close');
    // Its main thread only waits for the end.
    expect(seen.workers.size).toBeGreaterThan(0);
    for (const { cpus, nice, policy } of seen.workers.values()) {
      expect({ cpus, nice, policy }).toEqual({ cpus: `${first}`, nice: 0, policy: 0 });
    }
    for (const cpus of seen.children) expect(cpus).toBe(`${first}`);
    expect(seen.children.length).toBeGreaterThan(0);
  });

  test('that ends before it is asked to is none', async () => {
    const host = new LocalHost();
    let pid = 0;
    const telling = Object.assign(Object.create(host) as LocalHost, {
      startChild: async (argv: readonly string[]) => {
        const child = await host.startChild(argv);
        pid = child?.pid ?? 0;
        return child;
      },
    });
    const running = await load('housekeeping', [first], 300, telling);
    await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
    expect(await running.end()).toBe('The load ended before the measurement.');
  });

  test('on a CPU that is not there says so', async () => {
    const options = { kind: 'housekeeping', cpus: [1023], deadlineMs: 5000 } as const;
    expect(await startLoad(new LocalHost(), program, options)).toEqual({
      status: 'unsupported',
      reason: 'No load: nothing can be pinned to CPU 1023',
      need: expect.stringContaining('online'),
    });
  });

  test('ends with its parent', async () => {
    const script = `"$1" load --cpus ${first} --deadline-ns 60000000000 --parent $$ & echo $!; sleep 60`;
    const parent = spawn('bash', ['-c', script, 'bash', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    parent.stdout.on('data', (piece: Buffer) => {
      said += piece.toString();
    });
    const pidOf = () => Number(/^\d+/m.exec(said)?.[0]);
    await expect.poll(() => said.includes('ready') && pidOf() > 0, { timeout: 60_000 }).toBe(true);
    expect(isAlive(pidOf())).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pidOf()), { timeout: 60_000 }).toBe(false);
  });

  test('ends at its deadline by itself', () => {
    const argv = ['load', '--cpus', `${first}`, '--deadline-ns', '300000000'];
    const { status, stdout } = spawnSync(program, argv, { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('"ended":"deadline"');
  });
});

/** What its threads and children were seen with, until each kind was seen. */
async function watchThreads(pid: number) {
  const workers = new Map<string, { cpus: string; nice: number; policy: number }>();
  const children: string[] = [];
  for (let look = 0; look < 3000 && (children.length < 3 || workers.size === 0); look++) {
    const threads = textOf(`/proc/${pid}/task`);
    for (const thread of threads.filter((name) => name !== `${pid}`)) {
      const stat = readProc(`/proc/${pid}/task/${thread}/stat`).split(') ')[1]?.split(' ') ?? [];
      const found = {
        cpus: cpusOf(`/proc/${pid}/task/${thread}/status`),
        nice: Number(stat[16]),
        policy: Number(stat[38]),
      };
      if (found.cpus !== '') workers.set(thread, found);
      for (const child of readProc(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean)) {
        const cpus = cpusOf(`/proc/${child}/status`);
        if (cpus !== '') children.push(cpus);
      }
    }
    await sleep(1);
  }
  return { workers, children };
}

function textOf(path: string): string[] {
  return spawnSync('ls', [path], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
}

function cpusOf(status: string): string {
  return /^Cpus_allowed_list:\s*(?<list>\S+)/m.exec(readProc(status))?.groups?.list ?? '';
}

describe('a measurement under load', () => {
  const measurement = (changes: Partial<Measurement> = {}): Measurement => ({
    program,
    probe: 'wakeup',
    variant: { name: '', cpus: [first], spins: false, policy: 'other', options: {} },
    housekeeping: [first, second],
    durationMs: 200,
    warmupMs: 50,
    blockMs: 20,
    ...changes,
  });

  test('says what ran, for longer than it measured', async () => {
    const measured = await measureUnderLoad(new LocalHost(), measurement(), { kind: 'housekeeping', cpus: [second] });
    if (measured.status !== 'measured') throw new Error(JSON.stringify(measured));
    expect(measured.load).toMatchObject({ kind: 'housekeeping', cpus: [second] });
    expect(measured.load?.seconds).toBeGreaterThan(0.25);
    expect(measured.load?.perSecond.processes).toBeGreaterThan(0);
  });

  test('without one says nothing of it', async () => {
    const measured = await measureUnderLoad(new LocalHost(), measurement(), undefined);
    expect(measured).not.toHaveProperty('load');
  });

  const recorded = readFileSync(join(import.meta.dirname, 'recorded/wakeup.frames'), 'latin1');
  const playing = (load: string) => {
    const answer = (stdout: string) => ({ found: true as const, exitCode: 0, stdout, stderr: '' });
    const host = new FakeHost({}, { '/hft-probe': answer(recorded) });
    return Object.assign(Object.create(host) as FakeHost, {
      startChild: (argv: readonly string[]) =>
        argv[1] === 'load' ? new FakeHost({}, { '/hft-probe': answer(load) }).startChild(argv) : host.startChild(argv),
    });
  };
  const FULL = '{"kind":"housekeeping","cpus":[1],"nice":0,"seconds":2,"ended":"asked","copiedBytes":10}';

  test.each([
    ['that lasted', `ready\n${FULL}\n`, 'measured', undefined],
    ['that broke off', 'ready\n', 'failed', 'The load broke off: it said nothing (exit code 0).'],
    [
      'that reached its deadline',
      `ready\n${FULL.replace('asked', 'deadline')}\n`,
      'failed',
      'The load ended before the measurement.',
    ],
    ['that says something else', 'ready\nbye\n', 'failed', 'The load did not say what it did: "bye".'],
    ['that never began', '', 'failed', 'The load could not be started: it said nothing (exit code 0).'],
  ])('%s', async (_, said, status, reason) => {
    const asked = measurement({ program: '/hft-probe' });
    const measured = await measureUnderLoad(playing(said), asked, { kind: 'housekeeping', cpus: [second] });
    expect(measured).toMatchObject({ status, ...(reason && { reason }) });
    if (measured.status === 'measured') expect(measured.load?.perSecond).toEqual({ copiedBytes: 5 });
  });
});
