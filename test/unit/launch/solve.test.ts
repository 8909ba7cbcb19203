import { describe, expect, test } from 'vitest';
import { solvePlacement } from '../../../src/launch/solve.ts';
import { effectiveLayout } from '../../../src/layout/effective.ts';
import { buildMachine } from '../../machine-builder.ts';
import { cpusOf, load, loadProcesses, mistakesOf, NOTHING_MISSING, place, withRoles } from './placing.ts';

/** 2 packages of 4 cores; CPU 0 and CPU 4 are housekeeping, 1-3 and 5-7 isolated; eth1 on node 1 trades. */
const NICS = [
  { name: 'eth0', node: 0, carriesSession: true },
  { name: 'eth1', node: 1 },
];
const machine = withRoles(buildMachine({ nics: NICS }));
/** The same with two hardware threads a core: 0-7 and their siblings 8-15. */
const smt = withRoles(buildMachine({ nics: NICS, threads: 2 }));

const rx = { threads: { rx: 'own' } };

describe('CPUs by demand', () => {
  test('are on the node of the trading NIC while there is room, then on the other', async () => {
    const deployment = await loadProcesses({
      md: { cpus: { count: 2 }, threads: { rx: 'own', decode: 'own' } },
      strategy: { cpus: { count: 1 }, ...rx },
      risk: { cpus: { count: 1 }, ...rx },
    });
    expect(cpusOf(place(deployment, machine))).toEqual({
      'md/rx': ['5'],
      'md/decode': ['6'],
      'md/*': ['4'],
      'strategy/rx': ['7'],
      'strategy/*': ['4'],
      'risk/rx': ['1'],
      'risk/*': ['0'],
    });
  });

  test('stay together rather than near: two CPUs do not lie on two nodes where one node has both', async () => {
    const deployment = await loadProcesses({
      first: { cpus: { count: 2 }, threads: { a: 'own', b: 'own' } },
      second: { cpus: { count: 2 }, threads: { a: 'own', b: 'own' } },
    });
    expect(cpusOf(place(deployment, machine))).toMatchObject({ 'second/a': ['1'], 'second/b': ['2'] });
  });

  test('near another NIC', async () => {
    const deployment = await loadProcesses({ md: { cpus: { count: 1, near: 'nic(eth0)' }, ...rx } });
    const placement = place(deployment, machine);
    expect(cpusOf(placement)['md/rx']).toEqual(['1']);
    expect(placement.processes[0]?.threads[0]?.why).toBe(
      'isolated, alone; the CPU asked for, on the NUMA node of nic(eth0)',
    );
  });

  test('a choice that would leave a later process without its CPUs is not made', async () => {
    const deployment = await loadProcesses({
      anywhere: { cpus: { count: 3 }, threads: { a: { count: 3 } } },
      there: { cpus: { count: 2, from: 'isolated & node(1)' }, threads: { a: 'own', b: 'own' } },
      here: { cpus: { count: 1, from: 'isolated & node(1)' }, ...rx },
    });
    expect(cpusOf(place(deployment, machine))).toMatchObject({
      'anywhere/a': ['1', '2', '3'],
      'there/a': ['5'],
      'there/b': ['6'],
      'here/rx': ['7'],
    });
  });

  test('whole cores: nobody gets the hardware threads beside them', async () => {
    const deployment = await loadProcesses({
      strategy: { cpus: { cores: 1 }, ...rx },
      md: { cpus: { count: 4 }, threads: { 'md-*': { count: 4 } } },
      more: { cpus: { count: 1 }, ...rx },
    });
    const placement = place(deployment, smt);
    expect(cpusOf(placement)).toMatchObject({
      'strategy/rx': ['5'],
      'md/md-*': ['6', '7', '14', '15'],
      'more/rx': ['1'],
    });
    expect(placement.processes[0]).toMatchObject({ own: [5], idle: [13] });
    expect(placement.free).toEqual([2, 3, 9, 10, 11]);
  });

  test('different cores first; threads of one core are told of each other', async () => {
    const deployment = await loadProcesses({ md: { cpus: { count: 2 }, threads: { a: 'own', b: 'own' } } });
    expect(cpusOf(place(deployment, smt))).toMatchObject({ 'md/a': ['5'], 'md/b': ['6'] });
    const full = await loadProcesses({
      md: { cpus: { count: 4, from: 'cores(5-6)' }, threads: { 'a-*': { count: 4 } } },
    });
    expect(place(full, smt).notes.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^CPU 5 and CPU 13 \(md\) are hardware threads of one core/),
    );
  });

  test('housekeeping CPUs of its own are off the others, and never the boot CPU', async () => {
    const small = withRoles(buildMachine({ packages: 1, coresPerPackage: 2 }), {});
    const deployment = await loadProcesses({ md: { cpus: { count: 1, from: 'housekeeping' }, ...rx }, log: {} });
    expect(cpusOf(place(deployment, small))).toEqual({ 'md/rx': ['1'], 'md/*': ['0'], 'log/*': ['0'] });
    const both = await loadProcesses({
      md: { cpus: { count: 2, from: 'housekeeping' }, threads: { a: 'own', b: 'own' } },
    });
    expect(await mistakesOf(async () => place(both, small))).toBe(
      './d.yaml:1:50  processes.md.cpus: 2 CPUs of "housekeeping" cannot be had on testbox: there are CPUs 0-1; CPU 0 stays with the kernel\n' +
        '  Ask for fewer, isolate more in the profile, or move a process to another host.',
    );
  });

  test('without a profile: what the running kernel isolates', async () => {
    const booted = buildMachine({ kernel: { isolated: [2, 3] } });
    const deployment = await loadProcesses({ md: { cpus: { count: 1 }, ...rx } });
    expect(cpusOf(place(deployment, { ...booted, layout: effectiveLayout(booted) }))).toEqual({
      'md/rx': ['2'],
      'md/*': ['0-1'],
    });
  });

  test('one thread and no word of threads: the first one has the CPU', async () => {
    const deployment = await loadProcesses({ md: { cpus: { count: 1 } } });
    expect(cpusOf(place(deployment, machine))).toEqual({ 'md/#0': ['5'], 'md/*': ['4'] });
  });
});

describe('CPUs by number', () => {
  test('threads by name and start order, each with its CPU', async () => {
    const deployment = await loadProcesses({
      md: { threads: { 'md-rx': 5, 'md-decode': '6', '#2': 7, '*': 'housekeeping' } },
    });
    expect(cpusOf(place(deployment, machine))).toEqual({
      'md/md-rx': ['5'],
      'md/md-decode': ['6'],
      'md/#2': ['7'],
      'md/*': ['0,4'],
    });
  });

  test('a list is taken in order, past what threads name of it; what is left is told', async () => {
    const deployment = await loadProcesses({ md: { cpus: [5, 6, 7], threads: { a: 'own', b: 5 } } });
    const placement = place(deployment, machine);
    expect(cpusOf(placement)).toMatchObject({ 'md/a': ['6'], 'md/b': ['5'] });
    expect(placement.notes).toContainEqual({ about: 'md', text: 'CPU 7: its own, and no thread is named for it.' });
  });

  test('ordinary CPUs are shared', async () => {
    const deployment = await loadProcesses({ redis: { cpus: 'housekeeping & node(0)' }, log: { threads: { '*': 0 } } });
    expect(cpusOf(place(deployment, machine))).toEqual({ 'redis/*': ['0'], 'log/*': ['0'] });
  });

  test('a set for as many threads', async () => {
    const deployment = await loadProcesses({ md: { threads: { 'w-*': { cpus: '5-7', count: 3 } } } });
    expect(cpusOf(place(deployment, machine))['md/w-*']).toEqual(['5', '6', '7']);
  });
});

describe('what is right and worth knowing', () => {
  const fifo = (priority: number) => ({ md: { cpus: { count: 1 }, threads: { rx: { policy: 'fifo', priority } } } });
  const textsOf = async (processes: Record<string, object>, on = machine, facts = NOTHING_MISSING) =>
    place(await loadProcesses(processes), on, facts).notes.map(({ about, text }) => `${about}: ${text}`);

  test('priorities from 50 on, by kernel; none up to 49', async () => {
    const realtime = { ...machine, kernel: { ...machine.kernel, realtime: true } };
    expect(await textsOf(fifo(50), realtime)).toContainEqual(
      expect.stringMatching(/^md\/rx: fifo 50 is above the threads of interrupts \(50 on this PREEMPT_RT kernel\)/),
    );
    expect(await textsOf(fifo(98))).toContainEqual(
      expect.stringMatching(/^md\/rx: fifo 98: interrupts come first on this kernel/),
    );
    expect((await textsOf(fifo(49), realtime)).filter((text) => text.includes('interrupts'))).toEqual([]);
  });

  test('throttling of realtime threads, and the fair server since 6.12', async () => {
    const throttled = { ...NOTHING_MISSING, rtRuntimeUs: 950_000 };
    const about = (texts: string[]) => texts.filter((text) => text.includes('sched_rt_runtime_us'));
    expect(about(await textsOf(fifo(40), machine, throttled))).toEqual([expect.not.stringContaining('fairServer')]);
    const newer = { ...machine, kernel: { ...machine.kernel, version: [6, 12] as const } };
    expect(about(await textsOf(fifo(40), newer, throttled))).toEqual([
      expect.stringContaining('kernel.realtime.fairServer: off'),
    ]);
    expect(about(await textsOf(fifo(40)))).toEqual([]);
  });

  test('deadline for a pinned thread is refused by the kernel while admission control is on', async () => {
    const processes = {
      md: {
        cpus: { count: 1 },
        threads: { rx: { policy: 'deadline', runtime: '50us', deadline: '1ms', period: '1ms' } },
      },
    };
    const refused = /^md\/rx: The kernel refuses deadline \(EPERM\) for a thread that is pinned/;
    expect(await textsOf(processes, machine, { ...NOTHING_MISSING, rtRuntimeUs: 950_000 })).toContainEqual(
      expect.stringMatching(refused),
    );
    expect((await textsOf(processes)).filter((text) => refused.test(text))).toEqual([]);
  });

  test('CPUs that the profile isolates and the running kernel does not', async () => {
    expect(await textsOf(fifo(40))).toContainEqual(
      expect.stringMatching(/^isolation: CPU 5: not isolated by the running kernel/),
    );
    const booted = { ...machine, kernel: { ...machine.kernel, isolated: [1, 2, 3, 5, 6, 7] } };
    expect((await textsOf(fifo(40), booted)).filter((text) => text.startsWith('isolation'))).toEqual([]);
  });

  test('programs, users and folders that are not there do not hinder placing; what is not known is said', async () => {
    const deployment = await load(
      'processes:\n  md:\n    command: [/opt/md]\n    user: trading\n    group: nobody\n    directory: /data\n  log:\n    command: [/opt/log]\n',
    );
    const facts = {
      rtRuntimeUs: undefined,
      partition: undefined,
      programs: { '/opt/md': 'missing', '/opt/log': 'not executable' },
      folders: { '/data': false },
      users: { trading: false },
      groups: { nobody: undefined },
      bypass: {},
    } as const;
    const placement = solvePlacement(deployment, { machine, facts, roles: 'a test' });
    expect(placement.missing.map(({ place: { line, column }, message }) => `${line}:${column} ${message}`)).toEqual([
      '3:15 processes.md.command.0: there is no program /opt/md',
      '6:16 processes.md.directory: there is no folder /data',
      '4:11 processes.md.user: there is no user trading',
      '8:15 processes.log.command.0: /opt/log is no program that can be run',
    ]);
    expect(placement.unknown).toEqual([
      'whether the users and groups are there',
      'kernel.sched_rt_runtime_us, which throttles fifo and rr threads',
    ]);
  });

  test('processes are in the order in which they are started', async () => {
    const deployment = await loadProcesses({ a: { requires: ['c'] }, b: {}, c: { after: ['b'] } });
    expect(place(deployment, machine).processes.map(({ name }) => name)).toEqual(['b', 'c', 'a']);
  });
});
