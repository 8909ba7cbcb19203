import { describe, expect, test } from 'vitest';
import { explainOpen, findOpen } from '../../../src/cli/launch-gate.ts';
import { type Partition, readBootIsolated, readIsolated, readPartition } from '../../../src/launch/isolated.ts';
import { judgePartition } from '../../../src/launch/judge-partition.ts';
import type { PlacedProcess } from '../../../src/launch/placement.ts';
import { placeArguments } from '../../../src/launch/thread-spec.ts';
import { launchUnits } from '../../../src/launch/units.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';
import { loadProcesses, NOTHING_MISSING, place, withRoles } from './placing.ts';

const PROCESS: PlacedProcess = {
  name: 'md',
  why: undefined,
  own: [2],
  idle: [],
  rest: [0, 1],
  threads: [],
  memory: { policy: 'default', nodes: [], lock: false, hugepages: {}, why: '' },
};

function host(state: string | undefined, more: Record<string, string> = {}): FakeHost {
  const slice = '/sys/fs/cgroup/hft.slice';
  return new FakeHost({
    '/sys/devices/system/cpu/isolated': '\n',
    ...(state !== undefined && {
      [`${slice}/cpuset.cpus.partition`]: `${state}\n`,
      [`${slice}/cpuset.cpus.effective`]: '2-3\n',
      [`${slice}/cgroup.type`]: 'threaded\n',
    }),
    ...more,
  });
}

describe('CPUs of a cpuset partition', () => {
  test.each<[string, FakeHost, readonly number[]]>([
    ['there is none', host(undefined), []],
    ['an ordinary slice', host('member'), []],
    ['a valid one', host('isolated'), [2, 3]],
    ['one whose write succeeded and that is invalid', host('isolated invalid (Parent is not a partition root)'), []],
    ['one that balances', host('root'), []],
    [
      'a valid one of which the kernel lists less',
      host('isolated', { '/sys/fs/cgroup/cpuset.cpus.isolated': '3\n' }),
      [3],
    ],
    ['beside isolation at boot', host('isolated', { '/sys/devices/system/cpu/isolated': '5\n' }), [2, 3, 5]],
  ])('%s', async (_, reader, isolated) => {
    expect(await readIsolated(reader)).toEqual(isolated);
    expect(await readBootIsolated(reader)).toEqual(isolated.filter((cpu) => cpu === 5));
  });
});

describe('what the gate says of CPUs that are not isolated at boot', () => {
  const say = async (open: readonly number[], state: string | undefined) =>
    explainOpen(open, await readPartition(host(state))).reason;

  test('without a partition, in one, beside one, and of one that is invalid', async () => {
    expect(await say([2], undefined)).toBe('CPU 2 should be isolated, and the running kernel does not isolate it');
    expect(await say([2, 3], 'isolated')).toBe(
      'CPUs 2-3 are isolated by a cpuset partition, and the processes were placed when there was none',
    );
    expect(await say([2, 4], 'isolated')).toContain('which has 2-3 in effect');
    expect(await say([2], 'isolated invalid (Cpu list in cpuset.cpus not exclusive)')).toContain(
      'which is isolated invalid (Cpu list in cpuset.cpus not exclusive)',
    );
  });

  test('one that takes whole processes only', async () => {
    const whole = host('isolated', { '/sys/fs/cgroup/hft.slice/cgroup.type': 'domain\n' });
    const { reason, next } = explainOpen([2], await readPartition(whole));
    expect(reason).toContain('takes whole processes only');
    expect(next).toEqual(['`hft rollback --all` and `hft tune` make it anew.']);
  });
});

describe('the gate', () => {
  const placed = { ...PROCESS, own: [2, 3] };
  const inside = { ...placed, partition: { cgroup: '/hft.slice', cpus: [2, 3] } };
  const open = async (process: PlacedProcess, reader: FakeHost) =>
    findOpen({ reader, processes: [process], isolated: [2, 3, 4] }, await readPartition(reader));

  test.each<[string, PlacedProcess, FakeHost, readonly number[]]>([
    ['threads in a valid partition', inside, host('isolated'), []],
    ['threads that were placed when there was none', placed, host('isolated'), [2, 3]],
    ['an invalid partition', inside, host('isolated invalid (Parent is not a partition root)'), [2, 3]],
    ['a partition that balances', inside, host('root'), [2, 3]],
    ['no partition any more', inside, host(undefined), [2, 3]],
    ['whole processes only', inside, host('isolated', { '/sys/fs/cgroup/hft.slice/cgroup.type': 'domain' }), [2, 3]],
    ['one CPU less than at the launch', inside, host('isolated', { '/sys/fs/cgroup/cpuset.cpus.isolated': '3' }), [2]],
    ['isolation at boot', placed, host(undefined, { '/sys/devices/system/cpu/isolated': '2-3\n' }), []],
  ])('%s', async (_, process, reader, cpus) => {
    expect(await open(process, reader)).toEqual(cpus);
  });
});

describe('a placement on a host with a partition', () => {
  const machine = withRoles(buildMachine({ coresPerPackage: 8 }), { isolated: { cores: 3 } });
  const [first, second, third] = machine.layout.isolated as [number, number, number];
  const deployment = loadProcesses({
    md: { cpus: { count: 1 }, threads: { 'md-rx': 'own', log: 'housekeeping' } },
    monitor: {},
  });
  const placeOn = async (cpus: readonly number[], isThreaded = true) =>
    place(await deployment, machine, { ...NOTHING_MISSING, partition: { state: 'isolated', cpus, isThreaded } });

  test('says what of its own CPUs a process has there; others have nothing of it', async () => {
    const { processes, notes } = await placeOn([first, second, third]);
    const [md, monitor] = ['md', 'monitor'].map((name) => processes.find((process) => process.name === name));
    expect(md?.partition).toEqual({ cgroup: '/hft.slice', cpus: md?.own });
    expect(monitor?.partition).toBeUndefined();
    expect(notes.find(({ about }) => about === 'isolation')?.text).toContain('isolated by a cpuset partition');
  });

  test('CPUs outside the partition, and a partition for whole processes, are not used', async () => {
    for (const placement of [await placeOn([]), await placeOn([first, second, third], false)]) {
      expect(placement.processes.map(({ partition }) => partition)).toEqual([undefined, undefined]);
      expect(placement.notes.find(({ about }) => about === 'isolation')?.text).toContain('not isolated by the running');
    }
  });

  test('its unit looks at the partition before each start, places threads in it, and ends what is left behind', async () => {
    const { processes } = await placeOn([first, second, third]);
    const md = processes.find(({ name }) => name === 'md') as PlacedProcess;
    const option = `/sys/fs/cgroup:/hft.slice:${md.own[0]}`;
    expect(placeArguments(md).slice(0, 2)).toEqual(['--partition', option]);
    const units = launchUnits({
      deployment: await deployment,
      placement: await placeOn([first, second, third]),
      names: ['md', 'monitor'],
      probe: '/p',
      command: '/hft',
      run: '/run/hft/launch',
      state: '/var/lib/hft',
      environmentFiles: {},
      housekeeping: [0],
      isTuned: true,
    });
    const [text, other] = ['md', 'monitor'].map(
      (name) => units.find(({ path }) => path.endsWith(`/hft-trading-${name}.service`))?.text ?? '',
    );
    expect(text).toContain(`ExecStartPre=+/p check-partition ${option}\n`);
    expect(text).toContain(`place-threads --pid $MAINPID --within-ms 30000 --partition ${option} `);
    expect(text).toContain('ExecStopPost=+/p end-invocation\n');
    expect(other).not.toMatch(/-partition|--partition/);
    expect(other).not.toContain('ExecStopPost');
    // hft-trading.slice would be inside hft.slice.
    for (const unit of units) expect(unit.text).not.toMatch(/^Slice=hft/m);
  });
});

describe('a partition while processes have threads in it', () => {
  const inside = { ...PROCESS, own: [2], partition: { cgroup: '/hft.slice', cpus: [2] } };
  test.each<[string, Partition | undefined, string, string]>([
    ['in effect', { state: 'isolated', cpus: [2, 3], isThreaded: true }, 'pass', 'isolated'],
    ['gone', undefined, 'fail', 'none'],
    [
      'that the kernel made invalid',
      { state: 'isolated invalid (No cpu available due to hotplug)', cpus: [], isThreaded: true },
      'fail',
      'isolated invalid (No cpu available due to hotplug)',
    ],
    ['that balances', { state: 'root', cpus: [], isThreaded: true }, 'fail', 'root'],
    ['with other CPUs', { state: 'isolated', cpus: [3], isThreaded: true }, 'fail', 'isolated with 3'],
  ])('%s', (_, partition, status, actual) => {
    expect(judgePartition(inside, partition)).toMatchObject([{ id: 'processes.partition@md', status, actual }]);
  });

  test('says nothing of a process that has none there', () => {
    expect(judgePartition(PROCESS, undefined)).toEqual([]);
  });
});
