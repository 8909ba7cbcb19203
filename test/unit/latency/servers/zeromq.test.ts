import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { zeromq } from '../../../../src/latency/zeromq/zeromq.ts';
import { addZmqProbe, CPUS, compileSanitized, compileStrictly, makeFolder } from '../program.ts';
import { follow, runOf, samplesOf, start } from './scripted.ts';

/** ZeroMQ's patterns, with the libzmq that is installed. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
  addZmqProbe(program);
});
afterAll(() => folder.remove());

const [sender, receiver] = CPUS as [number, number];
const SPAN = ['--duration-ns', '200000000', '--warmup-ns', '20000000', '--block-ns', '20000000'];
/** Who spins takes its CPU from the library's own threads, which on a busy machine get a turn in hundreds of milliseconds. */
const SPAN_SPIN = ['--duration-ns', '3000000000', '--warmup-ns', '20000000', '--block-ns', '20000000'];
const PLACE = ['--cpus', `${sender},${receiver}`, '--sender-io-cpu', `${receiver}`, '--receiver-io-cpu', `${receiver}`];

function need(context: TestContext): void {
  const known = execFileSync('ldconfig', ['-p'], { encoding: 'utf8', env: { PATH: '/usr/sbin:/sbin:/usr/bin' } });
  if (!known.includes('libzmq.so.5')) context.skip('needs libzmq5 installed');
}

describe.each([
  ['req-rep', 'round-trip'],
  ['push-pull', 'one-way'],
  ['pub-sub', 'one-way'],
] as const)('%s', (pattern, direction) => {
  test.for(['block', 'spin'])('%s: what is sent arrives, or is counted', async (wait, context) => {
    need(context);
    const span = wait === 'spin' ? SPAN_SPIN : SPAN;
    const argv = ['zeromq', '--pattern', pattern, '--wait', wait, '--rate', '200', ...PLACE, ...span];
    const ended = await follow(start(program, argv));
    expect({ stderr: ended.stderr, exitCode: ended.exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const run = runOf(ended);
    const { sent, dropped } = run.result as { sent?: number; dropped?: number };
    expect(samplesOf(run.streams) + (dropped ?? 0)).toBe(sent);
    expect(samplesOf(run.streams)).toBeGreaterThan(0);
    expect(run.result.damaged).toBe(0);
    if (pattern !== 'pub-sub') expect(dropped).toBe(0);
    expect(run.meta).toMatchObject({
      direction,
      part: pattern,
      wait,
      library: expect.stringMatching(/^libzmq 4\./),
      ioCpus: [receiver, receiver],
    });
    const [measure] = zeromq.report(
      run,
      zeromq.variants({ cpus: [sender, receiver], suite: 'quick' })[0] as never,
    ).measures;
    expect(measure).toMatchObject({ part: pattern, direction, software: expect.stringMatching(/^libzmq/) });
  });
});

test('the threads of the library stay on the CPUs that are given', async (context) => {
  need(context);
  const child = start(program, [
    'zeromq',
    '--rate',
    '200',
    ...PLACE,
    '--duration-ns',
    '60000000000',
    '--warmup-ns',
    '20000000',
  ]);
  const followed = follow(child);
  const threads = () =>
    readdirSync(`/proc/${child.pid}/task`).map((tid) => {
      const status = readFileSync(`/proc/${child.pid}/task/${tid}/status`, 'utf8');
      const of = (key: string) => new RegExp(`^${key}:\\s*(?<value>.*)$`, 'm').exec(status)?.groups?.value;
      return { name: of('Name'), cpus: of('Cpus_allowed_list') };
    });
  const io = () => threads().filter(({ name }) => /^ZMQbg\/IO/.test(name ?? ''));
  for (const end = Date.now() + 100_000; Date.now() < end && io().length < 2; ) await sleep(20);
  const found = io();
  child.kill('SIGTERM');
  expect(runOf(await followed).result.cut).toBe('SIGTERM');
  expect(found).toHaveLength(2);
  expect(new Set(found.map(({ cpus }) => cpus))).toEqual(new Set([`${receiver}`]));
});

describe('unsupported', () => {
  test('where there is no libzmq that can be loaded', async () => {
    const broken = join(folder.path, 'lib');
    mkdirSync(broken);
    writeFileSync(join(broken, 'libzmq.so.5'), 'no library');
    const ended = await follow(start(program, ['zeromq', ...PLACE, ...SPAN], { LD_LIBRARY_PATH: broken }));
    expect({ exitCode: ended.exitCode, stdout: ended.stdout.length }).toEqual({ exitCode: 3, stdout: 0 });
    expect(JSON.parse(ended.stderr)).toEqual({
      unsupported: expect.stringContaining('libzmq cannot be loaded'),
      need: expect.stringMatching(/^libzmq5 /),
    });
  });

  test('where the second program is missing', async () => {
    renameSync(`${program}-zmq`, `${program}-elsewhere`);
    const ended = await follow(start(program, ['zeromq', ...PLACE, ...SPAN]));
    renameSync(`${program}-elsewhere`, `${program}-zmq`);
    expect(ended.exitCode).toBe(3);
    expect(JSON.parse(ended.stderr).unsupported).toContain(`${program}-zmq is not there`);
  });
});

test('under the address and undefined-behaviour sanitizers', async (context) => {
  need(context);
  const sanitized = compileSanitized(folder.path);
  addZmqProbe(sanitized);
  for (const pattern of ['req-rep', 'push-pull', 'pub-sub']) {
    const argv = ['zeromq', '--pattern', pattern, '--wait', 'block', '--rate', '100', ...PLACE, ...SPAN];
    const ended = await follow(start(sanitized, argv));
    expect({ stderr: ended.stderr, exitCode: ended.exitCode }).toEqual({ stderr: '', exitCode: 0 });
  }
});
