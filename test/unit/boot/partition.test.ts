import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/errors.ts';
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

  const type = '/sys/fs/cgroup/hft.slice/cgroup.type';

  test('is made threaded first, so that single threads can be in it', async () => {
    const host = new FakeHost({ [path]: 'member\n', [type]: 'domain\n' });
    await cpusetPartitionKind.write(host, [{ tunable, value: 'isolated' }]);
    expect(host.log.map((line) => line.replace('/sys/fs/cgroup/hft.slice/', ''))).toEqual([
      'cgroup.type <- threaded',
      'cpuset.cpus.partition <- isolated',
    ]);
  });

  test('one that became invalid is a member before it is made again: the kernel keeps it invalid else', async () => {
    const host = new FakeHost({ [path]: 'isolated invalid (Parent is not a partition root)\n', [type]: 'threaded\n' });
    await cpusetPartitionKind.write(host, [{ tunable, value: 'isolated' }]);
    expect(host.log.map((line) => line.replace('/sys/fs/cgroup/hft.slice/', ''))).toEqual([
      'cpuset.cpus.partition <- member',
      'cpuset.cpus.partition <- isolated',
    ]);
  });

  test('that is taken away lets its threads go on where they are, and nobody is in it any more', async () => {
    const host = partitionInUse();
    await cpusetPartitionKind.write(host, [{ tunable, value: null }]);
    expect(host.files.get(path)).toBe('member\n');
    expect(host.files.get('/sys/fs/cgroup/hft.slice/cgroup.threads')).toBe('');
    expect(host.files.get('/sys/fs/cgroup/cgroup.threads')).toBe('50\n52\n');
    expect([50, 51, 52].map((tid) => allowedOf(host, tid))).toEqual(['0-1', '0-1', '2']);
  });

  test('one that was cut off while it was taken away is not taken away yet: threads are in it', async () => {
    const host = partitionInUse();
    host.files.set(path, 'member\n');
    expect(await cpusetPartitionKind.read(host, tunable)).toMatchObject({ value: 'member' });
    expect(cpusetPartitionKind.isHalfBack?.('member')).toBe(true);
    await cpusetPartitionKind.write(host, [{ tunable, value: null }]);
    expect(await cpusetPartitionKind.read(host, tunable)).toMatchObject({ value: null });
  });

  test('a thread that ended meanwhile does not stop it', async () => {
    const host = partitionInUse();
    host.files.set('/sys/fs/cgroup/hft.slice/cgroup.threads', '52\n99\n');
    await cpusetPartitionKind.write(host, [{ tunable, value: null }]);
    expect(allowedOf(host, 52)).toBe('2');
  });

  test('is taken away by making it a member again', async () => {
    const host = new FakeHost({ [path]: 'isolated\n' });
    await cpusetPartitionKind.write(host, [{ tunable, value: null }]);
    expect(host.files.get(path)).toBe('member\n');
  });
});

/** Process 50: its thread 52 is in the partition, 50 and 51 are beside it. As before Linux 6.2, everybody loses his CPUs with it. */
function partitionInUse(): FakeHost {
  const folder = '/sys/fs/cgroup';
  const thread = (tid: number, cpus: string) => [
    [`/proc/50/task/${tid}/status`, `Tgid:\t50\nCpus_allowed_list:\t${cpus}\n`],
    [`/proc/${tid}/status`, `Tgid:\t50\nCpus_allowed_list:\t${cpus}\n`],
  ];
  const host = new MovingHost(
    Object.fromEntries([
      ...thread(50, '0-1'),
      ...thread(51, '0-1'),
      ...thread(52, '2'),
      [`${folder}/cgroup.threads`, '50\n'],
      [`${folder}/hft.slice/cgroup.threads`, '52\n'],
      [`${folder}/hft.slice/cgroup.type`, 'threaded\n'],
      [`${folder}/hft.slice/cpuset.cpus.partition`, 'isolated\n'],
    ]),
  );
  host.commands.set('taskset', (fake, _, argv) => {
    const tid = argv.at(-1);
    const status = fake.files.get(`/proc/50/task/${tid}/status`);
    if (status === undefined) return { found: true, exitCode: 1, stdout: '', stderr: 'No such process' };
    fake.files.set(`/proc/50/task/${tid}/status`, status.replace(/(Cpus_allowed_list:\t).*/, `$1${argv.at(-2)}`));
    return '';
  });
  return host;
}

function allowedOf(host: FakeHost, tid: number): string | undefined {
  return /Cpus_allowed_list:\t(?<cpus>.*)/.exec(host.files.get(`/proc/50/task/${tid}/status`) ?? '')?.groups?.cpus;
}

/** A thread whose number is written to cgroup.threads is moved there; a partition that goes gives every thread all CPUs. */
class MovingHost extends FakeHost {
  override async writeText(path: string, text: string): Promise<void> {
    if (path.endsWith('/cpuset.cpus.partition')) {
      await super.writeText(path, text);
      for (const [name, status] of this.files)
        if (name.startsWith('/proc/50/task/'))
          this.files.set(name, status.replace(/(Cpus_allowed_list:\t).*/, '$10-3'));
      return;
    }
    if (!path.endsWith('/cgroup.threads')) return super.writeText(path, text);
    if (!this.files.has(`/proc/${text}/status`)) throw new HostError('write', path, 'ESRCH');
    for (const [name, ids] of this.files)
      if (name.endsWith('/cgroup.threads')) this.files.set(name, ids.replace(new RegExp(`^${text}\n`, 'm'), ''));
    this.files.set(path, `${this.files.get(path)}${text}\n`);
  }
}
