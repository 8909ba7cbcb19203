import { describe, expect, test } from 'vitest';
import { explainOpen } from '../../../src/cli/launch-gate.ts';
import { readBootIsolated, readIsolated, readPartition } from '../../../src/launch/isolated.ts';
import { FakeHost } from '../../fake-host.ts';

function host(state: string | undefined, more: Record<string, string> = {}): FakeHost {
  const slice = '/sys/fs/cgroup/hft.slice';
  return new FakeHost({
    '/sys/devices/system/cpu/isolated': '\n',
    ...(state !== undefined && {
      [`${slice}/cpuset.cpus.partition`]: `${state}\n`,
      [`${slice}/cpuset.cpus.effective`]: '2-3\n',
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
      'CPUs 2-3 are isolated by a cpuset partition alone, in which `hft launch` can place nothing that it starts',
    );
    expect(await say([2, 4], 'isolated')).toContain('which has 2-3 in effect');
    expect(await say([2], 'isolated invalid (Cpu list in cpuset.cpus not exclusive)')).toContain(
      'which is isolated invalid (Cpu list in cpuset.cpus not exclusive)',
    );
  });
});
