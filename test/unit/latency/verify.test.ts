import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProbeRequest } from '../../../src/agent/agent.ts';
import { type MeasuringAgent, type MeasuringRequest, measureOn } from '../../../src/cli/latency.ts';
import { UsageError } from '../../../src/errors.ts';
import { measure } from '../../../src/latency/probe/measure.ts';
import type { LatencyWanted } from '../../../src/latency/targets/schema.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { viewLatency } from '../../../src/views/latency.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine, type MachineShape } from '../../machine-builder.ts';

/** `hft verify latency` from its flags to its text, on a made-up machine whose probes play back what a busy real one wrote. */
const frames = (name: string) => readFileSync(join(import.meta.dirname, 'recorded', `${name}.frames`), 'latin1');
const RECORDED = ['jitter', 'wakeup', 'shm'];

interface Stage {
  readonly shape?: MachineShape;
  readonly program?: 'recorded' | 'missing';
  /** Settings that differ; an error where the profile does not fit the machine. */
  readonly differs?: number | UsageError;
  readonly onProbe?: (request: ProbeRequest) => void;
}

function stage({ shape = {}, program = 'recorded', differs = 2, onProbe }: Stage): MeasuringAgent {
  const machine = buildMachine({ host: 'box7', ...shape });
  return {
    machine: async () => machine,
    pinnedTo: async () => [],
    async plan(wanted) {
      if (differs instanceof UsageError) throw differs;
      const plan = { profile: wanted.name, changes: new Array(differs).fill({}), unread: [] };
      const layout = solveLayout(layoutWanted.parse({ nic: 'none', isolated: { cores: 1 } }), machine);
      return { plan, machine: { ...machine, layout } } as never;
    },
    async probe(request) {
      onProbe?.(request);
      const isThere = program === 'recorded' && RECORDED.includes(request.probe);
      const host = new FakeHost({}, isThere ? { '/hft/hft-probe': frames(request.probe) } : {});
      return measure(host, { ...request, program: '/hft/hft-probe' });
    },
  };
}

const FLAGS = { suite: 'quick', probe: undefined, cpus: undefined } as const;

function ask(latency: LatencyWanted | undefined, flags: Partial<MeasuringRequest['flags']> = {}): MeasuringRequest {
  const wanted = { name: 'colo', layout: {} as never, domains: {}, ...(latency && { latency }) };
  return {
    asked: latency === undefined ? undefined : { wanted, scope: {} },
    flags: { ...FLAGS, ...flags },
    durationS: 2,
    signal: new AbortController().signal,
    showProgress: () => {},
  };
}

const row = (probe: 'jitter' | 'wakeup' | 'shm' | 'network', limits: object) =>
  ({ probe, load: 'none' as const, ...limits }) as const;
const JITTER = ['jitter'];

describe('exit code', () => {
  test.each<[string, LatencyWanted | undefined, string[], number]>([
    ['0 without a profile', undefined, JITTER, 0],
    ['0 when every limit is met', { j: row('jitter', { p50: 60e9 }) }, JITTER, 0],
    ['1 when a limit is missed', { w: row('wakeup', { p50: 100 }) }, ['wakeup'], 1],
    [
      '1 when one is met and one is missed',
      { j: row('jitter', { p50: 60e9 }), w: row('wakeup', { p50: 100 }) },
      ['jitter', 'wakeup'],
      1,
    ],
    ['6 with too few samples', { w: row('wakeup', { 'p99.99': 60e9 }) }, ['wakeup'], 6],
    [
      '0 for a row of a probe that was left out',
      { j: row('jitter', { p50: 60e9 }), r: row('shm', { p50: 1 }) },
      JITTER,
      0,
    ],
  ])('%s', async (_, latency, probe, exitCode) => {
    expect((await measureOn(stage({}), ask(latency, { probe }))).exitCode).toBe(exitCode);
  });

  test('6 for a row whose measurement needs what nobody named', async () => {
    const { result, exitCode } = await measureOn(stage({}), ask({ r: row('network', { p50: 50_000 }) }));
    expect(result.notMeasured).toContainEqual(
      expect.objectContaining({ target: 'r', reason: expect.stringContaining('It needs a peer'), isLeftOut: false }),
    );
    expect(exitCode).toBe(6);
  });
});

describe('without hft-probe', () => {
  test('it says what is missing, for every probe', async () => {
    const { result, exitCode } = await measureOn(stage({ program: 'missing' }), ask({ j: row('jitter', { p50: 1 }) }));
    expect(exitCode).toBe(6);
    expect(result.probes).toEqual([]);
    expect(result.notMeasured[0]).toMatchObject({ target: 'j', need: expect.stringContaining('gcc') });
    expect(viewLatency(result, { columns: 200, color: false })).toContain('It needs the hft package, or a build after');
  });
});

describe('CPUs', () => {
  const chosen = async (shape: MachineShape, latency?: LatencyWanted, cpus?: string) =>
    (await measureOn(stage({ shape }), ask(latency, { probe: JITTER, cpus }))).result.cpus;

  test('are the isolated ones', async () => {
    expect(await chosen({ kernel: { isolated: [6, 7] } })).toEqual({ cpus: [6, 7], why: 'the isolated CPUs' });
  });

  test('are those that the profile would isolate', async () => {
    expect(await chosen({}, {})).toEqual({ cpus: [1], why: 'no CPU is isolated; the profile would isolate these' });
  });

  test.each<[string, MachineShape, readonly number[]]>([
    ['two of different cores', { packages: 1, coresPerPackage: 4, threads: 2 }, [2, 3]],
    ['one of three', { packages: 1, coresPerPackage: 3 }, [2]],
    ['one of two', { packages: 1, coresPerPackage: 2 }, [1]],
    ['the only one', { packages: 1, coresPerPackage: 1 }, [0]],
  ])('are as few as tell something: %s', async (_, shape, cpus) => {
    expect((await chosen(shape)).cpus).toEqual(cpus);
  });

  test('are those that were asked for, by name or number', async () => {
    expect((await chosen({}, undefined, '2,5')).cpus).toEqual([2, 5]);
    expect((await chosen({}, undefined, 'node(1) & 4-6')).cpus).toEqual([4, 5, 6]);
    expect((await chosen({ kernel: { isolated: [3] } }, undefined, 'isolated')).cpus).toEqual([3]);
  });

  test.each([
    ['no CPU at all', 'none', '--cpus none: no CPU of box7 is in this set.'],
    ['one that is not there', '17', 'not on box7'],
    ['no CPU set', '2..5', 'unexpected'],
  ])('%s is wrong usage', async (_, cpus, message) => {
    const refused = measureOn(stage({}), ask(undefined, { cpus }));
    await expect(refused).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
  });

  test('never take the last housekeeping CPU', async () => {
    const shape = { packages: 1, coresPerPackage: 2 };
    const { result } = await measureOn(stage({ shape }), ask(undefined, { probe: JITTER, cpus: 'all' }));
    expect(result.notMeasured[0]?.reason).toContain('leave none of the housekeeping CPUs (0-1) to the system');
  });
});

describe('suites', () => {
  const started = async (flags: Partial<MeasuringRequest['flags']>) => {
    const names = new Set<string>();
    const agent = stage({ shape: { kernel: { isolated: [6, 7] } }, onProbe: ({ probe }) => names.add(probe) });
    const { result } = await measureOn(agent, ask(undefined, flags));
    return { names: [...names], result };
  };

  test('quick has the telling ones and names the others', async () => {
    const { names, result } = await started({});
    expect(names).toEqual(['jitter', 'wakeup', 'core-to-core', 'shm', 'unix-socket']);
    const others = result.notMeasured.filter(({ reason }) => reason.includes('--suite full'));
    expect(others.map(({ probe }) => probe)).toEqual([
      ...['futex', 'pipe', 'tcp', 'udp', 'zeromq', 'redis', 'memcached', 'pipeline'],
    ]);
  });

  test('quick has any that is named', async () => {
    expect((await started({ probe: ['udp', 'pipe'] })).names).toEqual(['pipe', 'udp']);
  });

  test('full has all', async () => {
    expect((await started({ suite: 'full' })).names).toHaveLength(12);
  });
});

describe('--load', () => {
  const PLACE = { shape: { packages: 1, coresPerPackage: 8, kernel: { isolated: [6, 7] } } };
  const achieved = {
    kind: 'network',
    cpus: [1, 2],
    nice: 0,
    seconds: 3,
    perSecond: { sentPackets: 81_234, receivedPackets: 79_999 },
  } as const;
  const underLoad = async (latency: LatencyWanted) => {
    const agent = stage(PLACE);
    const loads: unknown[] = [];
    const loading: MeasuringAgent = {
      ...agent,
      async probe(request) {
        loads.push(request.load);
        const measured = await agent.probe(request);
        return measured.status === 'measured' ? { ...measured, load: achieved } : measured;
      },
    };
    const { result } = await measureOn(loading, ask(latency, { probe: ['wakeup'], load: 'network' }));
    return { loads, result };
  };

  test('is asked for on CPUs that do not measure, and stands in the rows and the text', async () => {
    const { loads, result } = await underLoad({ w: row('wakeup', { p50: 60e9, load: 'network' }) });
    expect(loads[0]).toEqual({ kind: 'network', cpus: [1, 2, 3, 4] });
    expect(result.probes[0]).toMatchObject({
      load: 'network',
      loadAchieved: achieved,
      verdict: 'pass',
      target: { name: 'w' },
    });
    const text = viewLatency(result, { columns: 200, color: false });
    expect(text).toContain('wakeup  load network, every 500us');
    expect(text).toContain(
      'Load: network (loopback, no network card) on CPUs 1-2: a second at least 81.2 k UDP packets sent, 80 k received.',
    );
  });

  test('is not what a row without load asks for', async () => {
    const { result } = await underLoad({ w: row('wakeup', { p50: 60e9 }) });
    expect(result.probes[0]).toMatchObject({ verdict: null, target: null });
    expect(result.notMeasured[0]).toMatchObject({ target: 'w', reason: 'None of its measurements is one of no load.' });
  });

  test('without it rows say so', async () => {
    const { result } = await measureOn(stage(PLACE), ask(undefined, { probe: ['wakeup'], load: 'none' }));
    expect(result.probes[0]).toMatchObject({ load: 'none', loadAchieved: null });
  });

  test('on a host with one CPU to spare is wrong usage', async () => {
    const shape = { packages: 1, coresPerPackage: 2 };
    await expect(
      measureOn(stage({ shape }), ask(undefined, { probe: JITTER, load: 'housekeeping' })),
    ).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('of the housekeeping CPUs only 0 is left'),
    });
  });
});

describe('a host that differs from its profile is measured', () => {
  const LIMITS = { j: row('jitter', { p50: 60e9 }) };
  const head = async (differs: Stage['differs']) => {
    const { result, exitCode } = await measureOn(
      stage(differs === undefined ? {} : { differs }),
      ask(LIMITS, { probe: JITTER }),
    );
    expect(exitCode).toBe(0);
    return viewLatency(result, { columns: 200, color: false }).split('\n')[1];
  };

  test('and the result says by how much', async () => {
    expect(await head(12)).toBe(
      'Judged by colo, from which this host differs in 12 settings: `hft plan --profile colo`.',
    );
    expect(await head(0)).toBe('Judged by colo, which this host is tuned to.');
  });

  test('also where it cannot have that profile', async () => {
    expect(await head(new UsageError('5 cores do not fit.'))).toBe(
      'Judged by colo, which cannot be compared with this host: 5 cores do not fit.',
    );
  });
});

test('what is stopped is shown, and what was not begun is named', async () => {
  const stop = new AbortController();
  const agent = stage({ onProbe: () => stop.abort() });
  const limits = { j: row('jitter', { p50: 1 }), w: row('wakeup', { p50: 1 }) };
  const { result, exitCode } = await measureOn(agent, { ...ask(limits), signal: stop.signal });
  expect(exitCode).toBe(6);
  expect(result.cut).toBe(true);
  expect(result.probes.map(({ name }) => name)).toEqual(['jitter']);
  expect(result.notMeasured).toContainEqual(
    expect.objectContaining({ target: 'w', reason: 'It was ended before this.' }),
  );
});

test('a probe that breaks off does not take the others with it', async () => {
  const agent = stage({
    onProbe({ probe }) {
      if (probe === 'jitter') throw new UsageError('torn');
    },
  });
  const { result } = await measureOn(agent, ask(undefined));
  expect(result.probes.map(({ name }) => name)).toContain('wakeup');
  expect(result.notMeasured).toContainEqual(expect.objectContaining({ probe: 'jitter', reason: 'torn' }));
});

describe('text', () => {
  const LIMITS = {
    tick: row('jitter', { 'p99.9': 1000 }),
    timer: row('wakeup', { p50: 3000, p99: 60e9 }),
    ring: row('shm', { p50: 500, p99: 2000 }),
    get: row('network', { p50: 50_000 }),
  };

  test.each([80, 200])('keeps to %i columns', async (columns) => {
    const { result } = await measureOn(stage({ shape: { kernel: { isolated: [6, 7] } } }), ask(LIMITS));
    const text = viewLatency(result, { columns, color: false });
    expect(text.split('\n').filter((line) => line.length > columns)).toEqual([]);
    await expect(`${text}\n`).toMatchFileSnapshot(`recorded/verify-${columns}.txt`);
  });
});
