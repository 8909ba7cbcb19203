import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dependencyFacts, withRequired } from '../../../src/launch/dependencies.ts';
import { mergeOrders } from '../../../src/launch/merge-orders.ts';
import type { LaunchOrder, OrderedProcess } from '../../../src/launch/order.ts';
import { deploymentWanted } from '../../../src/launch/schema.ts';
import {
  newRecord,
  type Phase,
  type ProcessFacts,
  type ProcessRecord,
  sayEnd,
  supervise,
} from '../../../src/launch/supervision.ts';

type Wish = Record<string, unknown>;

function ordered(name: string, wish: Wish = {}, rest: Partial<OrderedProcess> = {}): OrderedProcess {
  const { processes } = deploymentWanted.parse({ processes: { [name]: { command: ['/bin/true'], ...wish } } });
  const wanted = processes[name] as OrderedProcess['wanted'];
  return { name, goal: 'up', asked: 1, start: [], check: undefined, threads: [], wanted, ...rest };
}

const QUIET: ProcessFacts = {
  nowMs: 0,
  alive: false,
  end: undefined,
  waitsFor: undefined,
  isNeeded: false,
  placed: undefined,
};

/** A process that lives as long as `lifeMs`, or ends when it is signalled; the machine is played to `untilMs`. */
function play(
  process: OrderedProcess,
  { lifeMs, exitCode, untilMs }: { lifeMs: number; exitCode: number; untilMs: number },
) {
  let record = newRecord(process.name);
  const starts: number[] = [];
  const phases: Phase[] = [];
  let diesAt = Number.POSITIVE_INFINITY;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 50) {
    const alive = starts.length > 0 && nowMs < diesAt;
    const facts = { ...QUIET, nowMs, alive, end: alive ? undefined : { exitCode }, placed: { failed: undefined } };
    const { record: next, action } = supervise(process, record, facts);
    record = next;
    if (phases.at(-1) !== next.phase) phases.push(next.phase);
    if (action?.kind === 'start') {
      starts.push(nowMs);
      diesAt = nowMs + lifeMs;
      record = { ...record, pid: starts.length, startTicks: '1' };
    }
    if (action?.kind === 'signal') diesAt = nowMs;
  }
  return { record, starts, phases };
}

describe('supervise', () => {
  test('starts, places, runs', () => {
    const { phases, starts } = play(ordered('md'), { lifeMs: 1e9, exitCode: 0, untilMs: 2000 });
    expect(phases).toEqual(['starting', 'placing', 'running']);
    expect(starts).toHaveLength(1);
  });

  test.each([
    ['never', 1, 'ended', 1],
    ['on-failure', 0, 'ended', 1],
    ['on-failure', 143, 'ended', 1],
    ['on-failure', 1, 'broken', 4],
    ['always', 0, 'broken', 4],
  ])('restart %s after %i: %s', (when, exitCode, phase, count) => {
    const process = ordered('md', { restart: { when, delay: '10ms', breaker: { restarts: 3, within: '60s' } } });
    const { record, starts } = play(process, { lifeMs: 500, exitCode, untilMs: 30_000 });
    expect([record.phase, starts.length]).toEqual([phase, count]);
  });

  test('failures that are far enough apart do not trip the breaker', () => {
    const process = ordered('md', { restart: { when: 'always', breaker: { restarts: 3, within: '1s' } } });
    const { starts } = play(process, { lifeMs: 2_000, exitCode: 1, untilMs: 60_000 });
    expect(starts.length).toBeGreaterThan(20);
  });

  test('never more starts within the window than the breaker allows, whatever the process does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 3_000 }),
        fc.integer({ min: 0, max: 255 }),
        (restarts, withinS, lifeMs, exitCode) => {
          const wish = { restart: { when: 'always', delay: '10ms', breaker: { restarts, within: `${withinS}s` } } };
          const { starts } = play(ordered('md', wish), { lifeMs, exitCode, untilMs: 60_000 });
          for (const from of starts)
            expect(starts.filter((ms) => ms >= from && ms < from + withinS * 1000).length).toBeLessThanOrEqual(
              restarts + 1,
            );
        },
      ),
    );
  });

  const running = (rest: Partial<ProcessRecord> = {}): ProcessRecord => ({
    ...newRecord('md'),
    phase: 'running',
    asked: 1,
    pid: 7,
    startTicks: '1',
    ...rest,
  });

  test('asked to stop, it gets its signal, then SIGKILL, and is not started again', () => {
    const process = ordered(
      'md',
      { stop: { signal: 'SIGINT', within: '2s' }, restart: { when: 'always' } },
      { goal: 'down' },
    );
    const first = supervise(process, running(), { ...QUIET, alive: true, nowMs: 10 });
    expect([first.record.phase, first.action]).toEqual(['stopping', { kind: 'signal', name: 'SIGINT' }]);
    expect(supervise(process, first.record, { ...QUIET, alive: true, nowMs: 1000 }).action).toBeUndefined();
    const second = supervise(process, first.record, { ...QUIET, alive: true, nowMs: 2020 });
    expect(second.action).toEqual({ kind: 'signal', name: 'SIGKILL' });
    expect(supervise(process, second.record, { ...QUIET, alive: true, nowMs: 9000 }).action).toBeUndefined();
    const third = supervise(process, second.record, { ...QUIET, nowMs: 9100, end: { exitCode: 137 } });
    expect([third.record.phase, third.action]).toEqual(['down', { kind: 'clear' }]);
  });

  test('it is not stopped while another one needs it', () => {
    const process = ordered('md', {}, { goal: 'down' });
    expect(supervise(process, running(), { ...QUIET, alive: true, isNeeded: true }).record.phase).toBe('running');
  });

  test('without a sign of life it is ended by SIGABRT and started again', () => {
    const process = ordered('md', { health: { watchdog: '1s' } });
    expect(supervise(process, running({ beatMs: 0 }), { ...QUIET, alive: true, nowMs: 999 }).action).toBeUndefined();
    const { record, action } = supervise(process, running({ beatMs: 0 }), { ...QUIET, alive: true, nowMs: 1001 });
    expect(action).toEqual({ kind: 'signal', name: 'SIGABRT' });
    expect(supervise(process, record, { ...QUIET, nowMs: 1100 }).record.phase).toBe('backoff');
  });

  test('threads that did not come end it', () => {
    const record = running({ phase: 'placing' });
    const facts = { ...QUIET, alive: true, placed: { failed: '0 of 1 threads "md-rx" came in time' } };
    expect(supervise(ordered('md'), record, facts)).toMatchObject({
      record: { phase: 'stopping', why: '0 of 1 threads "md-rx" came in time', startsAgain: true },
      action: { kind: 'signal' },
    });
  });

  test('one that says when it is ready does not run before', () => {
    const process = ordered('md', { ready: 'notify', readyWithin: '10s' });
    const facts = { ...QUIET, alive: true, placed: { failed: undefined } };
    expect(supervise(process, running({ phase: 'placing' }), facts).record.phase).toBe('placing');
    expect(supervise(process, running({ phase: 'placing', isReady: true }), facts).record.phase).toBe('running');
    expect(supervise(process, running({ phase: 'placing' }), { ...facts, nowMs: 15_001 }).record.phase).toBe(
      'stopping',
    );
  });

  test.each([
    [undefined, 'it ended, how is not known'],
    [{ exitCode: 7 }, 'it ended with 7'],
    [{ exitCode: 139 }, 'it was ended by SIGSEGV'],
    [{ exitCode: 203 }, 'it ended with 203: the program could not be run'],
    [{ exitCode: 180 }, 'it was ended by signal 52'],
  ])('%j', (end, text) => {
    expect(sayEnd(end)).toBe(text);
  });
});

function orderOf(processes: readonly OrderedProcess[], rest: Partial<LaunchOrder> = {}): LaunchOrder {
  const placement = {
    deployment: 'd',
    host: 'h',
    roles: '',
    processes: [],
    free: [],
    notes: [],
    missing: [],
    unknown: [],
  };
  const base = {
    engine: 'hft',
    deployment: 'd',
    file: 'd.yaml',
    profile: undefined,
    gate: 'none',
    heal: false,
  } as const;
  return { ...base, time: 'now', bootId: 'boot-1', isolated: [], housekeeping: [], placement, processes, ...rest };
}

describe('dependencies', () => {
  const md = ordered('md');
  const strategy = ordered('strategy', { requires: ['md'] });
  const monitor = ordered('monitor', { after: ['md'] });
  const order = orderOf([md, strategy, monitor]);
  const records = (phase: Phase) => new Map([['md', { ...newRecord('md'), phase }]]);

  test.each(['down', 'waiting', 'placing', 'backoff', 'broken', 'ended'] as const)('required, and %s', (phase) => {
    expect(dependencyFacts(strategy, order, records(phase)).waitsFor).toBe(`requires md, which is ${phase}`);
  });

  test('one that comes after another does not wait for what will not come', () => {
    expect(dependencyFacts(monitor, order, records('placing')).waitsFor).toBe('comes after md, which is placing');
    expect(dependencyFacts(monitor, order, records('broken')).waitsFor).toBeUndefined();
    const without = orderOf([{ ...md, goal: 'down' }, monitor]);
    expect(dependencyFacts(monitor, without, new Map()).waitsFor).toBeUndefined();
  });

  test('it is needed by those that are to stop and have not', () => {
    const down = orderOf([md, strategy].map((process) => ({ ...process, goal: 'down' as const })));
    const phases = (phase: Phase) => new Map([['strategy', { ...newRecord('strategy'), phase }]]);
    expect(dependencyFacts(md, down, phases('stopping')).isNeeded).toBe(true);
    expect(dependencyFacts(md, down, phases('down')).isNeeded).toBe(false);
  });

  test('what is asked for brings what it requires, circles included', () => {
    const requires = { a: ['b'], b: ['c'], c: ['b'], d: [] };
    const processes = Object.fromEntries(Object.entries(requires).map(([name, names]) => [name, { requires: names }]));
    expect(withRequired(['a'], processes).sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('a new order', () => {
  const known = (phase: Phase) => ({
    order: orderOf([ordered('md', {}, { asked: 3 })]),
    records: [{ ...newRecord('md'), phase, asked: 3 }],
  });

  test('leaves what runs as it is, and tries what is down again', () => {
    const order = orderOf([ordered('md', {}, { asked: 0, goal: 'down' })]);
    expect(mergeOrders(order, ['md'], known('running')).order.processes[0]).toMatchObject({ goal: 'up', asked: 3 });
    expect(mergeOrders(order, ['md'], known('broken')).order.processes[0]).toMatchObject({ goal: 'up', asked: 4 });
  });

  test('what is not asked for keeps what it had', () => {
    const order = orderOf([ordered('md', {}, { goal: 'down' }), ordered('other', {}, { goal: 'down' })]);
    expect(mergeOrders(order, [], known('running')).order.processes.map(({ goal }) => goal)).toEqual(['up', 'down']);
  });

  test.each([
    ['another definition', orderOf([ordered('md', { restart: { when: 'never' } })])],
    ['another deployment', orderOf([ordered('md')], { deployment: 'other' })],
    ['a deployment without it', orderOf([ordered('else')])],
  ])('%s is refused as long as it runs', (_, order) => {
    expect(mergeOrders(order, [], known('running')).conflicts).toHaveLength(1);
    expect(mergeOrders(order, [], known('down')).conflicts).toEqual([]);
  });
});
