import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LocalHost } from '../../../../src/host/local.ts';
import { keepInstance, nameInstance, removeStaleInstances } from '../../../../src/latency/attribution/instance.ts';
import { FakeHost } from '../../../fake-host.ts';
import { compileStrictly, makeFolder } from '../program.ts';

/** The keeper is a real process; tracefs is a plain folder here. What a kernel makes of it is for the lab. */
const folder = makeFolder();
let program: string;
let tracefs: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
  tracefs = join(folder.path, 'tracing');
  mkdirSync(join(tracefs, 'instances'), { recursive: true });
  mkdirSync(join(tracefs, 'osnoise'));
});
afterAll(() => folder.remove());

const pathOf = (name: string) => join(tracefs, 'instances', name);

/** The time limit of the test is the only one. */
async function untilGone(path: string): Promise<boolean> {
  while (existsSync(path)) await sleep(10);
  return true;
}

async function keep(name: string, deadlineMs = 60_000) {
  const keeper = await keepInstance(new LocalHost(), { program, tracefs, name, deadlineMs });
  if ('reason' in keeper) throw new Error(keeper.reason);
  return keeper;
}

describe('the keeper', () => {
  test('makes the instance, and takes it away when it is told to', async () => {
    const keeper = await keep('hft-1-2-3');
    expect(keeper.folder).toBe(pathOf('hft-1-2-3'));
    expect(existsSync(keeper.folder)).toBe(true);
    await keeper.end();
    expect(existsSync(keeper.folder)).toBe(false);
  });

  test('ends at its deadline', async () => {
    const { folder: path } = await keep('hft-1-2-4', 1_000);
    expect(await untilGone(path)).toBe(true);
  });

  test('changes the option of osnoise that is the same for all, and puts it back', async () => {
    const options = join(tracefs, 'osnoise/options');
    writeFileSync(options, 'OSNOISE_WORKLOAD   ');
    const keeper = await keep('hft-1-2-5-w');
    expect(readFileSync(options, 'utf8')).toMatch(/^NO_OSNOISE_WORKLOAD/);
    await keeper.end();
    expect(readFileSync(options, 'utf8')).toMatch(/^OSNOISE_WORKLOAD/);
    expect(existsSync(keeper.folder)).toBe(false);
  });

  test('adds an event for shootdowns in a group of its own, and takes it away', async () => {
    const events = join(tracefs, 'kprobe_events');
    // The kernel reads each write as a command; a plain file keeps the last one, and what is longer of the one before.
    writeFileSync(events, '');
    const keeping = { program, tracefs, name: 'hft-1-2-6', deadlineMs: 60_000, addsShootdownEvent: true };
    const keeper = await keepInstance(new LocalHost(), keeping);
    expect(readFileSync(events, 'utf8')).toBe('p:hft_1_2_6/tlb_shootdown flush_tlb_func\n');
    if (!('reason' in keeper)) await keeper.end();
    expect(readFileSync(events, 'utf8')).toMatch(/^-:hft_1_2_6\/tlb_shootdown \n/);
    expect(existsSync(pathOf('hft-1-2-6'))).toBe(false);
  });

  test('a kernel without kprobes has no such event, and is traced all the same', async () => {
    const elsewhere = join(folder.path, 'without-kprobes');
    mkdirSync(join(elsewhere, 'instances'), { recursive: true });
    const keeping = { program, tracefs: elsewhere, name: 'hft-1-2-7', deadlineMs: 60_000, addsShootdownEvent: true };
    const keeper = await keepInstance(new LocalHost(), keeping);
    if ('reason' in keeper) throw new Error(keeper.reason);
    await keeper.end();
    expect(existsSync(keeper.folder)).toBe(false);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)('takes it away when its parent dies of %s', async (signal) => {
    const name = `hft-1-2-${signal}`;
    const argv = ['keep-trace', '--tracefs', tracefs, '--instance', name, '--deadline-ns', '60000000000'];
    const script = `require('child_process').spawn(process.argv[1], process.argv.slice(2), { detached: true, stdio: ['ignore', 'inherit', 'inherit'] }); setInterval(() => {}, 1000)`;
    const parent = spawn(process.execPath, ['-e', script, program, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(parent.stdout, 'data');
    expect(existsSync(pathOf(name))).toBe(true);
    parent.kill(signal);
    expect(await untilGone(pathOf(name))).toBe(true);
  });

  test.each([
    ['a place that is not there', '/nowhere', 'hft-1-2-3', /mkdir \/nowhere\/instances\/hft-1-2-3: No such file/],
    ['a name of somebody else', undefined, 'rtla', /begins with hft-/],
    ['a name that leads out', undefined, 'hft-/../../x', /begins with hft-/],
  ])('%s is refused with the reason', async (_, place, name, reason) => {
    const refused = await keepInstance(new LocalHost(), { program, tracefs: place ?? tracefs, name, deadlineMs: 1000 });
    expect('reason' in refused && refused.reason).toMatch(reason);
  });

  test('without the program it is said', async () => {
    const refused = await keepInstance(new LocalHost(), {
      program: '/no/hft-probe',
      tracefs,
      name: 'hft-1',
      deadlineMs: 1,
    });
    expect('reason' in refused && refused.reason).toContain('built without a C compiler');
  });
});

describe('instances that outlived their run', () => {
  const AT = '/sys/kernel/tracing';
  const stat = (pid: number, startTicks: number, state = 'S') =>
    `${pid} (a) b) ${state} 1 ${Array(17).fill(0).join(' ')} ${startTicks} 0 0\n`;

  function hostWith(...names: string[]): FakeHost {
    const host = new FakeHost({ '/proc/70/stat': stat(70, 500), '/proc/71/stat': stat(71, 600, 'Z') });
    host.links.set('/proc/self/ns/pid', 'pid:[4026531836]');
    host.files.set(`${AT}/osnoise/options`, 'NO_OSNOISE_WORKLOAD\n');
    for (const name of names) {
      host.folders.add(`${AT}/instances/${name}`);
      for (const file of ['tracing_on', 'current_tracer']) host.files.set(`${AT}/instances/${name}/${file}`, '1\n');
    }
    return host;
  }

  test('the name says whose it is', async () => {
    expect(await nameInstance(hostWith(), 70, false)).toBe('hft-4026531836-70-500');
    expect(await nameInstance(hostWith(), 70, true)).toBe('hft-4026531836-70-500-w');
  });

  test('are taken away, others are left alone', async () => {
    const dead = ['hft-4026531836-70-499', 'hft-4026531836-71-600', 'hft-4026531836-72-1'];
    const left = ['hft-4026531836-70-500', 'hft-99-72-1', 'rtla', 'hft-mine'];
    const host = hostWith(...dead, ...left);
    expect(await removeStaleInstances(host, AT)).toEqual(dead);
    expect(host.log.filter((line) => !line.includes('<-'))).toEqual(dead.map((name) => `${AT}/instances/${name}`));
    expect(host.log.filter((line) => line.includes('osnoise'))).toEqual([]);
  });

  test("osnoise's option is put back before the name that tells of it goes", async () => {
    const host = hostWith('hft-4026531836-72-1-w');
    await removeStaleInstances(host, AT);
    expect(host.log).toEqual([
      `${AT}/instances/hft-4026531836-72-1-w/tracing_on <- 0`,
      `${AT}/instances/hft-4026531836-72-1-w/current_tracer <- nop`,
      `${AT}/osnoise/options <- OSNOISE_WORKLOAD`,
      `${AT}/instances/hft-4026531836-72-1-w`,
    ]);
  });

  test('their event goes too, that of others stays', async () => {
    const host = hostWith('hft-4026531836-72-1');
    const own = 'p:hft_4026531836_72_1/tlb_shootdown flush_tlb_func\n';
    host.files.set(`${AT}/kprobe_events`, `p:kprobes/theirs do_exit\n${own}`);
    host.files.set(`${AT}/instances/hft-4026531836-72-1/events/hft_4026531836_72_1/enable`, '1\n');
    await removeStaleInstances(host, AT);
    expect(host.log).toEqual([
      `${AT}/instances/hft-4026531836-72-1/tracing_on <- 0`,
      `${AT}/instances/hft-4026531836-72-1/current_tracer <- nop`,
      `${AT}/instances/hft-4026531836-72-1/events/hft_4026531836_72_1/enable <- 0`,
      `${AT}/kprobe_events <- -:hft_4026531836_72_1/tlb_shootdown`,
      `${AT}/instances/hft-4026531836-72-1`,
    ]);
  });
});
