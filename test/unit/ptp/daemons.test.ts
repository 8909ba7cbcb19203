import { describe, expect, test } from 'vitest';
import { findClockDaemons } from '../../../src/ptp/daemons.ts';
import { FakeHost } from '../../fake-host.ts';

interface Running {
  readonly argv: string;
  readonly comm?: string;
  readonly parent?: number;
  readonly unit?: string;
}

function hostWith(running: readonly Running[], files: Record<string, string> = {}): FakeHost {
  const host = new FakeHost(files);
  for (const [index, { argv, comm, parent = 1, unit }] of running.entries()) {
    const pid = 100 + index;
    const program = argv.split(' ')[0]?.split('/').at(-1) ?? '';
    host.files.set(`/proc/${pid}/comm`, `${comm ?? program}\n`);
    host.files.set(`/proc/${pid}/cmdline`, `${argv.split(' ').join('\0')}\0`);
    host.files.set(`/proc/${pid}/stat`, `${pid} (${program}) S ${parent} 1 1 0`);
    host.files.set(`/proc/${pid}/cgroup`, unit === undefined ? '0::/user.slice\n' : `0::/system.slice/${unit}\n`);
  }
  return host;
}

const steeredBy = async (argv: string, files: Record<string, string> = {}) =>
  (await findClockDaemons(hostWith([{ argv }], files))).map(({ steers }) => steers);

describe('who steers what', () => {
  test.each([
    ['/usr/sbin/chronyd -F 1', ['CLOCK_REALTIME']],
    ['/usr/sbin/chronyd -x -F 1', []],
    ['/usr/sbin/ptp4l -S -i eth0 --clock_servo ntpshm', []],
    ['/usr/sbin/phc2sys -a -r -E nullf', []],
    ['/usr/sbin/ntpd -p /run/ntpd.pid -g', ['CLOCK_REALTIME']],
    ['/usr/sbin/phc2sys -a -r -n 24', ['CLOCK_REALTIME']],
    ['/usr/sbin/phc2sys -ar -n24 -m', ['CLOCK_REALTIME']],
    ['/usr/sbin/phc2sys -a', []],
    ['/usr/sbin/phc2sys -w -s eth0', ['CLOCK_REALTIME']],
    ['/usr/sbin/phc2sys -s eth0 -c eth1 -O 0', ['eth1']],
    ['/usr/sbin/phc2sys -a -r -E ntpshm -M 1', []],
    ['/usr/sbin/ts2phc -s nmea -c ens2f1', ['ens2f1']],
    ['/usr/sbin/ptp4l -i eth0 -H', ['eth0']],
    ['/usr/sbin/ptp4l -i eth0 -i eth1 -S', ['CLOCK_REALTIME']],
    ['/usr/sbin/ptp4l -i eth0 --time_stamping=software', ['CLOCK_REALTIME']],
    ['/usr/sbin/ptp4l -i eth0 --time_stamping software --free_running=1', []],
    ['/usr/sbin/ptp4l -i eth0 --masterOnly=1', []],
  ])('%s', async (argv, steers) => expect(await steeredBy(argv)).toEqual([steers]));

  test('what the file of a ptp4l says, and its socket and domain', async () => {
    const text =
      '[global]\n# comment\ndomainNumber  24\nuds_address /run/ptp/x\ntime_stamping\tsoftware\nfree_running 0\n[eth0]\nmasterOnly 1\n';
    const [daemon] = await findClockDaemons(
      hostWith([{ argv: 'ptp4l -f /etc/p.conf', unit: 'p.service' }], { '/etc/p.conf': text }),
    );
    expect(daemon).toMatchObject({
      unit: 'p.service',
      steers: ['CLOCK_REALTIME'],
      ptp4l: { socket: '/run/ptp/x', domain: 24, isFreeRunning: false, stamps: 'software', interfaces: ['eth0'] },
    });
  });

  test('two names of one PTP clock are one clock', async () => {
    const host = hostWith([
      { argv: 'ptp4l -i eth0' },
      { argv: 'phc2sys -s eth1 -c eth0 -O 0' },
      { argv: 'ts2phc -c /dev/ptp3' },
    ]);
    host.files.set('/sys/class/net/eth0/device/ptp/ptp3/clock_name', 'x');
    expect((await findClockDaemons(host)).map(({ steers }) => steers)).toEqual([
      ['/dev/ptp3'],
      ['/dev/ptp3'],
      ['/dev/ptp3'],
    ]);
  });

  test('the helper of chronyd is no second one, and a zombie is none', async () => {
    const host = hostWith([{ argv: 'chronyd -F 1' }, { argv: 'chronyd -F 1', parent: 100 }, { argv: 'phc2sys -a -r' }]);
    host.files.set('/proc/102/cmdline', '');
    expect((await findClockDaemons(host)).map(({ name, pid }) => [name, pid])).toEqual([['chronyd', 100]]);
  });

  test('names that are cut to 15 characters', async () => {
    const host = hostWith([{ argv: '/lib/systemd/systemd-timesyncd', comm: 'systemd-timesyn' }]);
    expect(await findClockDaemons(host)).toMatchObject([{ name: 'systemd-timesyncd', steers: ['CLOCK_REALTIME'] }]);
  });
});
