import { beforeEach, describe, expect, test } from 'vitest';
import { passGate } from '../../src/agent/launch-boot.ts';
import { readKeptOrder, readOrder } from '../../src/agent/launch-files.ts';
import { HftError } from '../../src/errors.ts';
import { type Fault, Killed } from '../fake-host.ts';
import { DEPLOYMENT, LaunchRig } from './launch-rig.ts';

let rig: LaunchRig;
beforeEach(() => {
  rig = new LaunchRig();
});

/** Killed at a planted fault or through. */
async function unlessKilled(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof Killed) return false;
    throw error;
  }
}

describe('after a reboot', () => {
  const boot = async (look: () => Promise<void>) => {
    rig.host.reboot();
    const order = await readKeptOrder(rig.site.kept);
    if (order !== undefined) await rig.site.kept.replace('order.json', JSON.stringify({ ...order, bootId: 'earlier' }));
    const passed = await passGate(rig.site, look).then(
      () => true,
      (error: unknown) => {
        if (error instanceof HftError) return false;
        throw error;
      },
    );
    await rig.host.execute(['systemctl', 'start', 'hft-trading-md.service', 'hft-trading-strategy.service']);
    return passed;
  };
  const unfit = async () => {
    throw new HftError('Nothing was started: 3 settings are not as the profile wants them.', { exitCode: 1 });
  };

  test('a host that is fit has them again', async () => {
    await rig.launch();
    expect(await boot(async () => {})).toBe(true);
    expect(await rig.phases()).toEqual({ md: 'running', strategy: 'running' });
  });

  test('one that is not starts nothing, and says why', async () => {
    await rig.launch();
    expect(await boot(unfit)).toBe(false);
    const why = 'down: Nothing was started: 3 settings are not as the profile wants them.';
    expect(await rig.phases()).toEqual({ md: why, strategy: why });
    expect(rig.running()).toEqual([]);
  });

  test('a boot whose gate nobody asked starts nothing either; hft launch does, hft stop takes it away', async () => {
    await rig.launch();
    const order = await readKeptOrder(rig.site.kept);
    rig.host.reboot();
    await rig.site.kept.replace('order.json', JSON.stringify({ ...order, bootId: 'earlier' }));
    await rig.host.execute(['systemctl', 'start', 'hft-trading-md.service']);
    expect(rig.running()).toEqual([]);
    await rig.launch();
    expect(await rig.phases()).toEqual({ md: 'running', strategy: 'running' });
    await rig.stop();
    expect(rig.left()).toEqual([]);
  });

  test('killed at any write of a launch: all of the old or all of the new, or nothing and why', async () => {
    const next = DEPLOYMENT.replace('[/opt/strategy]', '[/opt/strategy, -v]');
    await eachKill(
      async () => {
        await rig.launch(DEPLOYMENT, ['md']);
      },
      () => rig.launch(next),
      async (isThrough) => {
        const passed = await boot(async () => {});
        const ran = Object.fromEntries(
          rig.running().map((name) => [name, /^ExecStart=(.*)$/m.exec(rig.host.loaded.get(name) ?? '')?.[1]]),
        );
        const old = { 'hft-trading-md.service': '/opt/md' };
        const all = { ...old, 'hft-trading-strategy.service': '/opt/strategy -v' };
        expect(passed ? [old, all] : [{}]).toContainEqual(ran);
        if (isThrough) expect(ran).toEqual(all);
      },
    );
  });
});

/** The act killed before and after each of its writes, each time on a new host; `then`: what is to hold. */
async function eachKill(
  prepare: () => Promise<void>,
  act: () => Promise<unknown>,
  then: (isThrough: boolean) => Promise<void>,
): Promise<void> {
  for (const effect of ['die-before', 'die-after'] as const satisfies readonly Fault['effect'][]) {
    for (let at = 1; ; at++) {
      rig = new LaunchRig();
      await prepare();
      rig.host.revive();
      rig.host.faults = [{ at, effect }];
      const isThrough = await unlessKilled(act);
      rig.host.revive();
      await then(isThrough);
      if (isThrough) break;
    }
  }
}

describe('killed at any write', () => {
  test('of a launch: launched again it is whole, and stopped nothing is left', async () => {
    await eachKill(
      async () => {},
      () => rig.launch(),
      async () => {
        await rig.launch();
        expect(await rig.phases()).toEqual({ md: 'running', strategy: 'running' });
        await rig.stop();
        expect(rig.left()).toEqual([]);
      },
    );
  });

  test('of a launch: stopped, nothing is left', async () => {
    await eachKill(
      async () => {},
      () => rig.launch(),
      async () => {
        await rig.stop();
        expect(rig.left()).toEqual([]);
        expect(rig.running()).toEqual([]);
      },
    );
  });

  test('of a stop: stopped again, nothing is left', async () => {
    await eachKill(
      async () => {
        await rig.launch();
      },
      () => rig.stop(),
      async () => {
        await rig.stop();
        expect(rig.left()).toEqual([]);
        expect(rig.running()).toEqual([]);
      },
    );
  });

  test('of a stop of one: stopped again it has no unit, and the other runs on', async () => {
    await eachKill(
      async () => {
        await rig.launch();
      },
      () => rig.stop('strategy'),
      async () => {
        await rig.stop('strategy');
        expect(await rig.phases()).toEqual({ md: 'running', strategy: 'down' });
        expect(rig.units().filter((path) => path.includes('strategy'))).toEqual([]);
        await rig.stop();
        expect(rig.left()).toEqual([]);
      },
    );
  });

  test('what ran before a launch runs on', async () => {
    let pid: number | undefined;
    await eachKill(
      async () => {
        await rig.launch(DEPLOYMENT, ['md']);
        pid = rig.host.pidOf('hft-trading-md.service');
      },
      () => rig.launch(),
      async () => {
        expect(rig.host.pidOf('hft-trading-md.service')).toBe(pid);
        await rig.launch();
        expect(rig.host.pidOf('hft-trading-md.service')).toBe(pid);
        expect((await readOrder(rig.site.run))?.processes.map(({ goal }) => goal)).toEqual(['up', 'up']);
      },
    );
  });
});
