import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { rollback } from '../../src/engine/rollback.ts';
import { defineDomain, type Setting } from '../../src/tuning/domain.ts';
import { makeRig, type Rig, tuneRig, wantedOf } from './rig.ts';

const PARTITION = '/sys/fs/cgroup/hft.slice/cpuset.cpus.partition';
const INVALID = 'isolated invalid (Cpu list in cpuset.cpus not exclusive)\n';

const PARTITIONED: Setting = {
  id: 'cpu.partition@hft.slice',
  stage: 'values',
  tunable: { kind: 'cpuset-partition', unit: 'hft.slice' },
  value: 'isolated',
  why: 'A test.',
  ifRefused: 'fail',
  disruption: 'none',
};

const wanted = wantedOf('test', { cpu: {} });

/** As the kernel has it: a partition that became invalid stays so until it is a member again. */
function makeKernel(): Rig {
  const rig = makeRig();
  const { host } = rig;
  host.files.set(PARTITION, 'member\n');
  const set = host.files.set.bind(host.files);
  host.files.set = (path, text) => {
    const isStuck = path === PARTITION && text === 'isolated\n' && host.files.get(path)?.includes(' invalid');
    return isStuck ? host.files : set(path, text);
  };
  const domain = defineDomain<object, unknown>({
    name: 'cpu',
    schema: async () => z.any(),
    observe: async () => ({}),
    desire: () => ({ settings: [PARTITIONED], refused: [] }),
  });
  return { ...rig, engine: { ...rig.engine, domains: [domain] } };
}

async function repaired(): Promise<Rig> {
  const rig = makeKernel();
  await tuneRig(rig, { wanted });
  rig.host.files.set(PARTITION, INVALID);
  const outcome = await tuneRig(rig, { wanted });
  expect(outcome?.result).toBe('applied');
  expect(rig.host.files.get(PARTITION)).toBe('isolated\n');
  return rig;
}

describe('a partition that the kernel made invalid', () => {
  test('is made again by a tune, and taken back with all of it: nobody wants the failure back', async () => {
    const rig = await repaired();
    const { complete, reports } = await rollback(rig.engine, { scope: 'all' });
    expect(complete).toBe(true);
    expect(reports.flatMap(({ steps }) => steps).map(({ outcome }) => outcome)).toEqual(['gone', 'undone']);
    expect(rig.host.files.get(PARTITION)).toBe('member\n');
  });

  test('left over by another profile, goes', async () => {
    const rig = await repaired();
    const outcome = await tuneRig(rig, { wanted: wantedOf('nothing', {}) });
    expect(outcome?.result).toBe('applied');
    expect(rig.host.files.get(PARTITION)).toBe('member\n');
  });
});
