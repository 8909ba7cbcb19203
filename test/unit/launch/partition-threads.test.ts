import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compilePrograms, FIRST, LAST, type Programs, startReference } from './reference.ts';

const TIME_LIMIT_MS = 60_000;
let programs: Programs;

beforeAll(() => {
  programs = compilePrograms();
}, TIME_LIMIT_MS);
afterAll(() => programs.remove());

function probe(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(programs.probe, argv, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** A folder with the files of a partition, as the kernel shows them. */
function partitionFolder(files: Readonly<Record<string, string>>): string {
  const mount = mkdtempSync(join(programs.folder, 'cgroups-'));
  mkdirSync(join(mount, 'hft.slice'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(mount, 'hft.slice', name), text);
  return mount;
}

const VALID = { 'cpuset.cpus.partition': 'isolated\n', 'cgroup.type': 'threaded\n', 'cpuset.cpus.effective': '2-4\n' };

describe('before a start the partition is looked at', { timeout: TIME_LIMIT_MS }, () => {
  test('one that is in effect lets it through', () => {
    const mount = partitionFolder(VALID);
    expect(probe('check-partition', `${mount}:/hft.slice:2,4`).status).toBe(0);
    expect(probe('start', '--partition', `${mount}:/hft.slice:2-3`, '--', '/bin/true').status).toBe(0);
  });

  test.each([
    ['none', {}, 'there is no cpuset partition'],
    [
      'one that the kernel made invalid',
      { ...VALID, 'cpuset.cpus.partition': 'isolated invalid (Cpu list in cpuset.cpus not exclusive)\n' },
      'expected isolated, got isolated invalid (Cpu list in cpuset.cpus not exclusive)',
    ],
    ['an ordinary cgroup', { ...VALID, 'cpuset.cpus.partition': 'member\n' }, 'expected isolated, got member'],
    ['whole processes only', { ...VALID, 'cgroup.type': 'domain\n' }, 'its cgroup.type is not threaded'],
    ['a CPU less', { ...VALID, 'cpuset.cpus.effective': '2\n' }, 'has CPUs 2 in effect, expected 2,4 among them'],
    ['no CPU at all', { ...VALID, 'cpuset.cpus.effective': '\n' }, 'expected 2,4 among them'],
  ])('%s does not', (_, files, reason) => {
    const option = `${partitionFolder(files)}:/hft.slice:2,4`;
    const checked = probe('check-partition', option);
    expect([checked.status, checked.stderr]).toEqual([1, expect.stringContaining(reason)]);
    const started = probe('start', '--partition', option, '--', '/bin/true');
    // EXIT_CGROUP of systemd.exec(5).
    expect([started.status, started.stderr]).toEqual([219, expect.stringContaining(reason)]);
  });

  test.each(['', '/sys/fs/cgroup', '/sys/fs/cgroup:/hft.slice', '/sys/fs/cgroup:/hft.slice:x', ':/a:1', '/a:/:1'])(
    '%j is no partition',
    (option) => {
      const { status, stderr } = probe('check-partition', option);
      expect([status, stderr]).toEqual([2, expect.stringContaining('expected a partition such as')]);
    },
  );
});

test('what a run of a service left behind is ended, and nothing else', { timeout: TIME_LIMIT_MS }, async () => {
  const id = (digit: string) => digit.repeat(32);
  const left = spawn('/bin/sleep', ['600'], { env: { INVOCATION_ID: id('a') }, detached: true });
  const other = spawn('/bin/sleep', ['600'], { env: { INVOCATION_ID: id('b') } });
  const ended = new Promise((resolve) => left.once('exit', (_, signal) => resolve(signal)));
  await Promise.all([left, other].map((child) => new Promise((resolve) => child.once('spawn', resolve))));
  const end = (INVOCATION_ID: string) =>
    spawnSync(programs.probe, ['end-invocation'], { env: { INVOCATION_ID } }).status;
  expect(end(id('a'))).toBe(0);
  expect(await ended).toBe('SIGKILL');
  expect(other.exitCode ?? other.signalCode).toBeNull();
  expect(end('b')).toBe(2);
  other.kill('SIGKILL');
});

/** Where cgroup v2 is mounted and this user may make cgroups; undefined: nowhere. */
function findCgroups(): string | undefined {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const mount = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1];
  if (mount === undefined || !existsSync(mount)) return undefined;
  try {
    accessSync(mount, constants.W_OK);
    return mount;
  } catch {
    return undefined;
  }
}

const cgroups = findCgroups();
const why = cgroups === undefined ? ' (skipped: needs root and cgroup v2)' : '';

/** Without the cpuset controller a threaded cgroup still says which thread is in it: whether CPUs follow is shown by the lab. */
describe.skipIf(cgroups === undefined)(
  `threads in a threaded cgroup and beside it${why}`,
  { timeout: TIME_LIMIT_MS },
  () => {
    const domain = `/hft-test-${process.pid}`;
    const folder = `${cgroups}${domain}`;
    const option = `${cgroups}:${domain}/hot:${LAST}`;

    beforeAll(() => {
      mkdirSync(folder);
      mkdirSync(`${folder}/hot`);
      writeFileSync(`${folder}/hot/cgroup.type`, 'threaded');
    });
    afterAll(() => {
      rmdirSync(`${folder}/hot`);
      rmdirSync(folder);
    });

    const cgroupOf = (pid: number, tid: number) =>
      /^0::(?<path>.*)$/m.exec(readFileSync(`/proc/${pid}/task/${tid}/cgroup`, 'utf8'))?.groups?.path;
    const place = (pid: number, ...specs: string[]) =>
      probe('place-threads', '--pid', String(pid), '--within-ms', '20000', '--partition', option, ...specs);

    test('each is where its CPUs are, also again, and none is left when the process has ended', async () => {
      const reference = await startReference(programs, ['--thread', 'md-rx:block', '--thread', 'log:block']);
      const { pid } = reference;
      const where = () => [pid, reference.tid('md-rx'), reference.tid('log')].map((tid) => cgroupOf(pid, tid));
      const specs = [`md-rx=${LAST}:other:0`, `*=${FIRST}:other:0`];
      const isOneCpu = FIRST === LAST;
      if (isOneCpu) specs[1] = `*=${LAST}:other:0`;
      const expected = isOneCpu
        ? [`${domain}/hot`, `${domain}/hot`, `${domain}/hot`]
        : [domain, `${domain}/hot`, domain];
      expect(place(pid, ...specs).status).toBe(0);
      expect(where()).toEqual(expected);
      const again = place(pid, ...specs);
      expect([again.status, again.stdout.includes('"changed":true')]).toEqual([0, false]);
      // Moved out by somebody, it is put back.
      writeFileSync(`${folder}/cgroup.threads`, String(reference.tid('md-rx')));
      expect(place(pid, ...specs).status).toBe(0);
      expect(where()).toEqual(expected);
      await reference.end();
      expect(readFileSync(`${folder}/hot/cgroup.threads`, 'utf8')).toBe('');
    });

    test('a cgroup that takes whole processes only is said, with the thread', async () => {
      const reference = await startReference(programs, ['--thread', 'md-rx:block']);
      mkdirSync(`${folder}/hot/whole`);
      const argv = ['place-threads', '--pid', String(reference.pid), '--within-ms', '50', '--partition'];
      const { status, stdout } = probe(...argv, `${cgroups}:${domain}/hot/whole:${LAST}`, `md-rx=${LAST}:other:0`);
      expect(status).toBe(1);
      expect(stdout).toContain('"name":"md-rx"');
      expect(stdout).toMatch(/"failed":"cgroup\.(procs|threads) of the (domain|partition)"/);
      await reference.end();
      rmdirSync(`${folder}/hot/whole`);
    });
  },
);
