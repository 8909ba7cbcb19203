import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { CPUS, compileSanitized, compileStrictly, makeFolder } from '../program.ts';
import { follow, runOf, samplesOf, start } from './scripted.ts';

/** Real servers that hft-probe starts for a run: where they run, as whom, and that nothing of them is left however the run ends. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const [client, own] = CPUS as [number, number];
const MS = 1_000_000;
const isRoot = process.getuid?.() === 0;
const INSTALLED: Readonly<Record<string, readonly string[]>> = {
  redis: ['redis-server', 'valkey-server'],
  memcached: ['memcached'],
};

function need(context: TestContext, probe: string): void {
  const names = INSTALLED[probe] as readonly string[];
  const isThere = names.some((name) =>
    ['/usr/local/bin', '/usr/bin', '/usr/sbin'].some((path) => existsSync(join(path, name))),
  );
  if (!isThere) context.skip(`needs ${names.join(' or ')} installed`);
}

function argvOf(probe: string, server: string, more: readonly string[] = []): string[] {
  return [
    probe,
    '--cpus',
    `${client},${own}`,
    '--server',
    server,
    '--wait',
    'block',
    '--rate',
    '500',
    '--block-ns',
    `${20 * MS}`,
    ...more,
  ];
}

const SHORT = ['--duration-ns', `${200 * MS}`, '--warmup-ns', `${20 * MS}`];
const LONG = ['--duration-ns', `${60_000 * MS}`, '--warmup-ns', `${20 * MS}`];

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly group: number;
}

function listProcesses(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent, group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z') return [];
      return [
        {
          pid: Number(name),
          parent: Number(parent),
          group: Number(group),
          name: /\((?<comm>.*)\)/s.exec(text)?.groups?.comm ?? '',
        },
      ];
    } catch {
      return [];
    }
  });
}

const folders = () => readdirSync('/tmp').filter((name) => name.startsWith('hft-server-'));

/** The folders of servers that a process has open: its keeper locks it. */
function foldersOf(pid: number): string[] {
  try {
    const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    return files.filter((path) => path.startsWith('/tmp/hft-server-')).map((path) => basename(path));
  } catch {
    return [];
  }
}

/** Those that nobody has any more: others on this machine may measure servers of their own. */
function leftFolders(): string[] {
  const inUse = new Set(listProcesses().flatMap(({ pid }) => foldersOf(pid)));
  return folders().filter((name) => !inUse.has(name));
}

const untilNoneIsLeft = (before: readonly string[]) =>
  until(() => leftFolders().every((name) => before.includes(name)));

/** The keeper and the server of this hft-probe; undefined until both are there. */
function familyOf(pid: number) {
  const all = listProcesses();
  const keeper = all.find(({ parent }) => parent === pid);
  const server = all.find(({ parent }) => parent === keeper?.pid);
  return keeper && server && server.name !== keeper.name ? { keeper, server } : undefined;
}

async function until<T>(what: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + 100_000; Date.now() < end; await sleep(10)) {
    const found = what();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`waited in vain for ${what}`);
}

const isGone = ({ pid, name }: Process) => !listProcesses().some((each) => each.pid === pid && each.name === name);
const statusOf = (pid: number, key: string) =>
  new RegExp(`^${key}:\\s*(?<value>.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.groups?.value;

const SERVERS = [
  ['redis', 'own-unix'],
  ['redis', 'own-tcp'],
  ['memcached', 'own-unix'],
  ['memcached', 'own-tcp'],
] as const;

describe.each(SERVERS)('%s %s', (probe, server) => {
  test('is measured, and nothing is left', async (context) => {
    need(context, probe);
    const child = start(program, argvOf(probe, server, SHORT));
    const ended = await follow(child);
    expect(ended.stderr).toBe('');
    const run = runOf(ended);
    expect(samplesOf(run.streams)).toBeGreaterThan(0);
    expect(run.meta.server).toMatchObject({
      isOwn: true,
      name: expect.stringMatching(/^(redis|valkey|memcached) \d+\.\d+/),
      address: expect.stringMatching(
        server === 'own-tcp' ? /^127\.0\.0\.1:\d+$/ : /^unix:\/tmp\/hft-server-[0-9a-f]{16}\/socket$/,
      ),
    });
    const path = run.meta.server?.address.replace(/^unix:/, '') ?? '';
    expect(existsSync(path)).toBe(false);
    expect(listProcesses().filter(({ parent }) => parent === child.pid)).toEqual([]);
  });

  test('runs on its CPU, without rights, where nobody else gets in', async (context) => {
    need(context, probe);
    const child = start(program, argvOf(probe, server, LONG));
    const followed = follow(child);
    const { server: process, keeper } = await until(() => familyOf(child.pid as number));
    await until(() => statusOf(process.pid, 'Cpus_allowed_list') === `${own}`);
    if (isRoot) expect(statusOf(process.pid, 'Uid')).toBe('65534\t65534\t65534\t65534');
    // For a moment all are, while it starts a thread of its own.
    await until(() => statusOf(process.pid, 'SigBlk') === '0000000000000000');
    expect(keeper.group).toBe(keeper.pid);
    const made = foldersOf(keeper.pid);
    expect(made).toHaveLength(1);
    expect(made.map((name) => statSync(join('/tmp', name)).mode & 0o777)).toEqual(made.map(() => 0o700));
    child.kill('SIGTERM');
    const ended = await followed;
    expect(runOf(ended).result.cut).toBe('SIGTERM');
    expect([isGone(process), isGone(keeper)]).toEqual([true, true]);
  });

  test('ends with hft-probe, killed at any moment, and its folder with it', async (context) => {
    need(context, probe);
    const before = leftFolders();
    for (const laterMs of [0, 3, 6, 10, 20, 40, 80, 200, 600]) {
      const child = start(program, argvOf(probe, server, LONG));
      const followed = follow(child);
      await sleep(laterMs);
      const family = listProcesses().filter(({ parent }) => parent === child.pid);
      const grandchildren = listProcesses().filter(({ parent }) => family.some(({ pid }) => pid === parent));
      child.kill('SIGKILL');
      await followed;
      await until(() => [...family, ...grandchildren].every(isGone));
    }
    await untilNoneIsLeft(before);
  });
});

describe('redis', () => {
  test('an own server over TCP lets nobody in without the password', async (context) => {
    need(context, 'redis');
    const child = start(program, argvOf('redis', 'own-tcp', LONG));
    const followed = follow(child);
    const { server } = await until(() => familyOf(child.pid as number));
    const port = await until(() => listeningPort(server.pid));
    const other = await follow(start(program, ['redis', '--cpus', `${client}`, '--server', `127.0.0.1:${port}`]));
    child.kill('SIGTERM');
    await followed;
    expect(other.exitCode).toBe(3);
    expect(JSON.parse(other.stderr).unsupported).toContain('NOAUTH');
  });

  test('the keeper killed: the server dies too, and the run says that it is gone', async (context) => {
    need(context, 'redis');
    const before = leftFolders();
    const child = start(program, argvOf('redis', 'own-unix', LONG));
    const measuring = once(child.stdout, 'data');
    const followed = follow(child);
    const { keeper, server } = await until(() => familyOf(child.pid as number));
    await measuring;
    process.kill(keeper.pid, 'SIGKILL');
    const ended = await followed;
    await until(() => isGone(server));
    expect(ended.exitCode).toBeGreaterThan(0);
    expect(ended.stderr).toMatch(/closed the connection|Connection reset|has ended/);
    const left = leftFolders().filter((each) => !before.includes(each));
    expect(left).toHaveLength(1);
    // The next run takes it away, and nothing that another is using.
    const other = start(program, argvOf('redis', 'own-unix', LONG));
    const otherEnded = follow(other);
    const family = await until(() => familyOf(other.pid as number));
    await until(() => !folders().includes(left[0] as string));
    const [inUse] = foldersOf(family.keeper.pid);
    await follow(start(program, argvOf('redis', 'own-unix', SHORT)));
    expect(folders()).toContain(inUse);
    expect(isGone(family.server)).toBe(false);
    other.kill('SIGTERM');
    await otherEnded;
  });

  test('a folder in /tmp that only has such a name is left alone', async (context) => {
    need(context, 'redis');
    const strange = join('/tmp', `hft-server-${randomBytes(8).toString('hex')}`);
    mkdirSync(strange, { mode: 0o755 });
    writeFileSync(join(strange, 'theirs'), '');
    try {
      await follow(start(program, argvOf('redis', 'own-unix', SHORT)));
      expect(existsSync(join(strange, 'theirs'))).toBe(true);
    } finally {
      rmSync(strange, { recursive: true });
    }
  });

  test('at its deadline everything is gone', async (context) => {
    need(context, 'redis');
    const before = leftFolders();
    const child = start(program, argvOf('redis', 'own-unix', [...LONG, '--deadline-ns', `${3000 * MS}`]));
    const ended = await follow(child);
    expect(runOf(ended).result.cut).toBe('deadline');
    await untilNoneIsLeft(before);
  });

  test('killed with whoever started hft-probe', async (context) => {
    need(context, 'redis');
    const before = leftFolders();
    // hft-probe is the child of a shell here, which is killed.
    const shell = spawn('sh', ['-c', '"$@" > /dev/null & wait', 'sh', program, ...argvOf('redis', 'own-unix', LONG)]);
    const family = await until(() => childOf(shell));
    const { keeper, server } = await until(() => familyOf(family.pid));
    shell.kill('SIGKILL');
    await until(() => isGone(family) && isGone(keeper) && isGone(server));
    await untilNoneIsLeft(before);
  });

  test('under the address and undefined-behaviour sanitizers', async (context) => {
    need(context, 'redis');
    const ended = await follow(start(compileSanitized(folder.path), argvOf('redis', 'own-tcp', SHORT)));
    expect({ stderr: ended.stderr, exitCode: ended.exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });
});

function childOf({ pid }: ChildProcess): Process | undefined {
  return listProcesses().find(({ parent, name }) => parent === pid && name === 'hft-probe');
}

/** Of the sockets of this process one that listens on 127.0.0.1, /proc/net/tcp. */
function listeningPort(pid: number): number | undefined {
  const inodes = new Set(
    execFileSync('find', [`/proc/${pid}/fd`, '-lname', 'socket:*', '-printf', '%l\\n'], { encoding: 'utf8' })
      .split('\n')
      .map((line) => /\d+/.exec(line)?.[0]),
  );
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === '0A' && inodes.has(inode)) return Number.parseInt((local as string).split(':')[1] as string, 16);
  }
  return undefined;
}
