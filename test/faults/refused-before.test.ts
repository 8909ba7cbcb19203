import { beforeEach, describe, expect, test } from 'vitest';
import { bringBack } from '../../src/agent/boot.ts';
import { readRuns } from '../../src/engine/journal.ts';
import { observeAndPlan } from '../../src/engine/observe.ts';
import { rollback } from '../../src/engine/rollback.ts';
import { verifyPlan } from '../../src/engine/verify.ts';
import type { Setting } from '../../src/tuning/domain.ts';
import { viewPlan } from '../../src/views/plan.ts';
import type { FakeCommand } from '../fake-host.ts';
import { makeRig, planRig, type Rig, tuneRig, WANTED } from './rig.ts';

const ID = 'memory.channels-combined@enp0s6';

/** vmxnet3 of Linux 6.12: it tells how many queues it could have, and has no way to change them. */
const SHOWN = `Channel parameters for enp0s6:
Pre-set maximums:
RX:		n/a
TX:		n/a
Other:		1
Combined:	8
Current hardware settings:
RX:		n/a
TX:		n/a
Other:		1
Combined:	8
`;

const refusing =
  (reason: string): FakeCommand =>
  () => ({ found: true, exitCode: 1, stdout: '', stderr: `netlink error: ${reason}\n` });

function makeNicRig(): Rig {
  const channels: Partial<Setting> = {
    id: ID,
    stage: 'shape',
    tunable: { kind: 'ethtool', device: 'enp0s6', group: 'channels', key: 'combined' },
    value: '2',
    ifRefused: 'skip',
    disruption: 'link',
  };
  const rig = makeRig([channels]);
  rig.host.commands.set('ethtool -l enp0s6', SHOWN);
  return rig;
}

const retriedBy = async ({ host, state, engine }: Rig) => {
  const runs = await readRuns(state);
  const { plan } = await observeAndPlan({ reader: host, domains: engine.domains, wanted: WANTED, runs, retries: true });
  return plan.changes.map(({ setting }) => [setting.id, setting.why]);
};

describe('a driver shows what it could have, and takes no other value', () => {
  let rig: Rig;

  beforeEach(async () => {
    rig = makeNicRig();
    rig.host.commands.set('ethtool', refusing('Operation not supported'));
    const outcome = await tuneRig(rig);
    expect(outcome).toMatchObject({ result: 'applied', after: { changes: [] } });
    expect(outcome?.report.skipped.map(({ id }) => id)).toEqual([ID]);
  });

  test('plan after apply, verify and text say it the same way, once, with the reason', async () => {
    const { plan } = await planRig(rig);
    expect(plan.changes).toEqual([]);
    const reason =
      'Refused in run run-1: run ethtool -L enp0s6 combined 2: EOPNOTSUPP; ' +
      'ethtool -l enp0s6: Combined: 8 (at most 8). It is tried again after a reboot.';
    expect(plan.refused).toEqual([{ id: ID, domain: 'memory', kind: 'unsupported', reason }]);
    const { results, summary } = verifyPlan(plan);
    expect(results.filter(({ id }) => id === ID)).toMatchObject([{ status: 'unsupported', evidence: reason }]);
    expect(summary).toMatchObject({ fail: 0, unsupported: 1 });
    expect(viewPlan(plan, { columns: 200, color: false }).split(ID)).toHaveLength(2);
  });

  test('hft tune again has nothing to do', async () => {
    expect(await retriedBy(rig)).toEqual([]);
  });

  test('a boot tries it again, and is as wanted without it', async () => {
    rig.host.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
    const { plan, outcome } = await bringBack(rig.engine, {});
    expect(plan?.changes.map(({ setting }) => setting.id)).toContain(ID);
    expect(outcome?.report.skipped.map(({ id }) => id)).toEqual([ID]);
    expect(outcome?.after.changes).toEqual([]);
  });

  test.each([
    ['somebody changed it', (each: Rig) => each.host.commands.set('ethtool -l enp0s6', SHOWN.replace(/8\n$/, '4\n'))],
    ['the run was rolled back', (each: Rig) => rollback(each.engine, { scope: 'all' })],
  ])('%s: it is a change to plan again', async (_, change) => {
    await change(rig);
    const ids = (await planRig(rig)).plan.changes.map(({ setting }) => setting.id);
    expect(ids).toContain(ID);
  });
});

describe('a driver is busy', () => {
  test('plan says so, and hft tune tries it again', async () => {
    const rig = makeNicRig();
    rig.host.commands.set('ethtool', refusing('Device or resource busy'));
    await tuneRig(rig);
    const { plan } = await planRig(rig);
    expect(plan.changes).toEqual([]);
    expect(plan.refused[0]?.reason).toMatch(/EBUSY.* The next `hft tune` tries it again\.$/);
    expect(await retriedBy(rig)).toEqual([
      [ID, expect.stringMatching(/^A test\. Refused in run run-1: .*EBUSY.* Tried again\.$/)],
    ]);
  });
});
