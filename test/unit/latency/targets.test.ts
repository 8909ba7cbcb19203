import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import type { Measure, Variant } from '../../../src/latency/probe/probe.ts';
import { shm } from '../../../src/latency/shm/shm.ts';
import { isMeantFor, listTargets, type Target } from '../../../src/latency/targets/target.ts';
import { loadProfile } from '../../../src/profile/load.ts';
import { contextOf } from '../profile/example-profile.ts';

const load = (text: string) => loadProfile('./a.yaml', contextOf({ './a.yaml': text }));
const complain = async (text: string) => {
  const error = await load(text).catch((caught: unknown) => caught);
  return error instanceof Error ? error.message : 'no complaint';
};

describe('limits in a profile', () => {
  test('are read in nanoseconds', async () => {
    const { latency, wanted } = await load('latency:\n  ring: { probe: shm, payload: 1K, p50: 0.5us, p99.9: 5us }\n');
    expect(latency).toEqual({ ring: { probe: 'shm', load: 'none', payload: 1024, p50: 500, 'p99.9': 5000 } });
    expect(wanted).toEqual({});
  });

  test.each([
    ['an unknown probe', 'probe: shmm, p50: 1us', './a.yaml:2:18  latency.ring.probe: expected jitter, wakeup, '],
    ['an unknown key', 'probe: shm, p95: 1us', './a.yaml:2:23  latency.ring.p95: unknown key'],
    ['no limit', 'probe: shm', './a.yaml:2:9  latency.ring: expected a limit: p50, p99, p99.9 or p99.99'],
    [
      'limits that fall',
      'probe: shm, p50: 2us, p99: 1us',
      './a.yaml:2:9  latency.ring: expected limits that do not fall',
    ],
    ['a time without sense', 'probe: shm, p50: soon', './a.yaml:2:28  latency.ring.p50: expected a time such as 200us'],
    [
      'a wrong pacing',
      'probe: shm, p50: 1us, pacing: fast',
      './a.yaml:2:41  latency.ring.pacing: expected saturated, or',
    ],
    [
      'a wrong policy',
      'probe: shm, p50: 1us, policy: rr:5',
      './a.yaml:2:41  latency.ring.policy: expected other, or fifo:1',
    ],
  ])('%s', async (_, row, message) => {
    expect(await complain(`latency:\n  ring: { ${row} }\n`)).toContain(message);
  });

  test('are inherited row by row and key by key', async () => {
    const base = 'latency:\n  a: { probe: shm, p50: 1us, p99: 9us }\n  b: { probe: jitter, p99: 1us }\n';
    const own = 'extends: ./base.yaml\nlatency:\n  a: { p50: 3us }\n  b: null\n';
    const { latency } = await loadProfile('./a.yaml', contextOf({ './a.yaml': own, 'base.yaml': base }));
    expect(latency).toEqual({ a: { probe: 'shm', load: 'none', p50: 3000, p99: 9000 } });
  });
});

describe('shipped profiles', () => {
  const folder = join(import.meta.dirname, '../../../profiles');
  const shipped = (name: string) => loadProfile(name, { searchPath: [folder], reader: new LocalHost(), domains: [] });
  // Without the domains, their keys are unknown: read the limits from what was written.
  const limitsOf = async (name: string) => {
    const { domains } = await import('../../../src/tuning/index.ts');
    const context = { searchPath: [folder], reader: new LocalHost(), domains };
    return (await loadProfile(name, context)).latency ?? {};
  };

  test('a key of a domain is not a key of the limits', async () => {
    await expect(shipped('colo')).rejects.toThrow('unknown key');
  });

  test('have the limits of the documents', async () => {
    const us = async (row: string) => {
      const target = (await limitsOf('colo'))[row];
      return [target?.p50, target?.p99, target?.['p99.9'], target?.['p99.99']].map((ns) => (ns ?? Number.NaN) / 1000);
    };
    expect(await us('market-data')).toEqual([2, 5, 10, 50]);
    expect(await us('strategy')).toEqual([5, 15, 30, 100]);
    expect(await us('risk-check')).toEqual([1, 3, 8, 20]);
    expect(await us('order-submission')).toEqual([8, 20, 50, 200]);
    expect(await us('shared-memory')).toEqual([0.5, 2, 5, 15]);
    expect(await us('zeromq-ipc')).toEqual([5, 15, 30, 100]);
    expect(await us('redis-get')).toEqual([50, 200, 500, 2000]);
    expect(await us('critical-path')).toEqual([Number.NaN, Number.NaN, Number.NaN, 100]);
  });

  test('before and after are judged by the same', async () => {
    expect(await limitsOf('baseline')).toEqual(await limitsOf('colo'));
  });

  test.each(['cloud-aws', 'cloud-gcp', 'cloud-azure', 'colo-dpdk', 'market-data', 'workstation'])(
    '%s has the rows of colo, jitter and wakeup of its own kind of host',
    async (name) => {
      const [own, colo] = [await limitsOf(name), await limitsOf('colo')];
      expect(Object.keys(own)).toEqual(Object.keys(colo));
      const { jitter: ownJitter, wakeup: ownWakeup, ...ownRows } = own;
      const { jitter, wakeup, ...rows } = colo;
      expect(ownRows).toEqual(rows);
      if (name !== 'colo-dpdk') expect([ownJitter, ownWakeup]).not.toEqual([jitter, wakeup]);
    },
  );
});

describe('a row is meant for', () => {
  const [variant] = shm.variants({ cpus: [2, 3], suite: 'quick' }) as [Variant];
  const measure: Measure = {
    name: 'shm',
    cpus: [2, 3],
    direction: 'round-trip',
    payloadBytes: 64,
    pacing: { kind: 'periodic', periodNs: 100_000 },
    wait: 'spin',
    samples: 'latency',
    rule: 'open',
    blocks: [],
    exposureNs: 0,
  };
  const [ring] = listTargets({ ring: { probe: 'shm', load: 'none', payload: 64, pacing: 100_000, p50: 1 } }) as [
    Target,
  ];

  test('what is as it states, whatever it leaves out', () => {
    expect(isMeantFor(ring, 'shm', { measure, variant, load: 'none' })).toBe(true);
  });

  test.each<[string, Partial<Target>, Partial<Measure>]>([
    ['another payload', { payload: 1024 }, {}],
    ['another pacing', { pacing: 'saturated' }, {}],
    ['another direction', { direction: 'one-way' }, {}],
    ['another way of waiting', { wait: 'block' }, {}],
    ['another policy', { policy: 'fifo:1' }, {}],
    ['idle states held off', { dmaLatencyUs: 0 }, {}],
    ['a load that is not there', { load: 'network' }, {}],
    ['a part of a probe that has none', { part: 'get' }, {}],
    ['a closed loop', {}, { rule: 'closed' }],
  ])('not for %s', (_, stated, actual) => {
    expect(
      isMeantFor({ ...ring, ...stated }, 'shm', { measure: { ...measure, ...actual }, variant, load: 'none' }),
    ).toBe(false);
  });

  test('a part alone, or every part where it names none', () => {
    const own: Measure = { ...measure, part: 'risk' };
    const fits = (target: Target, of: Measure) => isMeantFor(target, 'shm', { measure: of, variant, load: 'none' });
    expect(fits({ ...ring, part: 'risk' }, own)).toBe(true);
    expect(fits({ ...ring, part: 'order' }, own)).toBe(false);
    expect(fits(ring, own)).toBe(true);
  });

  test('what ran under its load, and only that', () => {
    const loaded = { ...ring, load: 'network' } as const;
    expect(isMeantFor(loaded, 'shm', { measure, variant, load: 'network' })).toBe(true);
    expect(isMeantFor(loaded, 'shm', { measure, variant, load: 'housekeeping' })).toBe(false);
    expect(isMeantFor(ring, 'shm', { measure, variant, load: 'network' })).toBe(false);
  });
});
