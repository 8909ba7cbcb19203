import { beforeEach, describe, expect, test } from 'vitest';
import { readKeptOrder } from '../../src/agent/launch-files.ts';
import { rollbackWithUnits } from '../../src/agent/rollback-units.ts';
import { HftError } from '../../src/errors.ts';
import { readBootId } from '../../src/host/process-identity.ts';
import { permit } from '../../src/launch/units.ts';
import { DEPLOYMENT, LaunchRig, MD } from './launch-rig.ts';

const PERMIT = `/run/hft/launch/${permit(readBootId())}`;

let rig: LaunchRig;
beforeEach(() => {
  rig = new LaunchRig();
});

describe('launched by systemd', () => {
  test('as services that the boot starts, with the order where the boot finds it', async () => {
    await rig.launch();
    expect(await rig.phases()).toEqual({ md: 'running', strategy: 'running' });
    expect([...rig.host.loaded.keys()].sort()).toEqual([
      'hft-gate.service',
      'hft-launch.service',
      'hft-trading-md.service',
      'hft-trading-strategy.service',
      'hft-trading.target',
    ]);
    expect((await readKeptOrder(rig.site.kept))?.processes.map(({ goal }) => goal)).toEqual(['up', 'up']);
    expect(rig.host.files.has(PERMIT)).toBe(true);
  });

  test('what is secret is in its own file and nowhere else', async () => {
    await rig.launch();
    const told = [...rig.host.files].filter(([, text]) => text.includes('hunter2')).map(([path]) => path);
    expect(told).toEqual([expect.stringMatching(/^\/var\/lib\/hft\/launch\/environment\/md\.[0-9a-f]+\.env$/)]);
    expect(rig.host.files.get(MD)).toContain(`EnvironmentFile=${told[0]}\n`);
  });

  test('launched again as it is nothing is written to its units, and it goes on', async () => {
    await rig.launch();
    const pid = rig.host.pidOf('hft-trading-md.service');
    rig.host.log.length = 0;
    await rig.launch();
    expect(rig.host.pidOf('hft-trading-md.service')).toBe(pid);
    expect(rig.host.log.filter((line) => line.startsWith('/etc/'))).toEqual([]);
  });

  test.each([
    ['its command', DEPLOYMENT.replace('[/opt/md]', '[/opt/md, -v]')],
    ['a variable', DEPLOYMENT.replace('hunter2', 'hunter3')],
  ])('what runs and differs by %s is not started again by the way', async (_, changed) => {
    await rig.launch();
    const before = [...rig.host.files].filter(([path]) => path.startsWith('/etc/'));
    await expect(rig.launch(changed)).rejects.toThrow('md runs, and it would be started in another way');
    expect([...rig.host.files].filter(([path]) => path.startsWith('/etc/'))).toEqual(before);
  });

  test('stopped, nothing of it is left', async () => {
    const before = rig.left();
    await rig.launch();
    expect(await rig.stop()).toEqual(['md', 'strategy']);
    expect(await rig.phases()).toEqual({ md: 'down', strategy: 'down' });
    expect(rig.left()).toEqual(before);
    expect(rig.running()).toEqual([]);
  });

  test('one that is stopped does not come back with the next boot; the others do', async () => {
    await rig.launch();
    await rig.stop('strategy');
    expect(rig.host.files.has(MD)).toBe(true);
    expect(rig.host.files.has('/etc/systemd/system/hft-trading-strategy.service')).toBe(false);
    expect(rig.host.files.get('/etc/systemd/system/hft-trading.target.d/50-hft-desk.conf')).not.toContain('strategy');
    await rig.stop();
    expect(rig.left()).toEqual([]);
  });

  test('only some, then the others', async () => {
    await rig.launch(DEPLOYMENT, ['md']);
    expect(await rig.phases()).toEqual({ md: 'running', strategy: 'down' });
    await rig.launch();
    expect(await rig.phases()).toEqual({ md: 'running', strategy: 'running' });
  });
});

describe('a rollback of everything while it runs', () => {
  const PASSING = '/run/systemd/system/hft-trading-md.service';
  const passing = () => [...rig.host.files.keys()].filter((path) => path.startsWith('/run/systemd/system/hft'));
  const rollbackAll = () => {
    const { kept, run } = rig.site;
    return rollbackWithUnits({ ...rig.site, domains: [] }, { request: { scope: 'all' }, kept, run });
  };
  beforeEach(() => rig.launch());

  test('takes the units, and what runs goes on with its watchdog until it is stopped', async () => {
    const pid = rig.host.pidOf('hft-trading-md.service');
    const text = rig.host.files.get(MD);
    const { complete, reports } = await rollbackAll();
    expect([complete, reports.length]).toEqual([true, 1]);
    expect(rig.units()).toEqual([]);
    expect(rig.host.files.get(PASSING)).toBe(text);
    expect(await rig.phases()).toEqual({ md: 'running', strategy: 'running' });
    expect(rig.host.pidOf('hft-trading-md.service')).toBe(pid);
    await rig.stop();
    expect([rig.running(), rig.left(), passing()]).toEqual([[], [], []]);
  });

  test('after the next boot nothing of it is there', async () => {
    await rollbackAll();
    rig.host.reboot();
    await rig.stop();
    expect([rig.running(), rig.left(), passing()]).toEqual([[], [], []]);
    expect(await readKeptOrder(rig.site.kept)).toBeUndefined();
  });

  test('one of them is stopped: nothing is written for the next boot', async () => {
    await rollbackAll();
    expect(await rig.stop('strategy')).toEqual(['strategy']);
    expect(await rig.phases()).toEqual({ md: 'running', strategy: 'down' });
    expect(rig.units()).toEqual([]);
    expect(await readKeptOrder(rig.site.kept)).toBeUndefined();
  });

  test('launched again it goes on, and comes back with the boot', async () => {
    const pid = rig.host.pidOf('hft-trading-md.service');
    await rollbackAll();
    await rig.launch();
    expect(rig.host.pidOf('hft-trading-md.service')).toBe(pid);
    expect(rig.host.files.has(MD)).toBe(true);
    expect(passing()).toEqual([]);
  });

  test.each(['die-before', 'die-after'] as const)(
    'killed at any write (%s) nothing that runs ends, and it can be finished',
    async (effect) => {
      for (let at = 1; ; at++) {
        rig.host.revive();
        rig.host.faults = [{ at, effect }];
        const died = await rollbackAll().then(
          () => false,
          () => true,
        );
        rig.host.revive();
        expect(await rig.phases(), `write ${at}`).toEqual({ md: 'running', strategy: 'running' });
        await rollbackAll();
        expect(await rig.phases(), `write ${at}`).toEqual({ md: 'running', strategy: 'running' });
        expect(rig.units(), `write ${at}`).toEqual([]);
        await rig.stop();
        expect([rig.left(), passing()], `write ${at}`).toEqual([[], []]);
        if (!died) break;
        await rig.launch();
      }
    },
  );
});

describe('nothing is started, and nothing is left', () => {
  const refused = async (message: string | RegExp, exitCode = 3) => {
    const before = rig.units();
    const error: unknown = await rig.launch().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HftError);
    expect(error).toMatchObject({ exitCode, message: expect.stringMatching(message) });
    expect(rig.running()).toEqual([]);
    expect(rig.units()).toEqual(before);
    expect(await readKeptOrder(rig.site.kept)).toBeUndefined();
  };

  test('without systemctl', async () => {
    rig.host.commands.delete('systemctl');
    await refused('systemctl');
  });

  test('a unit is masked', async () => {
    rig.host.links.set(MD, '/dev/null');
    await refused('hft-trading-md.service is masked');
  });

  test('a unit of the name is there, and somebody else wrote it', async () => {
    rig.host.files.set(MD, '[Service]\nExecStart=/opt/other\n');
    await refused('hft did not write it');
    expect(rig.host.files.get(MD)).toContain('/opt/other');
  });

  test('a package has a unit of the name', async () => {
    rig.host.packaged.add('hft-trading-md.service');
    await refused('/usr/lib/systemd/system/hft-trading-md.service is there');
  });

  test('systemd does not load what was written', async () => {
    rig.host.unloadable.add('hft-trading-md.service');
    await refused('was written, and systemd has it as not-found');
  });

  test('systemd refuses the start', async () => {
    rig.host.refuses.set('hft-trading-strategy.service', 'Transaction is destructive.');
    await refused('Transaction is destructive');
  });

  test('the disk is full, at any write', async () => {
    const before = rig.units();
    for (let at = 1; ; at++) {
      rig.host.revive();
      rig.host.faults = [{ at, effect: { errno: 'ENOSPC' } }];
      const error: unknown = await rig.launch().catch((thrown: unknown) => thrown);
      if (!(error instanceof HftError)) break;
      rig.host.revive();
      expect(rig.units(), `write ${at}: ${error.message}`).toEqual(before);
      expect(rig.running(), `write ${at}`).toEqual([]);
    }
    rig.host.revive();
    await rig.stop();
    expect(rig.left()).toEqual([]);
  });
});

describe('what an administrator did since', () => {
  test('is not written over by a launch', async () => {
    await rig.launch(DEPLOYMENT, ['md']);
    rig.host.files.set(MD, `${rig.host.files.get(MD)}# mine\n`);
    await expect(rig.launch(DEPLOYMENT.replace('[/opt/strategy]', '[/opt/strategy, -v]'))).rejects.toThrow(
      'somebody changed it since',
    );
    expect(rig.host.files.get(MD)).toContain('# mine');
  });

  test('is left by a stop, which says so', async () => {
    await rig.launch();
    rig.host.files.set(MD, `${rig.host.files.get(MD)}# mine\n`);
    await expect(rig.stop()).rejects.toThrow(/The processes are down. Not taken away.*hft-trading-md\.service/);
    expect(rig.running()).toEqual([]);
    expect(rig.left()).toContain(MD);
  });
});
