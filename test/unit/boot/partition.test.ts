import { describe, expect, test } from 'vitest';
import { cpusetPartitionKind } from '../../../src/tunables/cpuset-partition.ts';
import { sliceCpusKind } from '../../../src/tunables/slice-cpus.ts';
import { FakeHost } from '../../fake-host.ts';

const SLICE = { kind: 'slice-cpus', unit: 'system.slice' } as const;
const CPUS = '/sys/fs/cgroup/system.slice/cpuset.cpus';
const DROP_IN = '/run/systemd/system.control/system.slice.d/50-AllowedCPUs.conf';

/** systemd 252: sets a limit in the cgroup, and leaves it there when it is lifted. */
function systemdHost(files: Record<string, string> = {}): FakeHost {
  const host = new FakeHost({ '/sys/devices/system/cpu/online': '0-7\n', ...files });
  host.commands.set('systemctl', (fake) => {
    const cpus = /AllowedCPUs=(?<cpus>.*)$/.exec(fake.log.at(-1) ?? '')?.groups?.cpus;
    if (cpus === undefined) return '';
    fake.files.set(DROP_IN, `[Slice]\nAllowedCPUs=${cpus}\n`);
    if (cpus !== '') fake.files.set(CPUS, `${cpus.replaceAll(' ', ',')}\n`);
    return '';
  });
  return host;
}

describe('the CPUs of a slice', () => {
  test('are set through systemd and read from the cgroup', async () => {
    const host = systemdHost();
    await sliceCpusKind.write(host, [{ tunable: SLICE, value: '0-1,4-5' }]);
    expect(await sliceCpusKind.read(host, SLICE)).toMatchObject({ status: 'value', value: '0-1,4-5' });
    expect(host.log).toContain('systemctl set-property --runtime system.slice AllowedCPUs=0-1 4-5');
  });

  test('are lifted in the cgroup too, and nothing is left in /run', async () => {
    const host = systemdHost();
    await sliceCpusKind.write(host, [{ tunable: SLICE, value: '0-1' }]);
    await sliceCpusKind.write(host, [{ tunable: SLICE, value: null }]);
    expect(await sliceCpusKind.read(host, SLICE)).toMatchObject({ status: 'value', value: null });
    expect(host.files.has(DROP_IN)).toBe(false);
  });

  test('a host without systemctl fails with ENOENT', async () => {
    await expect(sliceCpusKind.write(new FakeHost(), [{ tunable: SLICE, value: '0' }])).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('the partition of a slice', () => {
  const tunable = { kind: 'cpuset-partition', unit: 'hft.slice' } as const;
  const path = '/sys/fs/cgroup/hft.slice/cpuset.cpus.partition';

  test.each([
    [undefined, null],
    ['member\n', null],
    ['isolated\n', 'isolated'],
    [
      'isolated invalid (Cpu list in cpuset.cpus not exclusive)\n',
      'isolated invalid (Cpu list in cpuset.cpus not exclusive)',
    ],
  ])('%j reads as %j', async (text, value) => {
    const host = new FakeHost(text === undefined ? {} : { [path]: text });
    expect(await cpusetPartitionKind.read(host, tunable)).toMatchObject({ status: 'value', value });
  });

  test('is taken away by making it a member again', async () => {
    const host = new FakeHost({ [path]: 'isolated\n' });
    await cpusetPartitionKind.write(host, [{ tunable, value: null }]);
    expect(host.files.get(path)).toBe('member\n');
  });
});
