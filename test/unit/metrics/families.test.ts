import { describe, expect, test } from 'vitest';
import type { Judged } from '../../../src/launch/judged.ts';
import { newRecord, type ProcessRecord } from '../../../src/launch/supervision.ts';
import { printFamilies } from '../../../src/metrics/exposition.ts';
import { driftFamilies, NAMED_SETTINGS_MAX, settingsFamilies } from '../../../src/metrics/host-families.ts';
import { latencyFamilies, ROWS_OF_VARIANT_MAX } from '../../../src/metrics/latency-families.ts';
import { processFamilies } from '../../../src/metrics/process-families.ts';
import { repeatedIn } from '../../prometheus/exposed.ts';
import { sampleRecord } from '../views/report/sample.ts';

const MEASURED_MS = Date.parse('2026-11-21T10:30:00.000Z');

function valuesOf(text: string, start: string): number[] {
  const lines = text.split('\n').filter((line) => line.startsWith(start));
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}

/** Samples are made up for every probe, on a machine that does other things. */
const TIME_LIMIT_MS = 600_000;

describe('latency', { timeout: TIME_LIMIT_MS }, () => {
  const record = sampleRecord();
  const text = printFamilies(latencyFamilies(record, MEASURED_MS + 90_000));

  test('says how old it is by the clock of the host', () => {
    expect(valuesOf(text, 'hft_latency_measurement_age_seconds ')).toEqual([90]);
    const early = printFamilies(latencyFamilies(record, MEASURED_MS - 5_000));
    expect(valuesOf(early, 'hft_latency_measurement_age_seconds ')).toEqual([0]);
  });

  test('has the figures of the measurement in seconds, and no series twice', () => {
    const row = record.result.probes.find(({ name, percentiles }) => name === 'wakeup' && percentiles.p99 !== null);
    const start = `hft_latency_seconds{probe="wakeup",variant="${row?.variant}",part="",cpus="${row?.cpus.join()}",load="none",percentile="99"}`;
    expect(valuesOf(text, start)[0]).toBeCloseTo((row?.percentiles.p99 ?? 0) / 1e9, 12);
    expect(repeatedIn(text)).toEqual([]);
  });

  test('a distribution grows, and ends with all samples', () => {
    const series = new Map<string, number[]>();
    for (const line of text.split('\n').filter((each) => each.startsWith('hft_latency_distribution_ratio'))) {
      const [labels = '', value] = line.split(/,up_to="[^"]+"\} /);
      series.set(labels, [...(series.get(labels) ?? []), Number(value)]);
    }
    expect(series.size).toBeGreaterThan(5);
    for (const shares of series.values()) {
      expect(shares).toEqual([...shares].sort((one, other) => one - other));
      expect(shares.at(-1)).toBeGreaterThan(0.98);
      expect(shares.at(-1)).toBeLessThanOrEqual(1);
    }
  });

  test('of a variant with a row for each pair of CPUs the slowest are told, and how many are not', () => {
    const large = sampleRecord({ cpus: Array.from({ length: 12 }, (_, cpu) => cpu), blocks: 10 });
    const pairs = large.result.probes.filter(({ name }) => name === 'core-to-core');
    const all = printFamilies(latencyFamilies(large, MEASURED_MS));
    const told = valuesOf(all, 'hft_latency_samples{probe="core-to-core"');
    expect(told.length).toBe(ROWS_OF_VARIANT_MAX * new Set(pairs.map(({ variant }) => variant)).size);
    expect(pairs.length).toBeGreaterThan(2 * told.length);
    const measured = new Set(
      large.result.probes.map(({ name, variant, part, cpus, load }) => [name, variant, part, cpus, load].join()),
    ).size;
    expect(valuesOf(all, 'hft_latency_rows_left_out ')[0]).toBeGreaterThanOrEqual(
      measured - valuesOf(all, 'hft_latency_samples{').length,
    );
    // Too few samples for a percentile: then the longest counts.
    const longestNs = Math.max(...pairs.map(({ percentiles }) => percentiles.max ?? 0));
    const longestS = Math.max(...valuesOf(all, 'hft_latency_max_seconds{probe="core-to-core"'));
    expect(longestNs).toBeGreaterThan(0);
    expect(longestS).toBeCloseTo(longestNs / 1e9, 12);
  });
});

describe('settings', () => {
  test('every answer of a domain is there, 0 too: an alert on it ends', () => {
    const results = [
      { id: 'a', domain: 'irq', status: 'pending-reboot' },
      { id: 'b', domain: 'irq', status: 'fail' },
    ] as const;
    const lines = printFamilies(settingsFamilies({ results, notRead: 3 })).split('\n');
    for (const line of [
      'hft_settings{domain="irq",status="pass"} 0',
      'hft_settings{domain="irq",status="fail"} 1',
      'hft_settings{domain="irq",status="pending_reboot"} 1',
      'hft_settings{domain="irq",status="unsupported"} 0',
      'hft_settings{domain="irq",status="unknown"} 0',
      'hft_setting_differs{id="b",domain="irq"} 1',
      'hft_settings_not_read 3',
    ])
      expect(lines).toContain(line);
  });

  test('a thousand that drifted are counted, and a hundred named', () => {
    const settings = Array.from({ length: 1000 }, (_, index) => ({ id: `irq.affinity@x/${index}` }));
    const text = printFamilies(driftFamilies({ settings }));
    expect(valuesOf(text, 'hft_drifted_settings ')).toEqual([1000]);
    expect(valuesOf(text, 'hft_drifted_setting{').length).toBe(NAMED_SETTINGS_MAX);
  });
});

describe('processes', () => {
  const rowOf = (name: string, changed: Partial<ProcessRecord>) => ({
    ...{ record: { ...newRecord(name), ...changed }, isAdopted: false, threads: [], nodes: undefined },
    ...{ lockedBytes: undefined, swapBytes: undefined, residentBytes: 4096 },
    bypass: undefined,
  });
  const judge = (id: string, domain: string, status: Judged['status']) => ({
    ...{ id, domain, status, expected: null, actual: null, evidence: '' },
  });

  test('what is down, broken, elsewhere and disturbed is told apart', () => {
    const text = printFamilies(
      processFamilies({
        ...{ deployment: 'desk', gate: 'verify', supervised: false, wanted: ['md', 'om'] },
        rows: [rowOf('md', { phase: 'running', restarts: 2 }), rowOf('om', { phase: 'broken' }), rowOf('old', {})],
        judged: [
          judge('processes.cpus@md/rx', 'md', 'fail'),
          judge('processes.cpus@md/tx', 'md', 'pass'),
          judge('processes.faults@md/rx', 'md', 'pass'),
          judge('processes.running@om', 'om', 'fail'),
          judge('processes.ticks@cpu3', 'CPUs', 'fail'),
        ],
      }),
    );
    for (const line of [
      'hft_supervisor_up 0',
      'hft_process_wanted{process="old"} 0',
      'hft_process_up{process="md"} 1',
      'hft_process_up{process="om"} 0',
      'hft_process_restarts_total{process="md"} 2',
      'hft_process_restarts_total{process="om"} 0',
      'hft_process_breaker_open{process="om"} 1',
      'hft_process_phase{process="om",phase="broken"} 1',
      'hft_process_threads{process="md",state="in_place"} 1',
      'hft_process_threads{process="md",state="elsewhere"} 1',
      'hft_process_findings{process="md",check="processes.faults"} 0',
      'hft_process_findings{process="om",check="processes.running"} 1',
      'hft_exclusive_cpu_findings{check="processes.ticks"} 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(repeatedIn(text)).toEqual([]);
  });
});
