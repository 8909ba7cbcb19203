import { expect, test } from 'vitest';
import type { LatencyRow } from '../../../../src/latency/report/row.ts';
import { viewRows } from '../../../../src/views/latency-table.ts';

/** How a round trip and its parts stand in the table. */
const NOTHING = { p50: null, p99: null, 'p99.9': null, 'p99.99': null };
const NO_BOUNDS = { lower: 0, upper: null };

function row(part: string, changes: Partial<LatencyRow> = {}): LatencyRow {
  return {
    name: 'network',
    synthetic: false,
    variant: 'udp 64 B spin 10.0.0.7:17707',
    part,
    software: null,
    server: null,
    peer: {
      address: '10.0.0.7:17707',
      wait: 'spin',
      cpu: 3,
      version: '0.1.0',
      isSameKernel: false,
      isPastKernel: false,
      timestamps: 'kernel',
    },
    split: part !== 'udp',
    cpus: [2],
    direction: 'round-trip',
    payloadBytes: 64,
    pacing: { kind: 'periodic', periodNs: 100_000 },
    load: 'none',
    loadAchieved: null,
    wait: 'spin',
    policy: 'other',
    rule: 'open',
    quantity: 'latency',
    samples: 1000,
    durationS: 10,
    percentiles: { ...NOTHING, p50: 12_000, max: 90_000 },
    interval: { p50: NO_BOUNDS, p99: NO_BOUNDS, 'p99.9': NO_BOUNDS, 'p99.99': NO_BOUNDS },
    judgements: NOTHING,
    notAvailable: {},
    target: null,
    verdict: null,
    notJudged: null,
    unit: 'ns',
    floorNs: 20,
    unseenPerSecondMax: 0,
    gaps: null,
    beside: null,
    ...changes,
  };
}

const lines = (rows: readonly LatencyRow[], columns = 110) => viewRows(rows, { columns, color: false }).split('\n');

test('parts stand below their round trip, each in a line, those with a limit behind them', () => {
  const limited = row('udp-wire', { target: { name: 'wire', p50: 9000 }, verdict: 'fail' });
  const shown = lines([row('udp'), limited, row('udp-send'), row('udp-there', { direction: 'one-way' })]);
  expect(shown.map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
    'P50',
    'network',
    'CPU 2',
    'to send',
    'one way, there',
    '',
    'network',
    'CPU 2',
    'at most',
  ]);
  expect(shown[1]).toContain('udp, round trip, 64 B, every 100us, spin, to 10.0.0.7:17707, which spins on its CPU 3');
  expect(shown[6]).toContain('udp-wire');
});

test('another variant is a group of its own', () => {
  const tcp = { variant: 'tcp 64 B spin 10.0.0.7:17707' };
  const shown = lines([row('udp'), row('udp-send'), row('tcp', { ...tcp, split: false }), row('tcp-send', tcp)]);
  expect(shown.filter((line) => line.includes('to send'))).toHaveLength(2);
  expect(shown[4]).toBe('');
  expect(shown[5]).toContain('tcp, round trip');
});

test('a row that was kept by an older hft has neither peer nor parts', () => {
  const { peer: _, split: __, ...old } = row('udp');
  expect(lines([old as LatencyRow])[1]).toContain('network');
});

test('keeps to 80 columns', () => {
  expect(lines([row('udp'), row('udp-card-wire')], 80).filter((line) => line.length > 80)).toEqual([]);
});
