import { describe, expect, test } from 'vitest';
import { readRuns } from '../../src/engine/journal.ts';
import { rollback } from '../../src/engine/rollback.ts';
import { HostError } from '../../src/errors.ts';
import type { Setting } from '../../src/tuning/domain.ts';
import { wishDirtyLimits } from '../../src/tuning/memory/dirty.ts';
import { makeRig, type Rig, recoverRig, restart, stateOf, tuneRig } from './rig.ts';

/**
 * vm.dirty_bytes and vm.dirty_ratio are one limit with two files: the kernel zeroes the one when the other gets a value,
 * and refuses a zero written to the bytes (https://docs.kernel.org/admin-guide/sysctl/vm.html#dirty-bytes).
 */
const BYTES = '/proc/sys/vm/dirty_bytes';
const RATIO = '/proc/sys/vm/dirty_ratio';
const WISHES = {
  bytes: { from: { [BYTES]: '0\n', [RATIO]: '20\n' }, limit: { bytes: 67108864 } },
  ratio: { from: { [BYTES]: '4096\n', [RATIO]: '0\n' }, limit: { ratio: 5 } },
};
type Case = keyof typeof WISHES;

function makePair(which: Case): Rig {
  const { from, limit } = WISHES[which];
  const rig = makeRig(wishDirtyLimits({ limit }).map(({ knob, value }) => wishOf(knob, value)));
  for (const [path, text] of Object.entries(from)) rig.host.files.set(path, text);
  const set = rig.host.files.set.bind(rig.host.files);
  rig.host.files.set = (path, text) => {
    if (path !== BYTES && path !== RATIO) return set(path, text);
    if (path === BYTES && text.trim() === '0') throw new HostError('write', path, 'EINVAL');
    set(path === BYTES ? RATIO : BYTES, '0\n');
    return set(path, text);
  };
  return rig;
}

function wishOf(knob: string, value: string): Partial<Setting> {
  const path = knob === 'vm.dirty_bytes' ? BYTES : RATIO;
  const companion = path === BYTES ? RATIO : BYTES;
  return { id: `memory.sysctl@${knob}`, tunable: { kind: 'file', path, format: 'integer', companion }, value };
}

const CASES = Object.keys(WISHES) as Case[];
const pairOf = ({ host }: Rig) => [host.files.get(BYTES), host.files.get(RATIO)];

test.each(CASES)('%s: is set with one write and comes back', async (which) => {
  const rig = makePair(which);
  const before = stateOf(rig);
  expect((await tuneRig(rig))?.result).toBe('applied');
  expect(pairOf(rig)).toEqual(which === 'bytes' ? ['67108864\n', '0\n'] : ['0\n', '5\n']);
  expect(rig.host.log.filter((line) => line.startsWith('/proc/sys/vm/dirty'))).toHaveLength(1);
  expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
  expect(stateOf(rig)).toEqual(before);
});

describe.each(CASES)('%s: killed around every write and append, and again in the recovery', (which) => {
  const operations = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const effects = ['die-before', 'die-after'] as const;
  const again = [undefined, 1, 2];
  test.each(
    effects.flatMap((effect) => again.flatMap((second) => operations.map((at) => [effect, at, second] as const))),
  )('%s %i, then %s: everything is as before, or as wanted', async (effect, at, second) => {
    for (const where of ['write', 'append']) {
      const rig = makePair(which);
      const before = stateOf(rig);
      if (where === 'write') rig.host.faults = [{ at, effect }];
      else rig.state.fault = { at, effect };
      const outcome = await tuneRig(rig);
      const wanted = stateOf(rig);
      restart(rig);
      const isWhole = (await readRuns(rig.state)).some(({ result }) => result === 'applied');
      expect((await recoverRig(rig, second)).complete).toBe(true);
      expect(stateOf(rig)).toEqual(outcome !== undefined || isWhole ? wanted : before);
    }
  });
});

describe("an administrator's later choice stays", () => {
  test.each([
    ['bytes', BYTES, '8192'],
    ['bytes', RATIO, '30'],
    ['ratio', BYTES, '8192'],
    ['ratio', RATIO, '30'],
  ] as const)('hft set %s, somebody wrote %s', async (which, path, value) => {
    const rig = makePair(which);
    await tuneRig(rig);
    await rig.host.writeText(path, value);
    const theirs = pairOf(rig);
    await rollback(rig.engine, { scope: 'all' });
    expect(pairOf(rig)).toEqual(theirs);
  });
});

test.each([
  ['bytes', 'memory.sysctl@vm.dirty_bytes'],
  ['bytes', 'memory.sysctl@vm.dirty_ratio'],
  ['ratio', 'memory.sysctl@vm.dirty_bytes'],
  ['ratio', 'memory.sysctl@vm.dirty_ratio'],
] as const)('%s: rolling back %s brings both back', async (which, id) => {
  const rig = makePair(which);
  const before = pairOf(rig);
  await tuneRig(rig);
  expect((await rollback(rig.engine, { scope: { items: [id] } })).complete).toBe(true);
  expect(pairOf(rig)).toEqual(before);
});
