import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deploymentJsonSchema } from '../../../src/launch/load.ts';
import { load, mistakesOf } from './placing.ts';

/** A process with these lines below `command:`. */
function withLines(...lines: string[]): string {
  return ['processes:', '  md:', '    command: [/opt/md, --fast]', ...lines.map((line) => `    ${line}`), ''].join(
    '\n',
  );
}

describe('a deployment', () => {
  test('is what it says over what it extends; null removes a process', async () => {
    const files = {
      '/etc/hft/deployments/base.yaml':
        'description: the base\nprofile: colo\nprocesses:\n  md: {command: [/opt/md], cpus: {count: 2}, threads: {rx: own}}\n  gone: {command: [/opt/x]}\n',
    };
    const text =
      'extends: base\nprocesses:\n  md: {threads: {rx: {policy: fifo, priority: 40}, "*": housekeeping}}\n  gone: null\n';
    const deployment = await load(text, files);
    expect(deployment).toMatchObject({
      name: 'd',
      description: undefined,
      profile: 'colo',
      sources: ['/etc/hft/deployments/base.yaml', './d.yaml'],
    });
    expect(Object.keys(deployment.processes)).toEqual(['md']);
    expect(deployment.processes.md).toMatchObject({
      cpus: { count: 2, from: 'isolated' },
      threads: { rx: { policy: 'fifo', priority: 40, count: 1 }, '*': { cpus: 'housekeeping', policy: 'other' } },
    });
  });

  test('has the short forms of the documentation', async () => {
    const { processes } = await load(
      withLines('threads: {md-rx: 4, md-decode: 5, "#0": housekeeping, "*": housekeeping}'),
    );
    expect(processes.md?.threads).toMatchObject({ 'md-rx': { cpus: '4' }, 'md-decode': { cpus: '5' } });
    expect((await load(withLines('cpus: [4, 5]', 'threads: {a: own, b: own}'))).processes.md?.cpus).toEqual([4, 5]);
    expect((await load(withLines('cpus: node(1) & housekeeping'))).processes.md?.cpus).toBe('node(1) & housekeeping');
  });

  test('has defaults that leave a process alone: no policy, no limits, restarted when it fails', async () => {
    const { processes } = await load(withLines());
    expect(processes.md).toMatchObject({
      environment: {},
      limits: {},
      memory: { lock: false, nodes: 'own', hugepages: {} },
      restart: { when: 'on-failure', delay: 100_000, breaker: { restarts: 5, within: 60 } },
      stop: { signal: 'SIGTERM', within: 10 },
      requires: [],
    });
  });

  test('takes numbers and truth values of variables as text', async () => {
    const { processes } = await load(withLines('environment: {PORT: 9001, DRY: false, PATH: /bin}'));
    expect(processes.md?.environment).toEqual({ PORT: '9001', DRY: 'false', PATH: '/bin' });
  });

  test('a key that every editor knows is in the schema', () => {
    const schema = deploymentJsonSchema();
    expect(Object.keys(schema.properties ?? {})).toEqual(
      expect.arrayContaining(['extends', 'name', 'description', 'profile', 'heal', 'processes']),
    );
    expect(schema.additionalProperties).toBe(false);
  });
});

test('the example of the documentation is right, and says what its comments say', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/launch.md'), 'utf8');
  const { processes } = await load(/```yaml\n(?<yaml>[^`]*)```/.exec(page)?.groups?.yaml ?? '');
  expect(processes['market-data']).toMatchObject({
    cpus: { count: 2, near: 'nic(ens1)' },
    memory: { lock: true, hugepages: { '2M': 64 } },
  });
  expect(processes.strategy).toMatchObject({ cpus: { cores: 1 }, requires: ['market-data'] });
});

describe('a mistake has its place and says what is meant', () => {
  const cases: [what: string, lines: string[], expected: string][] = [
    [
      'a number of CPUs that could be a CPU',
      ['cpus: 2'],
      './d.yaml:4:11  processes.md.cpus: 2 could mean one CPU or so many: expected [2] for CPU 2, or {count: 2}',
    ],
    ['the same in quotes', ['cpus: "2"'], './d.yaml:4:11  processes.md.cpus: 2 could mean one CPU or so many'],
    [
      'count and cores',
      ['cpus: {count: 1, cores: 1}'],
      './d.yaml:4:11  processes.md.cpus: expected either count (CPUs) or cores (whole cores)',
    ],
    ['a demand without a number', ['cpus: {near: nic}'], './d.yaml:4:11  processes.md.cpus: expected either count'],
    ['an unknown key', ['cpsu: {count: 1}'], './d.yaml:4:5  processes.md.cpsu: unknown key\n  Did you mean cpus?'],
    [
      'a CPU set that is none',
      ['cpus: isolatd'],
      './d.yaml:4:11  processes.md.cpus: CPU set "isolatd", column 1: unknown name "isolatd"',
    ],
    [
      'a set of a thread that is none',
      ['threads: {rx: isolatd}'],
      './d.yaml:4:19  processes.md.threads.rx: CPU set "isolatd", column 1: unknown name',
    ],
    [
      'priority 99',
      ['threads: {rx: {policy: fifo, priority: 99}}'],
      "./d.yaml:4:44  processes.md.threads.rx.priority: expected a priority from 1 to 98: 99 is that of the kernel's own migration and watchdog threads",
    ],
    [
      'fifo without a priority',
      ['threads: {rx: {policy: fifo}}'],
      './d.yaml:4:28  processes.md.threads.rx.policy: fifo needs a priority',
    ],
    [
      'a priority of other',
      ['threads: {rx: {priority: 4}}'],
      './d.yaml:4:30  processes.md.threads.rx.priority: other has no priority',
    ],
    [
      'nice of fifo',
      ['threads: {rx: {policy: fifo, priority: 4, nice: 4}}'],
      './d.yaml:4:53  processes.md.threads.rx.nice: fifo has no nice value',
    ],
    [
      'fifo for all threads',
      ['threads: {"*": {policy: fifo, priority: 4}}'],
      './d.yaml:4:29  processes.md.threads.*.policy: "*" is every thread that is not named: fifo for all of them lets one that spins keep main()',
    ],
    [
      'deadline without its times',
      ['threads: {rx: {policy: deadline, runtime: 50us}}'],
      './d.yaml:4:28  processes.md.threads.rx.policy: deadline needs its three times',
    ],
    [
      'times that cannot be',
      ['threads: {rx: {policy: deadline, runtime: 2ms, deadline: 1ms, period: 1ms}}'],
      './d.yaml:4:47  processes.md.threads.rx.runtime: expected runtime <= deadline <= period',
    ],
    [
      'a runtime below the least of the kernel',
      ['threads: {rx: {policy: deadline, runtime: 1us, deadline: 1ms, period: 1ms}}'],
      './d.yaml:4:47  processes.md.threads.rx.runtime: the kernel takes 1024 ns and more',
    ],
    [
      'times without deadline',
      ['threads: {rx: {period: 1ms}}'],
      './d.yaml:4:28  processes.md.threads.rx.period: other has no period',
    ],
    [
      'fifo for a user without the limit',
      ['user: trading', 'threads: {rx: {policy: fifo, priority: 40}}'],
      './d.yaml:5:44  processes.md.threads.rx.priority: fifo 40 is not for trading, who has no limit for realtime priorities here\n  Add limits: { rtprio: 40 }',
    ],
    [
      'a limit that is too low',
      ['user: trading', 'limits: {rtprio: 30}', 'threads: {rx: {policy: rr, priority: 40}}'],
      './d.yaml:6:42  processes.md.threads.rx.priority: rr 40 is not for trading, who has the limit 30',
    ],
    [
      'more threads than CPUs',
      ['cpus: {count: 1}', 'threads: {rx: own, tx: own}'],
      './d.yaml:4:11  processes.md.cpus: 2 threads need a CPU of their own, and there is 1',
    ],
    [
      'a count of threads that is more than the CPUs',
      ['cpus: {cores: 2}', 'threads: {rx: {count: 3}}'],
      './d.yaml:4:11  processes.md.cpus: 3 threads need a CPU of their own, and there are 2',
    ],
    [
      'CPUs and no word of threads',
      ['cpus: {count: 2}'],
      './d.yaml:4:11  processes.md.cpus: 2 CPUs of its own, and nothing says which threads run there',
    ],
    [
      'own for any number of threads',
      ['cpus: {count: 2}', 'threads: {"*": own}'],
      './d.yaml:5:20  processes.md.threads.*.cpus: own is one CPU for one thread',
    ],
    ['a CPU twice in a list', ['cpus: [4, 5, 4]'], './d.yaml:4:11  processes.md.cpus: CPU 4 is there twice'],
    [
      'a name that is too long',
      ['threads: {market-data-rx-0: own}'],
      './d.yaml:4:15  processes.md.threads.market-data-rx-0: expected at most 15 characters',
    ],
    [
      'a start order that is none',
      ['threads: {"#a": own}'],
      './d.yaml:4:15  processes.md.threads.#a: expected a number after #',
    ],
    [
      'a process that waits for itself',
      ['requires: [md]'],
      './d.yaml:4:16  processes.md.requires.0: a process cannot wait for itself',
    ],
    [
      'a process that is not there',
      ['after: [redis]'],
      './d.yaml:4:13  processes.md.after.0: there is no process redis\n  Processes: md.',
    ],
    [
      'a health check that checks nothing',
      ['health: {every: 1s}'],
      './d.yaml:4:13  processes.md.health: expected watchdog or command',
    ],
    [
      'locked memory that may not be locked',
      ['user: trading', 'memory: {lock: on}', 'limits: {memlock: 64K}'],
      './d.yaml:6:23  processes.md.limits.memlock: memory.lock is on, and trading may lock 65536 bytes',
    ],
    [
      'a variable that is none',
      ['environment: {1A: x}'],
      './d.yaml:4:19  processes.md.environment.1A: expected the name of a variable',
    ],
    ['an account that is none', ['user: "a b"'], './d.yaml:4:11  processes.md.user: expected the name of an account'],
    [
      'a folder that is not absolute',
      ['directory: data'],
      './d.yaml:4:16  processes.md.directory: expected an absolute path',
    ],
  ];

  test.each(cases)('%s', async (_, lines, expected) => {
    expect(await mistakesOf(() => load(withLines(...lines)))).toContain(expected);
  });

  test('a program without a path, or with a line break', async () => {
    expect(await mistakesOf(() => load('processes: {md: {command: [md]}}\n'))).toContain(
      './d.yaml:1:28  processes.md.command.0: expected an absolute path',
    );
    expect(await mistakesOf(() => load('processes: {md: {command: [/opt/md, "a\\nb"]}}\n'))).toContain(
      'processes.md.command.1: expected text of one line',
    );
    expect(await mistakesOf(() => load('processes: {md: {user: root}}\n'))).toContain(
      './d.yaml:1:13  processes.md: command is missing',
    );
  });

  test('no process, an empty file, a broken one', async () => {
    expect(await mistakesOf(() => load('processes: {}\n'))).toContain('./d.yaml:1:12  processes: expected a process');
    expect(await mistakesOf(() => load('\n'))).toContain(
      'is empty: expected a deployment\n  Start with `extends: single-host`, or see `hft deployment list`.',
    );
    expect(await mistakesOf(() => load('processes: [\n'))).toContain('./d.yaml:2:1  is not YAML');
    expect(await mistakesOf(() => load('extends: base\nprocesses: {}\n'))).toContain(
      'extends: there is no deployment base\n  Deployments: none.',
    );
  });

  test('processes that wait for each other in a circle', async () => {
    const text =
      'processes:\n  a: {command: [/a], requires: [b]}\n  b: {command: [/b], after: [c]}\n  c: {command: [/c], requires: [a]}\n';
    expect(await mistakesOf(() => load(text))).toBe(
      './d.yaml:2:32  processes.a.requires: these processes wait for each other: a -> b -> c -> a\n  Remove one of them.',
    );
  });
});
