import { describe, expect, test } from 'vitest';
import { buildMachine } from '../../machine-builder.ts';
import { addNodeWithoutCpus } from '../layout/machine-shapes.ts';
import { loadProcesses, mistakesOf, place, withRoles } from './placing.ts';

/** 2 packages of 4 cores; CPU 0 and CPU 4 are housekeeping, 1-3 and 5-7 isolated; eth1 on node 1 trades. */
const machine = withRoles(
  buildMachine({
    nics: [
      { name: 'eth0', node: 0, carriesSession: true },
      { name: 'eth1', node: 1 },
    ],
  }),
);

const rx = { threads: { rx: 'own' } };

describe('what cannot be is refused, with its place', () => {
  const cases: [what: string, processes: Record<string, object>, expected: string][] = [
    [
      'a CPU that is not there',
      { md: { threads: { rx: 40 } } },
      'processes.md.threads.rx: CPU set "40", column 1: CPU 40: not on testbox, which has CPUs 0-7\n  Give CPUs of this host',
    ],
    [
      'one in a list',
      { md: { cpus: [5, 40], ...rx } },
      'processes.md.cpus: CPU set "5,40", column 3: CPU 40: not on testbox',
    ],
    [
      'a CPU that two threads name',
      { md: { threads: { rx: 5, tx: 5 } } },
      'processes.md.threads.tx: CPU 5 is taken already, by md/rx (./d.yaml:1:',
    ],
    [
      'a CPU that two processes list',
      { md: { cpus: [5], ...rx }, risk: { cpus: [5], ...rx } },
      'processes.risk.cpus: CPU 5 is taken already, by md (./d.yaml:1:',
    ],
    [
      'a thread on the CPU of another process',
      { md: { cpus: [5], ...rx }, risk: { threads: { rx: 5 } } },
      'processes.risk.threads.rx: CPU 5 is taken already, by md (',
    ],
    [
      'more isolated CPUs than there are',
      {
        md: { cpus: { count: 4 }, threads: { a: { count: 4 } } },
        risk: { cpus: { count: 3 }, threads: { a: { count: 3 } } },
      },
      'processes.risk.cpus: 3 CPUs of "isolated" cannot be had on testbox: there are CPUs 1-3,5-7; taken: md 1,5-7',
    ],
    [
      'what others name counts',
      {
        md: { cpus: [1, 2, 3, 5, 6], threads: { a: { count: 5 } } },
        risk: { cpus: { count: 2 }, threads: { a: { count: 2 } } },
      },
      'processes.risk.cpus: 2 CPUs of "isolated" cannot be had on testbox: there are CPUs 1-3,5-7; taken: md 1, md 2',
    ],
    [
      'the boot CPU for one thread',
      { md: { cpus: [0], ...rx } },
      "processes.md.cpus: CPU 0 runs the kernel's own work, which cannot leave it",
    ],
    [
      'isolated and ordinary CPUs in one set',
      { md: { cpus: '4-5', ...rx } },
      'processes.md.cpus: CPU 5 isolated and CPU 4 not (housekeeping)',
    ],
    [
      'several isolated CPUs for one thread',
      { md: { threads: { rx: '5-6' } } },
      'processes.md.threads.rx: CPUs 5-6 for one thread: on isolated CPUs threads stay where they are put',
    ],
    [
      'isolated CPUs for all threads',
      { md: { threads: { '*': '5-6' } } },
      'processes.md.threads.*: CPUs 5-6: isolated, and "*" is any number of threads',
    ],
    [
      'own without CPUs',
      { md: { ...rx } },
      'processes.md.threads.rx: own is one of the CPUs of the process, and the process asks for none',
    ],
    [
      'a listed CPU more than threads fit',
      { md: { cpus: [5], threads: { a: 'own', b: 'own' } } },
      'processes.md.cpus: 2 threads need a CPU of their own, and there is 1',
    ],
    [
      'a NIC that is not there',
      { md: { cpus: { count: 1, near: 'nic(eth9)' }, ...rx } },
      'processes.md.cpus.near: CPU set "nic(eth9)", column 1: there is no NIC eth9 on testbox (NICs: eth0, eth1)',
    ],
    [
      'an empty set',
      { md: { cpus: 'housekeeping & isolated' } },
      'processes.md.cpus: no CPU of testbox is in this set',
    ],
    [
      'a node that is not there',
      { md: { memory: { nodes: 7 } } },
      'processes.md.memory.nodes: there is no NUMA node 7 on testbox\n  NUMA nodes with memory: 0-1.',
    ],
    [
      'hugepages that are not there',
      { md: { cpus: [5], ...rx, memory: { hugepages: { '2M': 8 } } } },
      'processes.md.memory.hugepages.2M: 8 pages of 2M on NUMA node 1, and there are 0',
    ],
    [
      'fifo that spins among others',
      { md: { threads: { rx: { cpus: 'housekeeping', policy: 'fifo', priority: 5, wait: 'spin' } } } },
      'processes.md.threads.rx: fifo on CPUs 0,4, which are not isolated',
    ],
    [
      'fifo on an ordinary CPU of its own',
      { md: { cpus: { count: 1, from: 'housekeeping' }, threads: { rx: { policy: 'rr', priority: 5 } } } },
      'processes.md.threads.rx: rr on CPU 4, which is not isolated',
    ],
    [
      'spinners on every housekeeping CPU',
      { md: { threads: { a: { cpus: 0, wait: 'spin' }, b: { cpus: 4, wait: 'spin' } } } },
      'processes.md.threads.b: spins on housekeeping (CPUs 0,4), and no CPU would be left for the kernel, shells and hft',
    ],
    [
      'a spinner on the last housekeeping CPU',
      { md: { cpus: { count: 1, from: 'housekeeping' }, ...rx }, log: { threads: { a: { cpus: 0, wait: 'spin' } } } },
      'processes.log.threads.a: spins on housekeeping (CPU 0)',
    ],
    [
      'threads where others have all CPUs',
      { md: { cpus: { count: 1, from: 'housekeeping' }, ...rx }, log: { cpus: 'node(1) & housekeeping' } },
      'processes.log.cpus: CPU 4: other threads have all of them to themselves',
    ],
  ];

  test.each(cases)('%s', async (_, processes, expected) => {
    const deployment = await loadProcesses(processes);
    const said = await mistakesOf(async () => place(deployment, machine));
    expect(said).toContain(expected);
    expect(said).toMatch(/^\.\/d\.yaml:1:\d+ {2}processes\./);
  });

  test('every mistake at once', async () => {
    const deployment = await loadProcesses({ md: { threads: { rx: 40, tx: 41 } }, risk: { cpus: [99] } });
    expect((await mistakesOf(async () => place(deployment, machine))).match(/not on testbox/g)).toHaveLength(3);
  });

  test('a node without memory, named or where the CPUs are', async () => {
    const poor = { ...machine, topology: addNodeWithoutCpus(machine, 2, 30).topology };
    const barren = {
      ...machine,
      topology: {
        ...machine.topology,
        nodes: machine.topology.nodes.map((node) => (node.node === 1 ? { ...node, memoryBytes: 0 } : node)),
      },
    };
    const far = await loadProcesses({ md: { memory: { nodes: '2' } } });
    expect(place(far, poor).processes[0]?.memory).toMatchObject({ policy: 'bind', nodes: [2] });
    const own = await loadProcesses({ md: { cpus: [5], ...rx, memory: { policy: 'bind' } } });
    expect(await mistakesOf(async () => place(own, barren))).toContain(
      'processes.md.memory.policy: NUMA node 1, where its CPUs are, has no memory',
    );
    const named = await loadProcesses({ md: { memory: { nodes: '0-1' } } });
    expect(await mistakesOf(async () => place(named, barren))).toContain(
      'processes.md.memory.nodes: NUMA node 1 of testbox has no memory\n  NUMA nodes with memory: 0.',
    );
    const silent = await loadProcesses({ md: { cpus: [5], ...rx } });
    const placement = place(silent, barren);
    expect(placement.processes[0]?.memory.policy).toBe('default');
    expect(placement.notes).toContainEqual({
      about: 'md',
      text: 'NUMA node 1, where its CPUs are, has no memory: all of it is remote.',
    });
  });

  test('hugepages of all processes together', async () => {
    const pages = [{ pageBytes: 2 ** 21, total: 10, free: 10 }];
    const rich = {
      ...machine,
      topology: { ...machine.topology, nodes: machine.topology.nodes.map((node) => ({ ...node, hugepages: pages })) },
    };
    const processes = (second: number) => ({
      md: { cpus: [5], ...rx, memory: { hugepages: { '2M': 6 } } },
      risk: { cpus: [6], ...rx, memory: { hugepages: { '2M': second } } },
    });
    expect(place(await loadProcesses(processes(4)), rich).processes).toHaveLength(2);
    const tooMany = await loadProcesses(processes(5));
    expect(await mistakesOf(async () => place(tooMany, rich))).toContain(
      'processes.risk.memory.hugepages.2M: 5 pages of 2M on NUMA node 1, and there are 10 (6 are taken by processes above)',
    );
  });
});
