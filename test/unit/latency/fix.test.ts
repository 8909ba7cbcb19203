import { beforeEach, describe, expect, test } from 'vitest';
import type { Agent, ProbeRequest } from '../../../src/agent/agent.ts';
import { type FixingAgent, fixHost, ROUNDS } from '../../../src/cli/latency-fix.ts';
import { findInForce, partsInForce } from '../../../src/engine/in-force.ts';
import { readRuns } from '../../../src/engine/journal.ts';
import { confirm, rollback } from '../../../src/engine/rollback.ts';
import { tune } from '../../../src/engine/tune.ts';
import type { ProbeRun } from '../../../src/latency/probe/run.ts';
import type { LatencyResult } from '../../../src/latency/report/result.ts';
import { viewFix } from '../../../src/views/latency-fix.ts';
import { Killed } from '../../fake-host.ts';
import { makeRig, planRig, type Rig, restart, stateOf, WANTED } from '../../faults/rig.ts';
import { buildMachine } from '../../machine-builder.ts';
import { jitterRun } from './jitter-run.ts';

/** `--fix` on a machine in memory whose jitter depends on what is set there, with the engine and the journal as they are. */
const SWAPPINESS = '/proc/sys/vm/swappiness';
const named = (fix: string, cause = 'kswapd0') =>
  ({ cause, kind: 'thread', cpus: [2], count: 3, totalNs: 9, maxNs: 5, explained: true, fix, advice: null }) as const;
const resultWith = (...fixes: string[]) =>
  ({
    host: 'fake',
    suite: 'quick',
    cut: false,
    cpus: { cpus: [2], why: 'as asked' },
    disturbances: fixes.map((fix) => named(fix)),
    attribution: null,
    artefacts: [],
  }) as unknown as LatencyResult;

const runs = new Map<number, ProbeRun>();
function runOf(gapNs: number): ProbeRun {
  const run = runs.get(gapNs) ?? jitterRun(gapNs);
  runs.set(gapNs, run);
  return run;
}

interface Stage {
  /** What each gap takes, by the value of swappiness and the number of the run. */
  readonly gapNs?: (value: string, run: number) => number;
  readonly onProbe?: (run: number) => void;
  readonly broken?: (run: number) => boolean;
}

function agentOf(rig: Rig, { gapNs = () => 5000, onProbe, broken }: Stage = {}): FixingAgent & { states: string[] } {
  const states: string[] = [];
  const plan: Agent['plan'] = (wanted, scope) => planRig(rig, { wanted, ...(scope && { scope }) });
  const names = Object.keys(WANTED.domains);
  return {
    states,
    plan,
    machine: async () => buildMachine({}),
    apply: ({ wanted, scope, planned, approve, signal, confirmWithinS, mustBeConfirmed }) =>
      tune(rig.engine, {
        wanted,
        planned,
        approve,
        origin: 'user',
        planAgain: () => plan(wanted, scope),
        guard: { confirmWithinS, always: mustBeConfirmed === true, arm: async () => {} },
        ...(scope && { scope }),
        ...(signal && { signal }),
      }),
    rollback: (request) => rollback(rig.engine, request),
    confirm: () => confirm(rig.engine),
    inForce: async () => partsInForce(await readRuns(rig.state), names).at(-1),
    async probe(request: ProbeRequest) {
      const value = (await rig.host.readText(SWAPPINESS))?.trim() ?? '';
      states.push(value);
      onProbe?.(states.length);
      expect(request).toMatchObject({ probe: 'jitter', seeksCauses: false, durationMs: 2000 });
      if (broken?.(states.length)) return { status: 'failed', reason: 'The probe broke.' };
      return { status: 'measured', run: runOf(gapNs(value, states.length)) };
    },
  };
}

const fixing = (signal = new AbortController().signal) => ({
  asked: { wanted: WANTED, scope: {} },
  flags: { yes: true, duration: '2s', suite: 'quick' },
  dialogue: { terminal: { columns: 80, color: false }, report: () => {} },
  signal,
});

const noise = (run: number) => 50 * ((run * 7) % 5);
const better = { gapNs: (value: string, run: number) => (value === '0' ? 2000 : 9000) + noise(run) };
const same = { gapNs: (_: string, run: number) => 5000 + noise(run) };
const worse = { gapNs: (value: string, run: number) => (value === '0' ? 9000 : 2000) + noise(run) };
const ALTERNATING = Array.from({ length: ROUNDS }, () => ['60', '0']).flat();

describe('what was named and can be tried', () => {
  let rig: Rig;
  let before: Record<string, string>;
  beforeEach(() => {
    rig = makeRig();
    before = stateOf(rig);
  });

  test('is kept when it is better with it: nothing else, confirmed, and no profile is put in force by it', async () => {
    const agent = agentOf(rig, better);
    const fixed = await fixHost(agent, resultWith('memory.swappiness'), fixing());
    expect(agent.states).toEqual(ALTERNATING);
    expect(fixed).toMatchObject({ decision: 'kept', exitCode: 0, lasting: false, others: [] });
    expect(fixed.comparison?.figures.map(({ name, answer }) => [name, answer])).toEqual([
      ['stolenShare', 'lower'],
      ['gapsPerSecond', 'undecided'],
      ['meanDelayNs', 'lower'],
    ]);
    expect(stateOf(rig)).toEqual({ ...before, [SWAPPINESS]: '0\n' });
    const runs = await readRuns(rig.state);
    expect(runs.at(-1)).toMatchObject({ run: fixed.run, result: 'applied', confirmed: true });
    expect(runs.slice(0, -1).map(({ result }) => result)).toEqual(new Array(ROUNDS - 1).fill('undone'));
    expect(findInForce(runs)).toBeUndefined();
  });

  test.each([
    ['undecided', same],
    ['worse', worse],
  ])('is rolled back when it is %s', async (answer, stage) => {
    const agent = agentOf(rig, stage);
    const fixed = await fixHost(agent, resultWith('memory.swappiness'), fixing());
    expect(agent.states).toEqual(ALTERNATING);
    expect(fixed).toMatchObject({ decision: 'rolled-back', comparison: { answer }, run: null, exitCode: 0 });
    expect(stateOf(rig)).toEqual(before);
    expect((await readRuns(rig.state)).map(({ result }) => result)).toEqual(new Array(ROUNDS).fill('undone'));
  });

  test('lasts when its profile is in force', async () => {
    await rollback(rig.engine, { scope: 'all' });
    const planned = await planRig(rig);
    const approve = async () => true;
    await tune(rig.engine, { wanted: WANTED, planned, planAgain: () => planRig(rig), origin: 'user', approve });
    await rollback(rig.engine, { scope: { items: ['memory.swappiness'] } });
    const fixed = await fixHost(agentOf(rig, better), resultWith('memory.swappiness'), fixing());
    expect(fixed).toMatchObject({ decision: 'kept', lasting: true });
    expect(stateOf(rig)[SWAPPINESS]).toBe('0\n');
  });

  test.each(Array.from({ length: 2 * ROUNDS }, (_, at) => at + 1))(
    'a probe that breaks in run %i ends it, with everything as before',
    async (broken) => {
      const agent = agentOf(rig, { ...better, broken: (run) => run === broken });
      const fixed = await fixHost(agent, resultWith('memory.swappiness'), fixing());
      expect(fixed).toMatchObject({ decision: 'rolled-back', why: 'The probe broke.', exitCode: 0 });
      expect(fixed.rounds).toHaveLength(Math.floor((broken - 1) / 2));
      expect(stateOf(rig)).toEqual(before);
    },
  );

  test.each(Array.from({ length: 2 * ROUNDS }, (_, at) => at + 1))(
    'what is thrown in run %i leaves everything as before',
    async (thrown) => {
      const onProbe = (run: number) => {
        if (run === thrown) throw new Error('planted');
      };
      const trying = fixHost(agentOf(rig, { ...better, onProbe }), resultWith('memory.swappiness'), fixing());
      await expect(trying).rejects.toThrow('planted');
      expect(stateOf(rig)).toEqual(before);
    },
  );

  test.each(Array.from({ length: 2 * ROUNDS - 1 }, (_, at) => at + 1))(
    'Ctrl-C in run %i ends it, with everything as before',
    async (at) => {
      const abort = new AbortController();
      const onProbe = (run: number) => {
        if (run === at) abort.abort();
      };
      const agent = agentOf(rig, { ...better, onProbe });
      const fixed = await fixHost(agent, resultWith('memory.swappiness'), fixing(abort.signal));
      expect(fixed).toMatchObject({
        decision: 'rolled-back',
        exitCode: 6,
        why: expect.stringContaining('ended before'),
      });
      expect(agent.states.length).toBeLessThanOrEqual(at);
      expect(stateOf(rig)).toEqual(before);
      expect((await readRuns(rig.state)).every(({ result }) => result === 'undone')).toBe(true);
    },
  );

  test('a value that the kernel refuses fails, with everything as before', async () => {
    rig.host.faults = [{ at: SWAPPINESS, effect: { errno: 'EINVAL' } }];
    const fixed = await fixHost(agentOf(rig, better), resultWith('memory.swappiness'), fixing());
    expect(fixed).toMatchObject({ decision: 'failed', exitCode: 3, why: expect.stringContaining('EINVAL') });
    expect(stateOf(rig)).toEqual(before);
  });

  test('killed at any write: the next hft, or the guard, puts it back', async () => {
    const agent = agentOf(rig, better);
    await fixHost(agent, resultWith('memory.swappiness'), fixing());
    const { writeCount } = rig.host;
    for (let at = 1; at <= writeCount; at++) {
      const other = makeRig();
      other.host.faults = [{ at, effect: 'die-after' }];
      await expect(fixHost(agentOf(other, better), resultWith('memory.swappiness'), fixing())).rejects.toThrow(Killed);
      restart(other);
      // At its deadline, or when it finds hft dead.
      await rollback(other.engine, { scope: 'all' });
      expect([at, stateOf(other)]).toEqual([at, before]);
    }
  });

  test('is not tried when nobody agrees, or the measurement was cut', async () => {
    const agent = agentOf(rig, better);
    const cut = { ...resultWith('memory.swappiness'), cut: true };
    expect(await fixHost(agent, cut, fixing())).toMatchObject({ decision: 'nothing-to-try', offered: [] });
    expect(agent.states).toEqual([]);
  });
});

test('the text of what was kept says how long, and how it is taken back', async () => {
  const rig = makeRig();
  const fixed = await fixHost(agentOf(rig, better), resultWith('memory.swappiness', 'irq.none'), fixing());
  expect(viewFix(fixed, { columns: 80, color: false })).toMatchInlineSnapshot(`
    "Kept: Less was taken with it, by more than the runs differ among themselves.
        memory.swappiness 60 → 0

    5 pairs of jitter runs                without       with
      of the time taken                 0.00910 %  0.00210 %  lower (p 0.008)
      gaps a second                          10.0       10.0  undecided (p 1.000)
      mean delay of a random arrival      0.414ns    0.022ns  lower (p 0.008)

    It holds until the next reboot: \`hft tune --profile test\` makes it last. \`hft
    rollback --item memory.swappiness\` takes it back.

    Named and not tried
      irq.none
          Profile test does not set it here."
  `);
});
