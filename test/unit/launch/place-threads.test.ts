import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compilePrograms, FIRST, LAST, type Programs, type Reference, startReference } from './reference.ts';

const TIME_LIMIT_MS = 180_000;
let programs: Programs;

beforeAll(() => {
  programs = compilePrograms();
}, TIME_LIMIT_MS);
afterAll(() => programs.remove());

function place(pid: number, specs: readonly string[], withinMs = 20_000) {
  const argv = ['place-threads', '--pid', String(pid), '--within-ms', String(withinMs), ...specs];
  const { status, stdout, stderr } = spawnSync(programs.probe, argv, { encoding: 'utf8' });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { exitCode: status, stderr, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

function allowed(pid: number, tid: number): string | undefined {
  const text = readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8');
  return /^Cpus_allowed_list:\s*(?<list>.*)$/m.exec(text)?.groups?.list;
}

async function withReference(argv: readonly string[], use: (reference: Reference) => void | Promise<void>) {
  const reference = await startReference(programs, argv);
  try {
    await use(reference);
  } finally {
    await reference.end();
  }
}

describe('place-threads', { timeout: TIME_LIMIT_MS }, () => {
  test('each thread by its rule: exact names, start order, patterns, all others', () =>
    withReference(['--thread', 'md-rx:spin', '--thread', 'gw-1:block', '--thread', 'gw-2:block'], (reference) => {
      const { exitCode, lines } = place(reference.pid, [
        `md-rx=${LAST}:batch:0`,
        `#0=${FIRST}:other:0`,
        `gw-*=${LAST}/${FIRST}:other:3`,
      ]);
      expect(exitCode).toBe(0);
      expect(lines.map(({ name, rule, cpus, policy }) => [name, rule, cpus, policy])).toEqual([
        ['hft-reference', '#0', String(FIRST), 'other'],
        ['md-rx', 'md-rx', String(LAST), 'batch'],
        ['gw-1', 'gw-*', String(LAST), 'other'],
        ['gw-2', 'gw-*', String(FIRST), 'other'],
      ]);
      expect(allowed(reference.pid, reference.tid('md-rx'))).toBe(String(LAST));
      expect(allowed(reference.pid, reference.tid('gw-2'))).toBe(String(FIRST));
    }));

  test('waits for a thread that the process starts later', () =>
    withReference([], async (reference) => {
      const argv = ['place-threads', '--pid', String(reference.pid), '--within-ms', '50000', `late=${LAST}:other:0`];
      const placing = spawn(programs.probe, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = new Promise((resolve) => placing.once('exit', resolve));
      expect(reference.ask('thread late block').exitCode).toBe(0);
      expect(await ended).toBe(0);
      expect(allowed(reference.pid, reference.tid('late'))).toBe(String(LAST));
    }));

  test('says which thread did not come, and has placed the others', () =>
    withReference(['--thread', 'md-rx:block'], (reference) => {
      const { exitCode, lines } = place(reference.pid, [`md-rx=${LAST}:other:0`, `md-tx=${FIRST}:other:0`], 50);
      expect(exitCode).toBe(1);
      expect(lines).toContainEqual({ missing: 'md-tx', wanted: 1, found: 0 });
      expect(allowed(reference.pid, reference.tid('md-rx'))).toBe(String(LAST));
    }));

  test('CPUs that are not there are read back as not taken', () =>
    withReference(['--thread', 'md-rx:block'], (reference) => {
      const { exitCode, lines } = place(reference.pid, ['md-rx=1023:other:0'], 50);
      expect(exitCode).toBe(1);
      expect(lines).toContainEqual(expect.objectContaining({ name: 'md-rx', failed: 'sched_setaffinity' }));
    }));

  test('a process that has ended', () => {
    const { pid } = spawnSync('/bin/true');
    expect(place(pid, [`#0=${FIRST}:other:0`], 50)).toMatchObject({ exitCode: 1, lines: [{ ended: pid }] });
  });

  test.each([
    ['md-rx', 'expected NAME=CPUS:POLICY:NUMBER'],
    ['=1:other:0', 'expected NAME=CPUS:POLICY:NUMBER'],
    ['md-rx=x:other:0', 'expected CPUs such as'],
    ['md-rx=1:idle:0', 'there is no policy "idle"'],
    ['md-rx=1:fifo:99', 'expected a number from 1 to 98'],
    ['md-rx=1:deadline:5000', 'expected a number'],
    ['*=0/1:other:0', 'all others have one set'],
  ])('%s is refused', (spec, message) => {
    const { exitCode, stderr } = place(process.pid, [spec]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('the reference process', { timeout: TIME_LIMIT_MS }, () => {
  test('moves its threads, starts new ones, and ends as it is told', () =>
    withReference(['--thread', 'md-rx:block'], async (reference) => {
      expect(reference.ask(`move md-rx ${LAST}`).exitCode).toBe(0);
      expect(allowed(reference.pid, reference.tid('md-rx'))).toBe(String(LAST));
      expect(reference.ask('thread extra spin').exitCode).toBe(0);
      expect(reference.tid('extra')).toBeGreaterThan(0);
      expect(reference.ask('move nobody 0')).toMatchObject({ exitCode: 1 });
      const ended = new Promise((resolve) => reference.child.once('exit', resolve));
      reference.ask('exit 7');
      expect(await ended).toBe(7);
    }));

  test('faults as often as it is told', () =>
    withReference(['--thread', 'md-rx:block'], (reference) => {
      const faults = () => {
        const text = readFileSync(`/proc/${reference.pid}/task/${reference.tid('md-rx')}/stat`, 'utf8');
        return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[7]);
      };
      const before = faults();
      expect(reference.ask('fault md-rx 3000').exitCode).toBe(0);
      expect(faults() - before).toBeGreaterThanOrEqual(3000);
    }));
});

describe('start', { timeout: TIME_LIMIT_MS }, () => {
  const start = (...argv: string[]) => spawnSync(programs.probe, ['start', ...argv], { encoding: 'utf8' });

  test('becomes the program with exactly the environment, folder and CPUs that it is told', () => {
    const script = 'env; pwd; grep Cpus_allowed_list /proc/self/status';
    const options = ['--cpus', String(LAST), '--set', 'A=1 2', '--directory', '/usr'];
    const { status, stdout } = start(...options, '--', '/bin/sh', '-c', script);
    expect(status).toBe(0);
    const lines = stdout.split('\n').filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=|^$/.test(line));
    expect(lines).toEqual(['A=1 2', '/usr', `Cpus_allowed_list:\t${LAST}`]);
  });

  test.each([
    ['a program that is not there', ['--', '/no/such/program'], 203],
    ['a folder that is not there', ['--directory', '/no/such', '--', '/bin/true'], 200],
    ['CPUs that are not there', ['--cpus', '1023', '--', '/bin/true'], 215],
    ['a NUMA node that is not there', ['--memory', 'bind:1000', '--', '/bin/true'], 242],
    ['a log that cannot be written', ['--log', '/no/such/log', '--', '/bin/true'], 209],
  ])("%s: systemd's exit code", (_, argv, code) => {
    expect(start(...argv).status).toBe(code);
  });
});
