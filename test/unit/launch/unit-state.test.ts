import { describe, expect, test } from 'vitest';
import type { LaunchOrder, OrderedProcess } from '../../../src/launch/order.ts';
import { deploymentWanted } from '../../../src/launch/schema.ts';
import { parseUnits, recordOfUnit, type UnitFacts } from '../../../src/launch/unit-state.ts';

function process(wish: object = {}, goal: OrderedProcess['goal'] = 'up'): OrderedProcess {
  const wanted = deploymentWanted.parse({ processes: { md: { command: ['/opt/md'], ...wish } } }).processes.md;
  if (wanted === undefined) throw new Error('no process');
  return { name: 'md', goal, asked: 3, start: [], check: undefined, threads: [], wanted };
}

const ORDER = { refused: undefined } as LaunchOrder;

/** A unit that has started, as systemctl shows it. */
const STARTED: UnitFacts = {
  LoadState: 'loaded',
  Result: 'success',
  ExecMainStartTimestampMonotonic: '5000',
  MainPID: '0',
  NRestarts: '0',
  // So it is shown where there is none.
  Job: '',
};

function judge(facts: UnitFacts, wish?: object, order = ORDER) {
  const { phase, why } = recordOfUnit(process(wish), { ...STARTED, ...facts }, { order, startTicks: '1' });
  return why === undefined ? phase : `${phase}: ${why}`;
}

test('what systemctl shows of several units', () => {
  const text = 'Id=a.service\nActiveState=active\nMainPID=7\n\nId=b.service\nActiveState=inactive\nJob=\n';
  expect([...parseUnits(text)]).toEqual([
    ['a.service', { Id: 'a.service', ActiveState: 'active', MainPID: '7' }],
    ['b.service', { Id: 'b.service', ActiveState: 'inactive', Job: '' }],
  ]);
});

describe('a unit in the words of the supervisor', () => {
  test('that runs', () => {
    const unit = { ...STARTED, ActiveState: 'active', SubState: 'running', MainPID: '77', NRestarts: '2' };
    expect(recordOfUnit(process(), unit, { order: ORDER, startTicks: '9' })).toMatchObject({
      phase: 'running',
      pid: 77,
      startTicks: '9',
      restarts: 2,
      asked: 3,
      lastEnd: undefined,
    });
  });

  test.each([
    [
      'activating',
      'auto-restart',
      'backoff: what comes before its start failed: see `journalctl -u hft-trading-md.service`',
    ],
    [
      'failed',
      'failed',
      'broken: what comes before its start failed: see `journalctl -u hft-trading-md.service`; started 6 times within 60 s, and stays down',
    ],
  ])('%s (%s) of one that never started', (ActiveState, SubState, expected) => {
    expect(judge({ ActiveState, SubState, Result: 'exit-code', ExecMainStartTimestampMonotonic: '0' })).toBe(expected);
  });

  test.each([
    ['activating', 'start', 'starting'],
    ['activating', 'start-post', 'placing'],
    ['activating', 'condition', 'waiting: requires feed'],
    ['activating', 'auto-restart', 'backoff: it ended with 7'],
    ['deactivating', 'stop-sigterm', 'stopping'],
    ['inactive', 'dead', 'ended: it ended with 7'],
  ])('%s (%s)', (ActiveState, SubState, expected) => {
    const ended = { ExecMainCode: '1', ExecMainStatus: '7', Result: 'exit-code' };
    expect(judge({ ActiveState, SubState, ...ended }, { requires: ['feed'] })).toBe(expected);
  });

  test.each([
    ['exit-code', '1', '203', 'it ended with 203: the program could not be run'],
    ['signal', '2', '9', 'it was ended by SIGKILL'],
    ['core-dump', '3', '11', 'it was ended by SIGSEGV'],
    ['watchdog', '3', '6', 'it did not say that it lives in time'],
    ['timeout', '2', '9', 'it was not ready within 30 s, or did not end in time'],
    ['exit-code', '2', '15', 'its threads could not be placed: see `journalctl -u hft-trading-md.service`'],
    ['resources', '0', '0', 'systemd could not set it up: see `journalctl -u hft-trading-md.service`'],
  ])('that failed by %s (%s, %s) until its breaker', (Result, ExecMainCode, ExecMainStatus, end) => {
    const failed = { ActiveState: 'failed', Result, ExecMainCode, ExecMainStatus };
    expect(judge(failed)).toBe(`broken: ${end}; started 6 times within 60 s, and stays down`);
    expect(judge(failed, { restart: { when: 'never' } })).toBe(`ended: ${end}`);
  });

  test('the restart that the breaker refused does not count', () => {
    const unit = { ...STARTED, ActiveState: 'failed', Result: 'exit-code', ExecMainCode: '1', NRestarts: '3' };
    expect(recordOfUnit(process(), unit, { order: ORDER, startTicks: undefined }).restarts).toBe(2);
  });

  test.each([
    ['was refused by the gate', { ActiveState: 'inactive' }, 'down: not fit', { refused: 'not fit' }],
    ['is masked', { ActiveState: 'inactive', LoadState: 'masked' }, 'down: somebody masked hft-trading-md.service', {}],
    ['is not there', { ActiveState: 'inactive', LoadState: 'not-found' }, /^down: its unit .* is not there$/, {}],
    ['has a job', { ActiveState: 'inactive', Job: '12' }, 'starting: systemd has something to do before', {}],
    ['waits', { ActiveState: 'inactive', Result: 'exec-condition' }, 'waiting: requires feed, which did not run', {}],
    ['never started', { ActiveState: 'inactive', ExecMainStartTimestampMonotonic: '0' }, /was not started/, {}],
    ['is not known', {}, 'down: systemd says nothing of hft-trading-md.service', {}],
  ] as const)('that %s', (_, facts, expected, order) => {
    expect(judge(facts, { requires: ['feed'] }, { ...ORDER, ...order } as LaunchOrder)).toMatch(expected);
  });

  test.each(['inactive', 'failed'])('that nobody wants any more and is %s is down', (ActiveState) => {
    const unit = { ...STARTED, ActiveState, Result: 'signal', ExecMainCode: '2', ExecMainStatus: '9' };
    const record = recordOfUnit(process({}, 'down'), unit, { order: ORDER, startTicks: undefined });
    expect(record).toMatchObject({ phase: 'down', why: undefined, lastEnd: 'it was ended by SIGKILL' });
  });
});
