import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBroken } from '../../../src/drift/breaker.ts';
import { countDrift } from '../../../src/drift/counts.ts';
import { advanceDrift, type DriftLook, type DriftState, NO_DRIFT, type Sighting } from '../../../src/drift/drift.ts';
import { mayHeal } from '../../../src/drift/schema.ts';
import { type Clues, suspectsOf } from '../../../src/drift/suspects.ts';

const REMEDY = { disruption: 'none', takesEffect: 'now', heal: 'no' } as const;
const at = (s: number) => new Date(s * 1_000).toISOString();
const IDS = ['memory.a', 'memory.b', 'irq.c'];

function sighting(id: string, is: string): Sighting {
  return { id, domain: id.split('.')[0] as string, wanted: '0', is, evidence: 'seen', remedy: REMEDY };
}

function look(s: number, wrong: Readonly<Record<string, string>>, more: Partial<DriftLook> = {}): DriftLook {
  const differing = Object.entries(wrong).map(([id, is]) => sighting(id, is));
  const ids = new Set(IDS);
  return { time: at(s), is: 'quick', seen: ids, quick: ids, differing, inForceSince: at(1), set: new Map(), ...more };
}

function follow(looks: readonly DriftLook[]) {
  let state: DriftState = NO_DRIFT;
  const events = looks.flatMap((each) => {
    const advanced = advanceDrift(state, each);
    state = advanced.state;
    return advanced.events;
  });
  return { state, events };
}

describe('a setting that drifted', () => {
  test('is told once, with what it was and between which two looks', () => {
    const { events, state } = follow([look(10, {}), look(20, { 'memory.a': '5' }), look(30, { 'memory.a': '5' })]);
    expect(events).toMatchObject([
      { is: 'drift', drift: { id: 'memory.a', was: '0', is: '5', since: { after: at(10), by: at(20) }, suspects: [] } },
    ]);
    expect(Object.keys(state.drifted)).toEqual(['memory.a']);
  });

  test('and came back by itself is told with both times', () => {
    const { events, state } = follow([
      look(10, {}),
      look(20, { 'irq.c': '5' }),
      look(30, { 'irq.c': '5' }),
      look(40, {}),
    ]);
    expect(events[1]).toMatchObject({
      is: 'ended',
      drift: { how: 'itself', since: { after: at(10), by: at(20) }, ended: { after: at(30), by: at(40) } },
    });
    expect([state.drifted, state.ended.length]).toEqual([{}, 1]);
  });

  test('before anybody looked: since the profile was put in force at the earliest', () => {
    expect(follow([look(10, { 'memory.a': '5' })]).events).toMatchObject([
      { drift: { was: null, since: { after: at(1), by: at(10) } } },
    ]);
  });

  test('and again to another value is told again, from that value', () => {
    const { events } = follow([look(10, {}), look(20, { 'memory.a': '5' }), look(30, { 'memory.a': '7' })]);
    expect(events[1]).toMatchObject({
      is: 'drift',
      drift: { was: '5', is: '7', since: { after: at(20), by: at(30) } },
    });
  });

  test('is no more when nothing in force has a wish for it, and a look that did not see it says nothing', () => {
    const away = { seen: new Set<string>() };
    const drifted = [look(10, {}), look(20, { 'memory.a': '5' })];
    expect(follow([...drifted, look(30, {}, away)]).state.drifted).toHaveProperty(['memory.a']);
    expect(follow([...drifted, look(30, {}, { ...away, is: 'whole' })]).events[1]).toMatchObject({
      drift: { how: 'not-wanted' },
    });
  });

  test('by hft itself, healing or tuning, is told as that', () => {
    for (const how of ['healed', 'run'] as const) {
      const set = new Map([['memory.a', how]]);
      const { events } = follow([look(10, {}), look(20, { 'memory.a': '5' }), look(30, {}, { set })]);
      expect(events[1]).toMatchObject({ drift: { how } });
    }
  });

  test('that only whole looks see is right since the last of those', () => {
    const quick = new Set(['memory.a']);
    const { events } = follow([
      look(10, {}, { is: 'whole', quick }),
      look(20, {}, { quick, seen: quick }),
      look(30, { 'irq.c': '5' }, { is: 'whole', quick }),
    ]);
    expect(events).toMatchObject([{ drift: { id: 'irq.c', since: { after: at(10), by: at(30) } } }]);
  });
});

/** A script of a machine: what is wrong with it at each look. */
const script = fc.array(fc.dictionary(fc.constantFrom(...IDS), fc.constantFrom('5', '7')), { maxLength: 30 });

test('whatever happens, what is known is what was seen last, and every drift has a begin and at most one end after it', () => {
  fc.assert(
    fc.property(script, (wrongs) => {
      const { state, events } = follow(wrongs.map((wrong, index) => look(10 * (index + 1), wrong)));
      const known = Object.fromEntries(Object.values(state.drifted).map(({ id, is }) => [id, is]));
      expect(known).toEqual({ ...wrongs.at(-1) });
      for (const id of IDS) {
        const own = events.filter(({ drift }) => drift.id === id);
        own.forEach((event, index) => {
          const before = own[index - 1];
          if (event.is === 'ended') expect(before?.is).toBe('drift');
          expect(event.drift.since.after === null || event.drift.since.after < event.drift.since.by).toBe(true);
        });
        const ends = own.filter(({ is }) => is === 'ended').length;
        expect(own.at(-1)?.is === 'drift').toBe(id in known);
        expect(ends).toBeLessThanOrEqual(own.length - ends);
      }
    }),
  );
});

test('counts say how many by domain, and how old the looks are', () => {
  const { state } = follow([
    look(10, {}, { is: 'whole' }),
    look(20, { 'memory.a': '5', 'memory.b': '5', 'irq.c': '1' }),
  ]);
  expect(countDrift(state, 25_000)).toEqual({
    ...{ byDomain: { memory: 2, irq: 1 }, drifted: 3, broken: 0 },
    lookAgeS: { quick: 5, whole: 15 },
  });
  expect(countDrift(NO_DRIFT, 0)).toMatchObject({ drifted: 0, lookAgeS: { quick: null, whole: null } });
});

describe('a breaker of 3 heals in 60 s', () => {
  const breaker = { heals: 3, within: 60 };
  test.each([
    [[], false],
    [[0, 30_000], false],
    [[0, 30_000, 60_000], true],
    [[0, 30_000, 60_001], false],
    // It stays open, however long ago that was.
    [[0, 1, 2, 9_000_000], true],
  ])('%j: %s', (times, broken) => {
    expect(isBroken(times, breaker)).toBe(broken);
  });
});

test.each([
  [['irq'], true],
  [['irq.affinity'], true],
  [['irq.affinity@eth0/rx-3'], true],
  [['irq.aff'], false],
  [['irq.affinity@eth0/rx'], false],
  [['memory', 'ir'], false],
  [[], false],
])('heal: %j', (heal, allowed) => {
  expect(mayHeal('irq.affinity@eth0/rx-3', { heal })).toBe(allowed);
});

describe('who did it', () => {
  const NONE: Clues = { links: [], rivals: [], sysctls: new Map(), packages: [] };
  const since = { after: at(100), by: at(110) };
  const irq = { id: 'irq.affinity@eth0/rx-3', domain: 'irq', is: '0', since };
  const memory = { id: 'memory.sysctl@vm.swappiness', domain: 'memory', is: '60', since };
  const PATH = '/proc/sys/vm/swappiness';

  test('nobody known is nobody named', () => {
    expect(suspectsOf(irq, undefined, NONE)).toEqual([]);
  });

  test('a link that was reset, of this device alone', () => {
    const links = [{ device: 'eth0', evidence: 'its carrier changed' }];
    expect(suspectsOf(irq, undefined, { ...NONE, links })).toMatchObject([
      { who: 'a reset of eth0', certainty: 'likely' },
    ]);
    expect(suspectsOf({ ...irq, id: 'irq.affinity@eth1/rx-3' }, undefined, { ...NONE, links })).toEqual([]);
    expect(suspectsOf(memory, PATH, { ...NONE, links })).toEqual([]);
  });

  test('a program that was started then is likely, one that runs is possible, one that does other things is neither', () => {
    const rivals = [
      { name: 'irqbalance', pid: 7, startedMs: 105_000 },
      { name: 'tuned', pid: 8, startedMs: 5_000 },
      { name: 'thermald', pid: 9, startedMs: 105_000 },
    ];
    expect(suspectsOf(irq, undefined, { ...NONE, rivals })).toMatchObject([
      { who: 'irqbalance (pid 7)', certainty: 'likely' },
      { who: 'tuned (pid 8)', certainty: 'possible' },
    ]);
  });

  test('a file of sysctl.d that says just this value', () => {
    const sysctls = new Map([[PATH, { value: '60', where: '/etc/sysctl.d/10-x.conf:3' }]]);
    expect(suspectsOf(memory, PATH, { ...NONE, sysctls })[0]).toMatchObject({
      certainty: 'likely',
      evidence: '/etc/sysctl.d/10-x.conf:3 says 60',
    });
    expect(suspectsOf({ ...memory, is: '30' }, PATH, { ...NONE, sysctls })).toEqual([]);
  });
});
