import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/errors.ts';
import { ethtoolKind } from '../../../src/tunables/ethtool.ts';
import type { EthtoolGroup, EthtoolTunable } from '../../../src/tunables/tunable.ts';
import { FakeHost } from '../../fake-host.ts';
import * as captures from './ethtool-captures.ts';

function tunable(group: EthtoolGroup, key: string, device = 'enp1s0'): EthtoolTunable {
  return { kind: 'ethtool', device, group, key };
}

function answer(stderr: string, exitCode = 1) {
  return { found: true, exitCode, stdout: '', stderr } as const;
}

describe('reading', () => {
  test('a value, with the line it comes from and its maximum', async () => {
    const host = new FakeHost({}, { 'ethtool -g enp1s0': captures.IGB_RINGS });
    expect(await ethtoolKind.read(host, tunable('ring', 'rx'))).toEqual({
      status: 'value',
      value: '256',
      evidence: 'ethtool -g enp1s0: RX: 256 (at most 4096)',
    });
  });

  test('n/a is missing, with the line', async () => {
    const host = new FakeHost({}, { 'ethtool -g enp1s0': captures.IGB_RINGS });
    expect(await ethtoolKind.read(host, tunable('ring', 'rx-mini'))).toEqual({
      status: 'missing',
      evidence: 'ethtool -g enp1s0: RX Mini: n/a',
    });
  });

  test.each([
    ['a driver without the function', 'netlink error: Operation not supported', { status: 'missing' }],
    ['no such interface', 'netlink error: No such device', { status: 'missing' }],
    ['not allowed', 'netlink error: Operation not permitted', { status: 'unreadable', code: 'EPERM' }],
    [
      'an ethtool that does not know the option',
      'ethtool: bad command line argument(s)',
      { status: 'unreadable', code: 'EINVAL' },
    ],
  ])('%s', async (_name, stderr, expected) => {
    const host = new FakeHost({}, { 'ethtool -g enp1s0': answer(stderr) });
    const reading = await ethtoolKind.read(host, tunable('ring', 'rx'));
    expect(reading).toMatchObject(expected);
    expect(reading.evidence).toContain(stderr);
  });

  test('success that says nothing is not a value', async () => {
    const host = new FakeHost({}, { 'ethtool -g enp1s0': answer('', 0) });
    expect(await ethtoolKind.read(host, tunable('ring', 'rx'))).toMatchObject({ status: 'unreadable' });
  });

  test('without ethtool: unreadable, so never counted as right', async () => {
    expect(await ethtoolKind.read(new FakeHost(), tunable('ring', 'rx'))).toMatchObject({
      status: 'unreadable',
      code: 'ENOENT',
    });
  });

  test('a command that does not end: unreadable, with the errno', async () => {
    const host = new FakeHost(
      {},
      {
        ethtool: () => {
          throw new HostError('run', 'ethtool', 'ETIMEDOUT');
        },
      },
    );
    expect(await ethtoolKind.read(host, tunable('ring', 'rx'))).toMatchObject({
      status: 'unreadable',
      code: 'ETIMEDOUT',
    });
  });

  test('an RSS table, and a driver that has none', async () => {
    const host = new FakeHost({}, { 'ethtool -x enp1s0': captures.IGB_RSS, 'ethtool -x eth0': captures.VIRTIO_NO_RSS });
    expect(await ethtoolKind.read(host, tunable('rss', 'indirection'))).toMatchObject({
      value: 'weight 16 16 16 16 16 16 16 16',
    });
    expect(await ethtoolKind.read(host, tunable('rss', 'indirection', 'eth0'))).toMatchObject({ status: 'missing' });
  });
});

test.each([
  [tunable('ring', 'rx'), ' 04096 ', '4096'],
  [tunable('feature', 'tso'), 'off', 'off'],
  [tunable('rss', 'indirection'), 'equal  4', 'equal 4'],
])('canonical %j', (where, written, canonical) => {
  expect(ethtoolKind.canonical(where, written)).toBe(canonical);
});

test('canonical refuses text that is no value', () => {
  expect(() => ethtoolKind.canonical(tunable('ring', 'rx'), 'many')).toThrow(RangeError);
  expect(() => ethtoolKind.canonical(tunable('rss', 'indirection'), 'spread')).toThrow(RangeError);
});

test('one command for the parameters of a device and group, none across them', () => {
  const key = (each: EthtoolTunable) => ethtoolKind.batchKey?.(each);
  expect(key(tunable('ring', 'rx'))).toBe(key(tunable('ring', 'tx')));
  expect(key(tunable('ring', 'rx'))).not.toBe(key(tunable('pause', 'rx')));
  expect(key(tunable('ring', 'rx'))).not.toBe(key(tunable('ring', 'rx', 'enp2s0')));
});

describe('writing', () => {
  test('rings in one command', async () => {
    const host = new FakeHost({}, { 'ethtool -g enp1s0': captures.IGB_RINGS, ethtool: '' });
    await ethtoolKind.write(host, [
      { tunable: tunable('ring', 'rx'), value: '4096' },
      { tunable: tunable('ring', 'tx'), value: '4096' },
    ]);
    expect(host.log).toEqual(['ethtool -G enp1s0 rx 4096 tx 4096']);
  });

  test('coalescing leaves out what the driver shows as n/a', async () => {
    const host = new FakeHost({}, { 'ethtool -c enp0s2': captures.VIRTIO_COALESCE, ethtool: '' });
    await ethtoolKind.write(host, [
      { tunable: tunable('coalesce', 'adaptive-rx', 'enp0s2'), value: 'off' },
      { tunable: tunable('coalesce', 'adaptive-tx', 'enp0s2'), value: 'off' },
      { tunable: tunable('coalesce', 'rx-usecs', 'enp0s2'), value: '0' },
    ]);
    expect(host.log).toEqual(['ethtool -C enp0s2 adaptive-rx off rx-usecs 0']);
  });

  test('when one parameter refuses the whole command, the others are set alone', async () => {
    const refused = answer(
      'netlink error: cannot modify an unsupported parameter (offset 36)\nnetlink error: Invalid argument',
    );
    const host = new FakeHost(
      {},
      { ethtool: '', 'ethtool -A enp1s0 autoneg off rx off': refused, 'ethtool -A enp1s0 autoneg off': refused },
    );
    await ethtoolKind.write(host, [
      { tunable: tunable('pause', 'autoneg'), value: 'off' },
      { tunable: tunable('pause', 'rx'), value: 'off' },
    ]);
    expect(host.log.at(-1)).toBe('ethtool -A enp1s0 rx off');
  });

  test('refused altogether: the errno that ethtool printed', async () => {
    const host = new FakeHost({}, { ethtool: answer('netlink error: Operation not supported') });
    await expect(
      ethtoolKind.write(host, [{ tunable: tunable('channels', 'combined'), value: '4' }]),
    ).rejects.toMatchObject({
      code: 'EOPNOTSUPP',
    });
  });

  test('an exit code alone is no error: older versions have 80 for "nothing to change"', async () => {
    const host = new FakeHost(
      {},
      { ethtool: answer('rx unmodified, ignoring\nno ring parameters changed, aborting', 80) },
    );
    await ethtoolKind.write(host, [{ tunable: tunable('ring', 'rx'), value: '4096' }]);
    expect(host.log).toHaveLength(1);
  });

  test('a table over some of the queues is set as such', async () => {
    const host = new FakeHost({}, { 'ethtool -x enp1s0': captures.IGB_RSS, ethtool: '' });
    await ethtoolKind.write(host, [{ tunable: tunable('rss', 'indirection'), value: 'equal 2' }]);
    expect(host.log).toEqual(['ethtool -X enp1s0 equal 2']);
  });

  test('a table over all queues comes back as the driver had it, not as one of hand', async () => {
    const custom = captures.rssOf('enp1s0', 8, [0, 1, 0, 1, 0, 1, 0, 1]);
    const host = new FakeHost(
      {},
      {
        'ethtool -x enp1s0': custom,
        'ethtool -X enp1s0 default': (self) => {
          self.commands.set('ethtool -x enp1s0', captures.IGB_RSS);
          return '';
        },
      },
    );
    await ethtoolKind.write(host, [
      { tunable: tunable('rss', 'indirection'), value: 'weight 16 16 16 16 16 16 16 16' },
    ]);
    expect(host.log).toEqual(['ethtool -X enp1s0 default']);
  });

  test('fewer queues than a table names: an even table is forgotten, a chosen one is not', async () => {
    const refused = answer('netlink error: requested channel counts are too low\nnetlink error: Invalid argument');
    const fewer = [{ tunable: tunable('channels', 'combined'), value: '2' }];
    const even = new FakeHost(
      {},
      {
        'ethtool -x enp1s0': captures.IGB_RSS,
        'ethtool -L enp1s0 combined 2': refused,
        'ethtool -X enp1s0 default': (self) => {
          self.commands.set('ethtool -L enp1s0 combined 2', '');
          return '';
        },
      },
    );
    await ethtoolKind.write(even, fewer);
    expect(even.log).toEqual([
      'ethtool -L enp1s0 combined 2',
      'ethtool -X enp1s0 default',
      'ethtool -L enp1s0 combined 2',
    ]);
    const chosen = captures.rssOf('enp1s0', 8, [0, 0, 0, 7, 7, 7, 7, 7]);
    const host = new FakeHost({}, { 'ethtool -x enp1s0': chosen, ethtool: refused });
    await expect(ethtoolKind.write(host, fewer)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(host.log).toEqual(['ethtool -L enp1s0 combined 2']);
  });

  test('a table that ethtool cannot set is an error, not a silent other one', async () => {
    const host = new FakeHost({}, { 'ethtool -x enp1s0': captures.IGB_RSS, ethtool: '' });
    await expect(
      ethtoolKind.write(host, [{ tunable: tunable('rss', 'indirection'), value: 'table 0,1,1,0' }]),
    ).rejects.toMatchObject({
      code: 'EINVAL',
    });
  });
});
