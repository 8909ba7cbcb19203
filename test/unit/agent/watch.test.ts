import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { watchRun } from '../../../src/agent/watch.ts';
import { readRuns } from '../../../src/engine/journal.ts';
import { confirm, rollback } from '../../../src/engine/rollback.ts';
import { type Guard, tune } from '../../../src/engine/tune.ts';
import { identifyThisProcess, parseProcessStat } from '../../../src/host/process-identity.ts';
import type { PlacedMachine } from '../../../src/layout/layout.ts';
import { Killed } from '../../fake-host.ts';
import { makeRig, planRig, type Rig, restart, stateOf, WANTED } from '../../faults/rig.ts';

const SWAPPINESS = '/proc/sys/vm/swappiness';
const PERIODS = { waitingMs: 10, workingMs: 10 };
const NEVER: Guard = { confirmWithinS: 3600, arm: async () => {} };

/** Route tables, carriers and connections of a host that is reached through eth0 and has containers behind docker0. */
const NETWORK = {
  '/sys/class/net/eth0/carrier': '1\n',
  '/sys/class/net/docker0/carrier': '1\n',
  '/proc/net/route': [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
  ].join('\n'),
};
const HOST = '050200C0';
const FAR = '08080808';
const CONTAINER = '020011AC';
const LOOPBACK = '0100007F';

function connections(...pairs: readonly (readonly [string, string])[]): string {
  const rows = pairs.map(([local, peer], index) => `   ${index + 1}: ${local} ${peer} 01 0`);
  return ['  sl  local_address rem_address   st', '   0: 00000000:0016 00000000:0000 0A 0', ...rows].join('\n');
}

const OLD = [`${HOST}:0016`, `${FAR}:1000`] as const;

/** A machine whose first setting touches the interface of the session. */
function makeSessionRig(): Rig {
  const rig = makeRig([{ interface: 'eth0' }]);
  for (const [path, text] of Object.entries(NETWORK)) rig.host.files.set(path, text);
  rig.host.files.set('/proc/net/tcp', connections(OLD));
  return rig;
}

async function planSession(rig: Rig) {
  const { plan, machine } = await planRig(rig);
  const nics = [{ name: 'eth0', carriesSession: true, uppers: [] }] as unknown as PlacedMachine['nics'];
  return { plan, machine: { ...machine, nics } };
}

async function tuneSession(rig: Rig, guard: Guard, approve = async () => true) {
  const planned = await planSession(rig);
  const planAgain = () => planSession(rig);
  return tune(rig.engine, { wanted: WANTED, planned, planAgain, origin: 'user', approve, guard });
}

const watch = ({ engine }: Rig) => watchRun(engine, 'run-1', PERIODS);
const confirmed = async ({ state }: Rig) => (await readRuns(state))[0]?.confirmed;

describe('the guard of a run that waits', () => {
  let rig: Rig;
  let before: Record<string, string>;

  beforeEach(() => {
    rig = makeSessionRig();
    before = stateOf(rig);
  });

  test('takes it back when nobody confirms it in time', async () => {
    await tuneSession(rig, { ...NEVER, confirmWithinS: 0.05 });
    expect(stateOf(rig)).not.toEqual(before);
    expect(await watch(rig)).toBe('rolled-back');
    expect(stateOf(rig)).toEqual(before);
  });

  test('waits for the time that was given, whatever the clock is set to meanwhile', async () => {
    await tuneSession(rig, { ...NEVER, confirmWithinS: 0.3 });
    let clock = new Date(0);
    const engine = { ...rig.engine, now: () => clock };
    const watching = watchRun(engine, 'run-1', PERIODS);
    await new Promise((resolve) => setTimeout(resolve, 100));
    clock = new Date(-3600_000);
    expect(await watching).toBe('rolled-back');
  });

  test('keeps it when it is confirmed', async () => {
    await tuneSession(rig, NEVER);
    const watching = watch(rig);
    await confirm(rig.engine);
    expect(await watching).toBe('confirmed');
  });

  test('keeps it when somebody comes in anew through the interface that was changed', async () => {
    await tuneSession(rig, NEVER);
    rig.host.files.set('/proc/net/tcp', connections(OLD, [`${HOST}:0016`, `${FAR}:1001`]));
    expect(await watch(rig)).toBe('confirmed');
    expect(await confirmed(rig)).toBe(true);
  });

  test.each<[string, readonly (readonly [string, string])[]]>([
    ['the old one only', []],
    ['a container of this host', [[`${HOST}:0016`, `${CONTAINER}:1001`]]],
    ['this host, through the loopback', [[`${LOOPBACK}:0016`, `${LOOPBACK}:1001`]]],
    [
      'this host, through its own address',
      [
        [`${HOST}:0016`, `${HOST}:1001`],
        [`${HOST}:1001`, `${HOST}:0016`],
      ],
    ],
    ['this host, out to somebody', [[`${HOST}:1002`, `${FAR}:0050`]]],
  ])('is not fooled by a connection from: %s', async (_, pairs) => {
    await tuneSession(rig, { ...NEVER, confirmWithinS: 0.05 });
    rig.host.files.set('/proc/net/tcp', connections(OLD, ...pairs));
    expect(await watch(rig)).toBe('rolled-back');
  });

  test('nor by a fresh connection while the carrier is gone', async () => {
    await tuneSession(rig, { ...NEVER, confirmWithinS: 0.05 });
    rig.host.files.set('/proc/net/tcp', connections(OLD, [`${HOST}:0016`, `${FAR}:1001`]));
    rig.host.files.set('/sys/class/net/eth0/carrier', '0\n');
    expect(await watch(rig)).toBe('rolled-back');
  });

  test('tries again while something cannot be put back, and says when it never could', async () => {
    await tuneSession(rig, { ...NEVER, confirmWithinS: 0.01 });
    const busy = { at: SWAPPINESS, effect: { errno: 'EBUSY' } } as const;
    rig.host.faults = [busy];
    const watching = watch(rig);
    await new Promise((resolve) => setTimeout(resolve, 100));
    rig.host.faults = [];
    expect(await watching).toBe('rolled-back');
    expect(stateOf(rig)).toEqual(before);

    const never = makeSessionRig();
    await tuneSession(never, { ...NEVER, confirmWithinS: 0.01 });
    never.host.faults = [busy];
    expect(await watch(never)).toBe('partly-rolled-back');
  });

  test('takes it back at once when who alone would confirm it has died, and not while it lives', async () => {
    const owner = spawn('sleep', ['3600']);
    await once(owner, 'spawn');
    const { startTicks } = parseProcessStat(readFileSync(`/proc/${owner.pid}/stat`, 'utf8')) as { startTicks: string };
    const identity = { ...identifyThisProcess(), pid: owner.pid as number, startTicks };
    await tuneSession(rig, { ...NEVER, always: true, owner: identity });
    const watching = watch(rig);
    await expect.poll(async () => (await readRuns(rig.state))[0]?.watched).toBe(true);
    expect(stateOf(rig)).not.toEqual(before);
    owner.kill('SIGKILL');
    expect(await watching).toBe('rolled-back');
    expect(stateOf(rig)).toEqual(before);
  });

  test('an owner in another PID namespace cannot be seen from here: the deadline decides', async () => {
    const identity = { ...identifyThisProcess(), pid: 1, startTicks: '0', pidNamespace: 'pid:[1]' };
    await tuneSession(rig, { ...NEVER, always: true, owner: identity });
    const watching = watch(rig);
    await expect.poll(async () => (await readRuns(rig.state))[0]?.watched).toBe(true);
    await confirm(rig.engine);
    expect(await watching).toBe('confirmed');
  });

  test('ends when somebody else took it back', async () => {
    await tuneSession(rig, NEVER);
    await rollback(rig.engine, { scope: 'last' });
    expect(await watch(rig)).toBe('settled-elsewhere');
  });
});

describe('hft tune of a run that is watched', () => {
  test('dies at any write: the guard puts everything back', async () => {
    for (const effect of ['die-before', 'die-after'] as const) {
      for (let at = 1; at <= 4; at++) {
        const rig = makeSessionRig();
        const before = stateOf(rig);
        rig.host.faults = [{ at, effect }];
        await expect(tuneSession(rig, NEVER)).rejects.toThrow(Killed);
        restart(rig);
        expect(await watch(rig)).toBe('rolled-back');
        expect(stateOf(rig)).toEqual(before);
      }
    }
  });

  test('is at work: the guard leaves it alone', async () => {
    const rig = makeSessionRig();
    let watching: ReturnType<typeof watch> | undefined;
    const arm = async () => {
      watching = watch(rig);
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const outcome = await tuneSession(rig, { confirmWithinS: 0.05, arm });
    expect(outcome.result).toBe('applied');
    expect(await watching).toBe('rolled-back');
  });

  test('ends just after the guard saw it at work: the guard goes on watching', async () => {
    const rig = makeSessionRig();
    const before = stateOf(rig);
    await tuneSession(rig, { ...NEVER, confirmWithinS: 0.05 });
    const name = 'journal/run-1.jsonl';
    const whole = rig.state.files.get(name) as string;
    const atWork = whole.slice(0, whole.indexOf('{"type":"confirm-by"', whole.indexOf('"confirm-by"') + 12));
    const readText = rig.state.readText.bind(rig.state);
    let reads = 0;
    rig.state.readText = async (each) => (each === name && ++reads === 1 ? atWork : readText(each));
    expect(await watch(rig)).toBe('rolled-back');
    expect(stateOf(rig)).toEqual(before);
  });
});

describe('a change that can cut the session', () => {
  test('is not made before its guard is at work', async () => {
    const rig = makeSessionRig();
    const made: number[] = [];
    const arm = async () => void made.push(rig.host.writeCount);
    expect(await tuneSession(rig, { ...NEVER, arm })).toMatchObject({ confirmBy: expect.any(String) });
    expect(made).toEqual([0]);
  });

  test('is not made without a guard: nothing is written, and the run is over', async () => {
    const rig = makeSessionRig();
    const before = stateOf(rig);
    const arm = () => Promise.reject(new Error('no guard'));
    await expect(tuneSession(rig, { ...NEVER, arm })).rejects.toThrow('no guard');
    expect([rig.host.writeCount, stateOf(rig)]).toEqual([0, before]);
    expect((await readRuns(rig.state))[0]?.result).toBe('undone');
  });

  test('is guarded too when only the plan on what exists then brings it', async () => {
    const rig = makeRig([{ stage: 'shape' }, { interface: 'eth0' }]);
    const [memory, ...others] = rig.engine.domains;
    const isShaped = () => rig.host.files.get(SWAPPINESS) === '0\n';
    const later = {
      ...memory,
      desire: (...given: Parameters<NonNullable<typeof memory>['desire']>) => {
        const desired = (memory as NonNullable<typeof memory>).desire(...given);
        return { ...desired, settings: desired.settings.filter(({ interface: name }) => !name || isShaped()) };
      },
    } as (typeof rig.engine.domains)[number];
    const late = { ...rig, engine: { ...rig.engine, domains: [later, ...others] } };
    const made: string[][] = [];
    const arm = async () => void made.push([...rig.host.log]);
    const outcome = await tuneSession(late, { ...NEVER, arm });
    expect(outcome.report.applied.map(({ id }) => id)).toContain('memory.thp');
    expect(made).toEqual([[`${SWAPPINESS} <- 0`]]);
    expect(outcome.confirmBy).toBeDefined();
  });

  test('is taken back when nobody answers the second question, asked through a session that it cut', async () => {
    const rig = makeSessionRig();
    const [memory, ...others] = rig.engine.domains;
    const shape = {
      ...memory,
      desire: (...given: Parameters<NonNullable<typeof memory>['desire']>) => {
        const { settings, refused } = (memory as NonNullable<typeof memory>).desire(...given);
        const isShaped = rig.host.files.get(SWAPPINESS) === '0\n';
        const shaped = settings.map((each) => (each.interface ? { ...each, stage: 'shape' as const } : each));
        return { refused, settings: isShaped ? shaped : shaped.filter((each) => each.interface) };
      },
    } as (typeof rig.engine.domains)[number];
    const before = stateOf(rig);
    const asking = { ...rig, engine: { ...rig.engine, domains: [shape, ...others] } };
    let asked = 0;
    const nobody = () => {
      asked++;
      return new Promise<boolean>(() => {});
    };
    const outcome = await tuneSession(asking, { ...NEVER, confirmWithinS: 0.05 }, nobody);
    expect([asked, outcome.result]).toEqual([1, 'undone']);
    expect(stateOf(rig)).toEqual(before);
  });
});
