import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { readTopology } from '../../../src/topology/topology.ts';
import { FakeHost } from '../../fake-host.ts';
import { nodeFiles, type SysfsCpu, sysfsOf } from './sysfs.ts';

const CPU_ROOT = '/sys/devices/system/cpu';

/** `cpu:core/package/node` of each CPU, `-` for what is not known. */
async function placesOf(host: FakeHost, cpuinfo = ''): Promise<string[]> {
  const { cpus } = await readTopology(host, cpuinfo);
  return cpus.map((each) => `${each.cpu}:${each.core ?? '-'}/${each.package ?? '-'}/${each.node ?? '-'}`);
}

describe('cores and packages are numbered by their lowest CPU', () => {
  test('odd and even CPUs on two packages with SMT', async () => {
    const cpus: Record<number, SysfsCpu> = {};
    for (let cpu = 0; cpu < 8; cpu++) {
      const pack = [0, 2, 4, 6].map((other) => other + (cpu % 2));
      cpus[cpu] = { threads: [cpu % 4, (cpu % 4) + 4], package: pack };
    }
    const host = sysfsOf(cpus, { ...nodeFiles(0, [0, 2, 4, 6], [10, 21]), ...nodeFiles(1, [1, 3, 5, 7], [21, 10]) });
    expect(await placesOf(host)).toEqual([
      '0:0/0/0',
      '1:1/1/1',
      '2:2/0/0',
      '3:3/1/1',
      '4:0/0/0',
      '5:1/1/1',
      '6:2/0/0',
      '7:3/1/1',
    ]);
    const { smt, cpus: read } = await readTopology(host, '');
    expect(smt).toEqual({ active: true, control: undefined });
    expect(read[5]?.siblings).toEqual([1, 5]);
  });

  test('CPU 0 offline: numbers start at the first CPU that says something', async () => {
    const host = sysfsOf({
      0: { online: '0' },
      1: { threads: [1], package: [1, 2] },
      2: { threads: [2], package: [1, 2] },
    });
    expect(await placesOf(host)).toEqual(['0:-/-/-', '1:0/0/-', '2:1/0/-']);
    const { cpus } = await readTopology(host, '');
    expect(cpus.map(({ online }) => online)).toEqual([false, true, true]);
    expect(cpus[0]?.siblings).toEqual([0]);
  });

  test('an offline CPU whose masks the kernel keeps empty belongs nowhere', async () => {
    const host = sysfsOf({ 0: { threads: [0], package: [0] }, 1: { threads: [], package: [], online: '0' } });
    expect(await placesOf(host)).toEqual(['0:0/0/-', '1:-/-/-']);
  });

  test('sparse CPU numbers, CPUs that are possible only are left out', async () => {
    const host = sysfsOf(
      { 3: { threads: [3], package: [3, 900] }, 900: { threads: [900], package: [3, 900] } },
      { [`${CPU_ROOT}/possible`]: '0-1023' },
    );
    expect(await placesOf(host)).toEqual(['3:0/0/-', '900:1/0/-']);
  });

  test('512 CPUs in 256 cores', async () => {
    const cpus: Record<number, SysfsCpu> = {};
    const all = Array.from({ length: 512 }, (_, cpu) => cpu);
    for (const cpu of all) cpus[cpu] = { threads: [cpu % 256, (cpu % 256) + 256], package: all };
    const { cpus: read } = await readTopology(sysfsOf(cpus), '');
    expect(read.at(-1)).toMatchObject({ cpu: 511, core: 255, package: 0, siblings: [255, 511] });
  });

  test('the names of masks since 5.3, and lists instead of masks', async () => {
    const host = sysfsOf(
      { 0: {}, 1: {} },
      {
        [`${CPU_ROOT}/cpu0/topology/core_cpus_list`]: '0-1',
        [`${CPU_ROOT}/cpu0/topology/package_cpus_list`]: '0-1',
      },
    );
    expect(await placesOf(host)).toEqual(['0:0/0/-', '1:0/0/-']);
  });

  test('dies: several in a package; one per CPU means that the architecture has none', async () => {
    const two = { 0: { threads: [0], package: [0, 1, 2, 3], die: [0, 1] }, 1: { threads: [1], die: [0, 1] } };
    const more = { 2: { threads: [2], die: [2, 3] }, 3: { threads: [3], die: [2, 3] } };
    const { cpus } = await readTopology(sysfsOf({ ...two, ...more }), '');
    expect(cpus.map(({ die }) => die)).toEqual([0, 0, 1, 1]);
    const arm = await readTopology(sysfsOf({ 0: { package: [0, 1], die: [0] }, 1: { die: [1] } }), '');
    expect(arm.cpus.map(({ die }) => die)).toEqual([0, 0]);
  });
});

describe('kernels that say less', () => {
  const cpuinfo = [
    'processor\t: 0\nphysical id\t: 0\ncore id\t\t: 0',
    'processor\t: 1\nphysical id\t: 1\ncore id\t\t: 0',
    'processor\t: 2\nphysical id\t: 0\ncore id\t\t: 0\n',
  ].join('\n\n');

  test('no topology folder: /proc/cpuinfo', async () => {
    expect(await placesOf(sysfsOf({ 0: {}, 1: {}, 2: {} }), cpuinfo)).toEqual(['0:0/0/-', '1:1/1/-', '2:0/0/-']);
  });

  test('ids without masks', async () => {
    const host = sysfsOf(
      { 0: {}, 1: {} },
      {
        [`${CPU_ROOT}/cpu0/topology/physical_package_id`]: '3',
        [`${CPU_ROOT}/cpu0/topology/core_id`]: '1',
        [`${CPU_ROOT}/cpu1/topology/physical_package_id`]: '3',
        [`${CPU_ROOT}/cpu1/topology/core_id`]: '2',
      },
    );
    expect(await placesOf(host)).toEqual(['0:0/0/-', '1:1/0/-']);
  });

  test('no possible, present and online files: the folders and their online files', async () => {
    const host = new FakeHost({
      [`${CPU_ROOT}/cpu0/uevent`]: '',
      [`${CPU_ROOT}/cpu10/online`]: '1',
      [`${CPU_ROOT}/cpu2/online`]: '0',
    });
    const { cpus } = await readTopology(host, '');
    expect(cpus.map(({ cpu, online }) => [cpu, online])).toEqual([
      [0, true],
      [2, false],
      [10, true],
    ]);
  });

  test('no sysfs: the processors of /proc/cpuinfo', async () => {
    expect(await placesOf(new FakeHost(), cpuinfo)).toEqual(['0:0/0/-', '1:1/1/-', '2:0/0/-']);
  });

  test('nothing known: CPUs alone, each its own sibling, no core invented', async () => {
    const { cpus } = await readTopology(sysfsOf({ 0: {} }), '');
    expect(cpus).toEqual([
      {
        cpu: 0,
        online: true,
        core: undefined,
        package: undefined,
        die: undefined,
        node: undefined,
        l3: undefined,
        siblings: [0],
      },
    ]);
  });

  test('no CPU at all is no machine', async () => {
    await expect(readTopology(new FakeHost(), 'nonsense')).rejects.toThrow(UsageError);
    await expect(readTopology(new FakeHost(), '')).rejects.toThrow(/fake: expected CPUs in .* found none/);
  });

  test('a set that no kernel prints names the file and the text', async () => {
    const host = sysfsOf({ 0: {} }, { [`${CPU_ROOT}/online`]: '0-banana' });
    await expect(readTopology(host, '')).rejects.toThrow(
      '/sys/devices/system/cpu/online: expected a CPU list such as 0-3,8, got "0-banana"',
    );
  });
});

describe('nodes', () => {
  test('gaps in the numbers, memory without CPUs, CPUs without memory', async () => {
    const host = sysfsOf(
      { 0: {}, 1: {} },
      {
        ...nodeFiles(0, [0], [10, 20, 28], 2048),
        ...nodeFiles(2, [1], [20, 10, 28], 0),
        ...nodeFiles(9, [], [28, 28, 10], 4096),
      },
    );
    const { nodes, cpus } = await readTopology(host, '');
    expect(nodes.map(({ node, cpus: own, memoryBytes }) => [node, own, memoryBytes])).toEqual([
      [0, [0], 2097152],
      [2, [1], 0],
      [9, [], 4194304],
    ]);
    expect(nodes[2]?.distances).toEqual([28, 28, 10]);
    expect(cpus.map(({ node }) => node)).toEqual([0, 2]);
  });

  test('firmware that puts every CPU in every node: the first node has them', async () => {
    const host = sysfsOf({ 0: {}, 1: {} }, { ...nodeFiles(0, [0, 1], [10, 20]), ...nodeFiles(1, [0, 1], [20, 10]) });
    const { nodes, cpus } = await readTopology(host, '');
    expect(nodes.map(({ cpus: own }) => own)).toEqual([[0, 1], []]);
    expect(cpus.map(({ node }) => node)).toEqual([0, 0]);
  });

  test('offline CPUs count for the node of the CPU, not for the CPUs of the node', async () => {
    const host = sysfsOf({ 0: {}, 1: { online: '0' } }, nodeFiles(0, [0, 1], [10]));
    const { nodes, cpus } = await readTopology(host, '');
    expect(nodes[0]?.cpus).toEqual([0]);
    expect(cpus[1]?.node).toBe(0);
  });

  test('hugepage pools per node, smallest first', async () => {
    const pool = '/sys/devices/system/node/node0/hugepages';
    const host = sysfsOf(
      { 0: {} },
      {
        ...nodeFiles(0, [0], [10]),
        [`${pool}/hugepages-1048576kB/nr_hugepages`]: '2',
        [`${pool}/hugepages-1048576kB/free_hugepages`]: '1',
        [`${pool}/hugepages-2048kB/nr_hugepages`]: '64',
        [`${pool}/hugepages-2048kB/free_hugepages`]: '60',
      },
    );
    const { nodes } = await readTopology(host, '');
    expect(nodes[0]?.hugepages).toEqual([
      { pageBytes: 2097152, total: 64, free: 60 },
      { pageBytes: 1073741824, total: 2, free: 1 },
    ]);
  });

  test('a kernel without NUMA has none', async () => {
    expect((await readTopology(sysfsOf({ 0: {} }), '')).nodes).toEqual([]);
  });
});

describe('kinds of cores', () => {
  const typesOf = async (host: FakeHost) => (await readTopology(host, '')).cpus.map(({ coreType }) => coreType);

  test('Intel: the PMUs', async () => {
    const host = sysfsOf(
      { 0: {}, 1: {}, 2: {} },
      {
        '/sys/devices/cpu_core/cpus': '0',
        '/sys/devices/cpu_atom/cpus': '1',
        '/sys/devices/cpu_lowpower/cpus': '2',
      },
    );
    expect(await typesOf(host)).toEqual(['performance', 'efficiency', 'efficiency']);
  });

  test.each([
    ['capacity of big.LITTLE', { 0: { capacity: 300 }, 1: { capacity: 1024 } }, ['efficiency', 'performance']],
    ['favoured cores are no other kind', { 0: { capacity: 1009 }, 1: { capacity: 1024 } }, [undefined, undefined]],
    ['frequency of dense cores', { 0: { maxKHz: 5100000 }, 1: { maxKHz: 3300000 } }, ['performance', 'efficiency']],
    ['turbo of favoured cores', { 0: { maxKHz: 5100000 }, 1: { maxKHz: 4900000 } }, [undefined, undefined]],
    ['one CPU does not say', { 0: { maxKHz: 5100000 }, 1: {} }, [undefined, undefined]],
  ])('%s', async (_, cpus, expected) => {
    expect(await typesOf(sysfsOf(cpus as Record<number, SysfsCpu>))).toEqual(expected);
  });

  test('a machine that had its E-cores switched off has one PMU only, and one kind', async () => {
    expect(await typesOf(sysfsOf({ 0: {} }, { '/sys/devices/cpu_core/cpus': '0' }))).toEqual([undefined]);
  });
});
