import { expect, test } from 'vitest';
import { rollback } from '../../../src/engine/rollback.ts';
import { desireSysctls } from '../../../src/tuning/kernel/sysctl-map.ts';
import { makeRig, stateOf, tuneRig } from '../../faults/rig.ts';

const KBYTES = '/proc/sys/vm/overcommit_kbytes';
const RATIO = '/proc/sys/vm/overcommit_ratio';
const facts = {
  kernel: { release: '6.1.0', version: [6, 1], config: undefined, preemption: 'voluntary' },
  directories: { '/proc/sys/vm': ['overcommit_kbytes', 'overcommit_ratio'] },
} as unknown as Parameters<typeof desireSysctls>[1];

/** Linux zeroes the one when the other is written, whatever with. */
function rigOf(map: Record<string, string>) {
  // The rig has a memory domain and no kernel domain.
  const { settings } = desireSysctls(map, facts);
  const rig = makeRig(settings.map((each) => ({ ...each, id: each.id.replace('kernel', 'memory') })));
  rig.host.files.set(KBYTES, '0\n').set(RATIO, '50\n');
  const set = rig.host.files.set.bind(rig.host.files);
  rig.host.files.set = (path, text) => {
    if (path === KBYTES) set(RATIO, '0\n');
    if (path === RATIO) set(KBYTES, '0\n');
    return set(path, text);
  };
  return rig;
}

test.each([
  ['vm.overcommit_kbytes', '1048576', '1048576\n', '0\n'],
  ['vm.overcommit_ratio', '80', '0\n', '80\n'],
])('%s of the free map: both come back', async (name, value, kbytes, ratio) => {
  const rig = rigOf({ [name]: value });
  const before = stateOf(rig);
  expect((await tuneRig(rig))?.result).toBe('applied');
  expect([rig.host.files.get(KBYTES), rig.host.files.get(RATIO)]).toEqual([kbytes, ratio]);
  expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
  expect(stateOf(rig)).toEqual(before);
});

test('both asked for are set as asked for, without a zero of hft', () => {
  const { settings } = desireSysctls({ 'vm.overcommit_ratio': '80', 'vm.overcommit_kbytes': '0' }, facts);
  expect(settings.map(({ id, value }) => [id, value])).toEqual([
    ['kernel.sysctl@vm.overcommit_ratio', '80'],
    ['kernel.sysctl@vm.overcommit_kbytes', '0'],
  ]);
});
