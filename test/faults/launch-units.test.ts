import { beforeEach, describe, expect, test } from 'vitest';
import { passGate } from '../../src/agent/launch-boot.ts';
import { readKeptOrder, readOrder } from '../../src/agent/launch-files.ts';
import { type LaunchRequest, type LaunchSite, orderLaunch, orderStop, readLaunch } from '../../src/agent/launching.ts';
import { rollbackWithUnits } from '../../src/agent/rollback-units.ts';
import { HftError } from '../../src/errors.ts';
import { readBootId } from '../../src/host/process-identity.ts';
import { permit } from '../../src/launch/units.ts';
import { type Fault, Killed } from '../fake-host.ts';
import { FakeSystemd } from '../fake-systemd.ts';
import { buildMachine } from '../machine-builder.ts';
import { load, place, withRoles } from '../unit/launch/placing.ts';
import { HostState } from './host-state.ts';

const machine = withRoles(buildMachine({ coresPerPackage: 8 }), { isolated: { cores: 'most' } });
const PERMIT = `/run/hft/launch/${permit(readBootId())}`;
const MD = '/etc/systemd/system/hft-trading-md.service';

const DEPLOYMENT = `name: desk
processes:
  md: {command: [/opt/md], cpus: {count: 1}, environment: {PASSWORD: hunter2}}
  strategy: {command: [/opt/strategy], cpus: {count: 1}, requires: [md]}
`;

let host: FakeSystemd;
let site: LaunchSite;
let runs = 0;
let seconds = 0;

beforeEach(() => {
  host = new FakeSystemd();
  runs = 0;
  seconds = 0;
  site = {
    host,
    state: new HostState(host, '/var/lib/hft'),
    kept: new HostState(host, '/var/lib/hft/launch'),
    run: new HostState(host, '/run/hft/launch'),
    ownsHost: true,
    probe: '/usr/lib/hft/dist/hft-probe',
    command: '/usr/lib/hft/bin/hft',
    version: '0',
    nameRun: () => `run-${++runs}`,
    startSupervisor: async () => {
      throw new Error('systemd runs this host');
    },
    now: () => new Date(++seconds * 1000),
  };
});

async function request(text = DEPLOYMENT, names?: readonly string[]): Promise<LaunchRequest> {
  const deployment = await load(text);
  return {
    deployment,
    placement: place(deployment, machine),
    names: names ?? Object.keys(deployment.processes),
    gate: 'verify',
    profile: undefined,
    roles: { isolated: machine.layout.isolated, housekeeping: machine.layout.housekeeping },
    by: 'a test',
  };
}

const launch = async (text?: string, names?: readonly string[]) => orderLaunch(site, await request(text, names));
const stop = (...names: string[]) => orderStop(site, names, 'a test');

/** What is on the host but for what runs and the record of who asked. */
function left(): string[] {
  const own = (path: string) => !path.startsWith('/proc/') && !/launches\.jsonl$|^\/run\/hft\//.test(path);
  const folders = [...host.folders].filter((path) => path.startsWith('/etc/'));
  return [...[...host.files.keys()].filter(own), ...folders].sort();
}

async function phases(): Promise<Record<string, string>> {
  const { state } = await readLaunch(site.run, host);
  return Object.fromEntries(
    (state?.processes ?? []).map(({ name, phase, why }) => [name, why ? `${phase}: ${why}` : phase]),
  );
}

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

describe('launched by systemd', () => {
  test('as services that the boot starts, with the order where the boot finds it', async () => {
    await launch();
    expect(await phases()).toEqual({ md: 'running', strategy: 'running' });
    expect([...host.loaded.keys()].sort()).toEqual(
      [
        'hft-gate.service',
        'hft-launch.service',
        'hft-trading-md.service',
        'hft-trading-strategy.service',
        'hft-trading.target',
        'x',
      ].filter((name) => name !== 'x'),
    );
    expect((await readKeptOrder(site.kept))?.processes.map(({ goal }) => goal)).toEqual(['up', 'up']);
    expect(host.files.has(PERMIT)).toBe(true);
  });

  test('what is secret is in its own file and nowhere else', async () => {
    await launch();
    const told = [...host.files].filter(([, text]) => text.includes('hunter2')).map(([path]) => path);
    expect(told).toEqual([expect.stringMatching(/^\/var\/lib\/hft\/launch\/environment\/md\.[0-9a-f]+\.env$/)]);
    expect(host.files.get(MD)).toContain(`EnvironmentFile=${told[0]}\n`);
  });

  test('launched again as it is nothing is written to its units, and it goes on', async () => {
    await launch();
    const pid = host.pidOf('hft-trading-md.service');
    host.log.length = 0;
    await launch();
    expect(host.pidOf('hft-trading-md.service')).toBe(pid);
    expect(host.log.filter((line) => line.startsWith('/etc/'))).toEqual([]);
  });

  test.each([
    ['its command', DEPLOYMENT.replace('[/opt/md]', '[/opt/md, -v]')],
    ['a variable', DEPLOYMENT.replace('hunter2', 'hunter3')],
  ])('what runs and differs by %s is not started again by the way', async (_, changed) => {
    await launch();
    const before = [...host.files].filter(([path]) => path.startsWith('/etc/'));
    await expect(launch(changed)).rejects.toThrow('md runs, and it would be started in another way');
    expect([...host.files].filter(([path]) => path.startsWith('/etc/'))).toEqual(before);
  });

  test('stopped, nothing of it is left', async () => {
    const before = left();
    await launch();
    expect(await stop()).toEqual(['md', 'strategy']);
    expect(await phases()).toEqual({ md: 'down', strategy: 'down' });
    expect(left()).toEqual(before);
    expect([...host.units.keys()]).toEqual([]);
  });

  test('one that is stopped does not come back with the next boot; the others do', async () => {
    await launch();
    await stop('strategy');
    expect(host.files.has(MD)).toBe(true);
    expect(host.files.has('/etc/systemd/system/hft-trading-strategy.service')).toBe(false);
    expect(host.files.get('/etc/systemd/system/hft-trading.target.d/50-hft-desk.conf')).not.toContain('strategy');
    await stop();
    expect(left()).toEqual(
      ['/proc/sys/kernel/random/boot_id', '/run/systemd/system/x'].filter((path) => !path.startsWith('/proc/')),
    );
  });

  test('only some, then the others', async () => {
    await launch(DEPLOYMENT, ['md']);
    expect(await phases()).toEqual({ md: 'running', strategy: 'down' });
    await launch();
    expect(await phases()).toEqual({ md: 'running', strategy: 'running' });
  });

  test('a rollback of everything takes the units and leaves what runs, which can be stopped', async () => {
    const before = left();
    await launch();
    const engine = { ...site, domains: [], nameRun: site.nameRun };
    const { complete, reports } = await rollbackWithUnits(engine, { request: { scope: 'all' }, kept: site.kept });
    expect([complete, reports.length]).toEqual([true, 1]);
    expect(left().filter((path) => path.startsWith('/etc/'))).toEqual(
      before.filter((path) => path.startsWith('/etc/')),
    );
    expect((await phases()).md).toBe('running');
    await stop();
    expect([...host.units.keys()]).toEqual([]);
    expect(left()).toEqual(before);
  });
});

describe('nothing is started, and nothing is left', () => {
  const refused = async (message: string | RegExp, exitCode = 3) => {
    const before = left();
    const error: unknown = await launch().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HftError);
    expect(error).toMatchObject({ exitCode, message: expect.stringMatching(message) });
    expect([...host.units.keys()]).toEqual([]);
    expect(left().filter((path) => path.startsWith('/etc/'))).toEqual(
      before.filter((path) => path.startsWith('/etc/')),
    );
    expect(await readKeptOrder(site.kept)).toBeUndefined();
  };

  test('without systemctl', async () => {
    host.commands.delete('systemctl');
    await refused('systemctl');
  });

  test('a unit is masked', async () => {
    host.links.set(MD, '/dev/null');
    await refused('hft-trading-md.service is masked');
  });

  test('a unit of the name is there, and somebody else wrote it', async () => {
    host.files.set(MD, '[Service]\nExecStart=/opt/other\n');
    await refused('hft did not write it');
    expect(host.files.get(MD)).toContain('/opt/other');
  });

  test('a package has a unit of the name', async () => {
    host.packaged.add('hft-trading-md.service');
    await refused('/usr/lib/systemd/system/hft-trading-md.service is there');
  });

  test('systemd does not load what was written', async () => {
    host.unloadable.add('hft-trading-md.service');
    await refused('was written, and systemd has it as not-found');
  });

  test('systemd refuses the start', async () => {
    host.refuses.set('hft-trading-strategy.service', 'Transaction is destructive.');
    await refused('Transaction is destructive');
  });

  test('the disk is full, at any write', async () => {
    const before = left();
    for (let at = 1; ; at++) {
      host.revive();
      host.faults = [{ at, effect: { errno: 'ENOSPC' } }];
      const error: unknown = await launch().catch((thrown: unknown) => thrown);
      if (!(error instanceof HftError)) break;
      host.revive();
      expect(
        left().filter((path) => path.startsWith('/etc/')),
        `write ${at}: ${error.message}`,
      ).toEqual(before.filter((path) => path.startsWith('/etc/')));
      expect([...host.units.keys()], `write ${at}`).toEqual([]);
    }
    host.revive();
    await stop();
    expect(left()).toEqual(before);
  });
});

describe('what an administrator did since', () => {
  test('is not written over by a launch', async () => {
    await launch(DEPLOYMENT, ['md']);
    host.files.set(MD, `${host.files.get(MD)}# mine\n`);
    await expect(launch(DEPLOYMENT.replace('[/opt/strategy]', '[/opt/strategy, -v]'))).rejects.toThrow(
      'somebody changed it since',
    );
    expect(host.files.get(MD)).toContain('# mine');
  });

  test('is left by a stop, which says so', async () => {
    await launch();
    host.files.set(MD, `${host.files.get(MD)}# mine\n`);
    await expect(stop()).rejects.toThrow(/The processes are down. Not taken away.*hft-trading-md\.service/);
    expect([...host.units.keys()]).toEqual([]);
    expect(left()).toContain(MD);
  });
});

describe('after a reboot', () => {
  const boot = async (look: () => Promise<void>) => {
    host.reboot();
    const order = await readKeptOrder(site.kept);
    if (order !== undefined) await site.kept.replace('order.json', JSON.stringify({ ...order, bootId: 'earlier' }));
    const passed = await passGate(site, look).then(
      () => true,
      (error: unknown) => {
        if (error instanceof HftError) return false;
        throw error;
      },
    );
    await host.execute(['systemctl', 'start', 'hft-trading-md.service', 'hft-trading-strategy.service']);
    return passed;
  };
  const unfit = async () => {
    throw new HftError('Nothing was started: 3 settings are not as the profile wants them.', { exitCode: 1 });
  };

  test('a host that is fit has them again', async () => {
    await launch();
    expect(await boot(async () => {})).toBe(true);
    expect(await phases()).toEqual({ md: 'running', strategy: 'running' });
  });

  test('one that is not starts nothing, and says why', async () => {
    await launch();
    expect(await boot(unfit)).toBe(false);
    const why = 'down: Nothing was started: 3 settings are not as the profile wants them.';
    expect(await phases()).toEqual({ md: why, strategy: why });
    expect([...host.units.keys()]).toEqual([]);
  });

  test('a boot whose gate nobody asked starts nothing either; hft launch does, hft stop takes it away', async () => {
    await launch();
    const order = await readKeptOrder(site.kept);
    host.reboot();
    await site.kept.replace('order.json', JSON.stringify({ ...order, bootId: 'earlier' }));
    await host.execute(['systemctl', 'start', 'hft-trading-md.service']);
    expect([...host.units.keys()]).toEqual([]);
    await launch();
    expect(await phases()).toEqual({ md: 'running', strategy: 'running' });
    await stop();
    expect(left()).toEqual(['/run/systemd/system/x']);
  });

  test('killed at any write of a launch: all of the old or all of the new, or nothing and why', async () => {
    const next = DEPLOYMENT.replace('[/opt/strategy]', '[/opt/strategy, -v]');
    await eachKill(
      async () => {
        await launch(DEPLOYMENT, ['md']);
      },
      () => launch(next),
      async (isThrough) => {
        const passed = await boot(async () => {});
        const ran = Object.fromEntries(
          [...host.units.keys()].map((name) => [name, /^ExecStart=(.*)$/m.exec(host.loaded.get(name) ?? '')?.[1]]),
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
      host.reboot();
      host.files.clear();
      host.folders.clear();
      host.units.clear();
      for (const [path, text] of new FakeSystemd().files) host.files.set(path, text);
      await prepare();
      host.revive();
      host.faults = [{ at, effect }];
      const isThrough = await unlessKilled(act);
      host.revive();
      await then(isThrough);
      if (isThrough) break;
    }
  }
}

describe('killed at any write', () => {
  test('of a launch: launched again it is whole, and stopped nothing is left', async () => {
    await eachKill(
      async () => {},
      launch,
      async () => {
        await launch();
        expect(await phases()).toEqual({ md: 'running', strategy: 'running' });
        await stop();
        expect(left()).toEqual(['/run/systemd/system/x']);
      },
    );
  });

  test('of a launch: stopped, nothing is left', async () => {
    await eachKill(
      async () => {},
      launch,
      async () => {
        await stop();
        expect(left()).toEqual(['/run/systemd/system/x']);
        expect([...host.units.keys()]).toEqual([]);
      },
    );
  });

  test('of a stop: stopped again, nothing is left', async () => {
    await eachKill(
      async () => {
        await launch();
      },
      stop,
      async () => {
        await stop();
        expect(left()).toEqual(['/run/systemd/system/x']);
        expect([...host.units.keys()]).toEqual([]);
      },
    );
  });

  test('what ran before a launch runs on', async () => {
    let pid: number | undefined;
    await eachKill(
      async () => {
        await launch(DEPLOYMENT, ['md']);
        pid = host.pidOf('hft-trading-md.service');
      },
      launch,
      async () => {
        expect(host.pidOf('hft-trading-md.service')).toBe(pid);
        await launch();
        expect(host.pidOf('hft-trading-md.service')).toBe(pid);
        expect((await readOrder(site.run))?.processes.map(({ goal }) => goal)).toEqual(['up', 'up']);
      },
    );
  });
});
