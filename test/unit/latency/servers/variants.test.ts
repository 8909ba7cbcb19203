import { describe, expect, test } from 'vitest';
import { readServers } from '../../../../src/cli/latency-servers.ts';
import { requireFreeInterface } from '../../../../src/cli/latency-xdp.ts';
import { UsageError } from '../../../../src/errors.ts';
import { memcached } from '../../../../src/latency/memcached/memcached.ts';
import { network } from '../../../../src/latency/network/network.ts';
import type { Measure, Probe, Servers } from '../../../../src/latency/probe/probe.ts';
import { refuseToSpin } from '../../../../src/latency/probe/spin-rule.ts';
import { redis } from '../../../../src/latency/redis/redis.ts';
import { isMeantFor, listTargets } from '../../../../src/latency/targets/target.ts';
import { zeromq } from '../../../../src/latency/zeromq/zeromq.ts';

/** Which ways there are to measure other people's servers and libraries, and how a server is named. */
const names = (probe: Probe, cpus: readonly number[], suite: 'quick' | 'full', servers: Servers = {}) =>
  probe.variants({ cpus, suite, servers }).map(({ name }) => name);

describe('a data server', () => {
  test('of its own: the client on the first CPU, the server on the second', () => {
    const [variant] = redis.variants({ cpus: [4, 5, 6], suite: 'quick' });
    expect(variant).toMatchObject({ cpus: [4, 5], spinning: [4] });
    expect(variant?.options).toEqual({ command: 'get', wait: 'block', payload: 64, rate: 1000, server: 'own-unix' });
    expect(names(redis, [4], 'full')).toEqual([]);
  });

  test('over a unix socket and TCP in the full suite', () => {
    const asked = ['get', 'get spin', 'set', 'get 16 a write'];
    expect(names(redis, [4, 5], 'full')).toEqual([
      ...asked.map((each) => `${each} unix`),
      ...asked.map((each) => `${each} tcp`),
    ]);
    expect(names(memcached, [4, 5], 'full')).toEqual(['get unix', 'get spin unix', 'get tcp', 'get spin tcp']);
    expect(names(memcached, [4, 5], 'quick')).toEqual(['get unix']);
  });

  test('that is named: the client alone, and only the way that was named', () => {
    const servers = { redis: 'unix:/run/redis.sock' };
    expect(redis.variants({ cpus: [4, 5], suite: 'quick', servers })).toMatchObject([
      { name: 'get unix:/run/redis.sock', cpus: [4], options: { server: 'unix:/run/redis.sock' } },
    ]);
    expect(names(redis, [4], 'full', servers)).toHaveLength(4);
    expect(names(memcached, [4], 'quick', servers)).toEqual([]);
  });

  test('sleeps, so it may have the last housekeeping CPU; the client may not', () => {
    const [variant] = redis.variants({ cpus: [1, 0], suite: 'quick' });
    if (variant === undefined) throw new Error('no variant');
    expect(refuseToSpin(variant, [0, 1])).toBeUndefined();
    expect(refuseToSpin(variant, [1])).toContain('keep CPUs 1 busy');
  });
});

describe('zeromq', () => {
  const options = (cpus: readonly number[]) => zeromq.variants({ cpus, suite: 'quick' })[0]?.options;

  test('gives the threads of the library CPUs of their own where there are some', () => {
    expect(options([4, 5, 6, 7, 8])).toMatchObject({ 'sender-io-cpu': 6, 'receiver-io-cpu': 7 });
    expect(options([4, 5, 6])).toMatchObject({ 'sender-io-cpu': 6, 'receiver-io-cpu': 6 });
    expect(options([4, 5])).toMatchObject({ 'sender-io-cpu': 5, 'receiver-io-cpu': 5 });
    expect(options([4])).toBeUndefined();
  });

  test('spins only where that leaves the library a CPU', () => {
    expect(names(zeromq, [4, 5], 'full')).toEqual(['push-pull block', 'pub-sub block', 'req-rep block']);
    expect(names(zeromq, [4, 5, 6], 'full')).toHaveLength(6);
    expect(names(zeromq, [4, 5, 6, 7], 'quick')).toEqual(['push-pull block']);
    const [blocking, spinning] = zeromq.variants({ cpus: [4, 5, 6], suite: 'full' });
    expect([blocking?.spinning, spinning?.spinning]).toEqual([[4], [4, 5]]);
  });
});

test('a row with a part judges that part alone, one without judges all', () => {
  const measure: Measure = {
    name: 'redis',
    part: 'get',
    cpus: [1],
    direction: 'round-trip',
    pacing: { kind: 'saturated' },
    wait: 'block',
    samples: 'latency',
    rule: 'open',
    blocks: [],
    exposureNs: 0,
  };
  const [get, any] = listTargets({
    get: { probe: 'redis', load: 'none', part: 'get', p50: 1 },
    any: { probe: 'redis', load: 'none', p50: 1 },
  });
  const [variant] = redis.variants({ cpus: [1, 2], suite: 'quick' });
  if (get === undefined || any === undefined || variant === undefined) throw new Error('nothing to compare');
  const judges = (part: string) =>
    [get, any].map((target) => isMeantFor(target, 'redis', { measure: { ...measure, part }, variant, load: 'none' }));
  expect(judges('get')).toEqual([true, true]);
  expect(judges('set')).toEqual([false, true]);
  expect(judges('get-remote')).toEqual([false, true]);
});

describe('--redis', () => {
  test.each([
    ['unix:/run/redis/redis.sock', 'unix:/run/redis/redis.sock'],
    ['127.0.0.1:6379', '127.0.0.1:6379'],
    ['localhost:6379', '127.0.0.1:6379'],
    ['[::1]:6379', '[::1]:6379'],
  ])('%s', async (text, address) => {
    expect(await readServers({ redis: text })).toEqual({ redis: address });
  });

  test.each([
    '6379',
    'localhost',
    '127.0.0.1:',
    '127.0.0.1:0',
    '127.0.0.1:70000',
    '::1:6379',
    'unix:run/redis',
    'unix:',
    '/run/redis',
    'redis://h:1',
  ])('not %s', async (text) => {
    await expect(readServers({ redis: text })).rejects.toThrow(
      '--redis: expected unix:/path, HOST:PORT or [IPv6]:PORT, got',
    );
  });

  test('a host that nobody knows', async () => {
    await expect(readServers({ memcached: 'no-such-host.invalid:11211' })).rejects.toThrow(
      '--memcached: the host no-such-host.invalid is not known',
    );
  });

  test.each([
    ['localhost', '127.0.0.1:17707'],
    ['10.0.0.7', '10.0.0.7:17707'],
    ['10.0.0.7:9', '10.0.0.7:9'],
    ['[::1]', '[::1]:17707'],
    ['[::1]:9', '[::1]:9'],
  ])('--peer %s', async (text, address) => {
    expect(await readServers({ peer: text })).toEqual({ network: address });
  });

  test.each(['', '::1', 'unix:/run/x', '10.0.0.7:', '10.0.0.7:0', '10.0.0.7:70000', 'a b', 'http://x'])(
    'not --peer %s',
    async (text) => {
      await expect(readServers({ peer: text })).rejects.toThrow('--peer: expected HOST[:PORT] or [IPv6][:PORT], got');
    },
  );

  test('AF_XDP beside the ways through the kernel, where an interface is named', () => {
    const servers = { network: '10.0.0.7:17707' };
    const ways = (suite: 'quick' | 'full', xdp?: string) =>
      network.variants({ cpus: [4, 5], suite, servers, xdp }).map(({ name }) => name);
    expect(ways('quick')).toEqual(['udp 64 B spin 10.0.0.7:17707', 'tcp 64 B spin 10.0.0.7:17707']);
    expect(ways('quick', 'eth1').slice(2)).toEqual(['xdp 64 B spin eth1 10.0.0.7:17707']);
    expect(ways('full')).toHaveLength(8);
    expect(ways('full', 'eth1')).toHaveLength(10);
    expect(network.variants({ cpus: [4], suite: 'full' })).toEqual([]);
  });

  test('AF_XDP is not for the interface of the session, nor for one that is not there', () => {
    const host = 'box7';
    const nics = [
      { name: 'eth0', carriesSession: true },
      { name: 'eth1', carriesSession: false },
    ];
    expect(() => requireFreeInterface({ host, nics }, 'eth1')).not.toThrow();
    expect(() => requireFreeInterface({ host, nics }, undefined)).not.toThrow();
    expect(() => requireFreeInterface({ host, nics }, 'eth0')).toThrow(
      '--xdp eth0: this interface carries the session',
    );
    expect(() => requireFreeInterface({ host, nics }, 'eth9')).toThrow('--xdp: box7 has no interface eth9.');
  });

  test('a peer whose probe is left out: an error', async () => {
    await expect(readServers({ peer: '10.0.0.7', probe: ['udp'] })).rejects.toThrow(
      '--peer names a peer, and --probe leaves network out.',
    );
  });

  test('names a server that is not measured: an error', async () => {
    await expect(readServers({ redis: 'localhost:1', probe: ['jitter'] })).rejects.toThrow(UsageError);
    expect(await readServers({ probe: ['jitter'] })).toEqual({});
  });
});
