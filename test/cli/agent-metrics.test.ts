import { chmodSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exposedIn, repeatedIn } from '../prometheus/exposed.ts';
import { queriesOf, readDashboards, readRules } from '../prometheus/files.ts';
import { type Uses, usesOf } from '../prometheus/promql.ts';
import { hasPromtool, promtool } from '../prometheus/promtool.ts';
import { buildWhenStale } from './run-hft.ts';
import { ScrapedAgent } from './scraped-agent.ts';

const TIME_LIMIT_MS = 600_000;
const agent = new ScrapedAgent();
let text = '';

beforeAll(async () => {
  buildWhenStale();
  text = await agent.begin();
}, TIME_LIMIT_MS);

afterAll(() => agent.stop(), TIME_LIMIT_MS);

describe('/metrics of an agent', { timeout: TIME_LIMIT_MS }, () => {
  test('tells what is in force, and what is not so any more', () => {
    for (const line of [
      'hft_profile_info{profile="sample",run="r1"} 1',
      'hft_drifted_settings 1',
      'hft_drifted_setting{id="sample.file@drifted"} 1',
      'hft_settings{domain="memory",status="fail"} 1',
      'hft_setting_differs{id="memory.sysctl@vm.swappiness",domain="memory"} 1',
      'hft_trial_boot_state{state="none"} 1',
      'hft_cut_off_runs 0',
      'hft_confirmation_deadline_timestamp_seconds 2110788000',
    ])
      expect(text.split('\n')).toContain(line);
  });

  test('has the last measurement, with its limits', () => {
    expect(text).toMatch(
      /^hft_latency_seconds\{probe="wakeup",variant="[^"]+",part="",cpus="\d",load="none",percentile="99"\} 0\.0+\d+$/m,
    );
    expect(text).toMatch(/^hft_latency_target_seconds\{.*percentile="99",target="wakeup"\} 0.000005$/m);
    expect(text).toMatch(/^hft_latency_distribution_ratio\{.*up_to="[^"]+"\} 1$/m);
    expect(Number(/^hft_latency_measurement_age_seconds (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  });

  test('has what was launched, and whether it is where it was placed', () => {
    for (const line of [
      'hft_deployment_info{deployment="mine",gate="none"} 1',
      'hft_supervisor_up 1',
      'hft_process_up{process="md"} 1',
      'hft_process_wanted{process="md"} 1',
      'hft_process_restarts_total{process="md"} 0',
      'hft_process_breaker_open{process="md"} 0',
      'hft_process_threads{process="md",state="elsewhere"} 0',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toMatch(/^hft_process_threads\{process="md",state="in_place"\} [1-9]/m);
  });

  test('has what the agent costs', () => {
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'hft_agent_wakeups_total'])
      expect(Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])).toBeGreaterThan(0);
  });

  test('says no series twice', () => {
    expect(repeatedIn(text)).toEqual([]);
  });

  test.skipIf(!hasPromtool)('has nothing that promtool finds fault with', () => {
    const { status, said } = promtool(['check', 'metrics'], `${text}${agent.sampled(text)}`);
    // Of others, whose names dashboards know: they have their units as linuxptp-daemon wrote them.
    expect([status === null, said.split('\n').filter((line) => !/^(openshift_ptp_|$)/.test(line))]).toEqual([
      false,
      [],
    ]);
  });

  test('counts frames that are none', async () => {
    await fetch(`http://${agent.name}`).catch(() => undefined);
    await agent.asController('hft status --host BOX');
    while (!/^hft_agent_requests_total\{outcome="answered"\} [1-9]/m.test(await agent.scrapeUntil('hft_build_info')))
      await sleep(200);
  });
});

describe('/healthz of an agent', { timeout: TIME_LIMIT_MS }, () => {
  test('is a line of JSON', async () => {
    const answer = await fetch(`${agent.url}/healthz`);
    expect([answer.status, await answer.text()]).toEqual([200, '{"status":"ok"}\n']);
  });

  test('is 503 while nobody gets in, with the reason', async () => {
    const file = agent.hostFile('authorized_controllers');
    const before = readFileSync(file, 'utf8');
    chmodSync(file, 0o666);
    try {
      const answer = await fetch(`${agent.url}/healthz`);
      expect([answer.status, await answer.json()]).toEqual([
        503,
        { status: 'unhealthy', reasons: [expect.stringMatching(/^no controller gets in: .*authorized_controllers/)] },
      ]);
      expect(readFileSync(file, 'utf8')).toBe(before);
    } finally {
      chmodSync(file, 0o600);
    }
    expect((await fetch(`${agent.url}/healthz`)).status).toBe(200);
  });
});

describe('the log of an agent', () => {
  test('is an object a line, with its time, level and event', () => {
    const lines = agent.log.trimEnd().split('\n');
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        level: expect.stringMatching(/^(error|warning|info)$/),
        event: expect.any(String),
      });
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(
      expect.arrayContaining(['listening', 'metrics-listening']),
    );
  });
});

describe('rules and dashboards', () => {
  /** Prometheus itself gives each series these. */
  const TARGET = ['job', 'instance'];

  /** The labels of every name that there is, rules included. */
  function known(): Map<string, Set<string>> {
    const all = exposedIn(`${text}${agent.sampled(text)}`);
    for (const labels of all.values()) for (const label of TARGET) labels.add(label);
    all.set('up', new Set(TARGET));
    all.set('ALERTS', new Set([...TARGET, 'alertname', 'alertstate', 'severity']));
    for (const { record, expr } of readRules()) if (record !== undefined) all.set(record, labelsIn(usesOf(expr), all));
    return all;
  }

  function labelsIn({ metrics }: Uses, all: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
    return new Set(metrics.flatMap(({ name }) => [...(all.get(name) ?? [])]));
  }

  /** What of an expression is not there. */
  function missingIn(expr: string, named: readonly string[], all: ReadonlyMap<string, ReadonlySet<string>>): string[] {
    const uses = usesOf(expr);
    const names = uses.metrics.filter(({ name }) => !all.has(name)).map(({ name }) => name);
    const labels = uses.metrics.flatMap(({ name, labels: own }) =>
      own.filter((label) => all.get(name)?.has(label) === false).map((label) => `${name}{${label}}`),
    );
    const there = labelsIn(uses, all);
    return [...names, ...labels, ...[...uses.grouped, ...named].filter((label) => !there.has(label))];
  }

  test('a name or a label that is not there is found', () => {
    const all = new Map([['a_total', new Set(['cpu', 'job'])]]);
    expect(missingIn('sum by (cpu) (rate(a_total{cpu="3"}[5m])) > 1e-6 and on (job) a_total', ['cpu'], all)).toEqual(
      [],
    );
    expect(missingIn('rate(b_total[5m])', [], all)).toEqual(['b_total']);
    expect(missingIn('a_total{kind=~"x|y"}', [], all)).toEqual(['a_total{kind}']);
    expect(missingIn('max by (kind) (a_total) or vector(0)', ['node'], all)).toEqual(['kind', 'node']);
    expect(missingIn('count(nothing > 0) or vector(0)', [], all)).toEqual(['nothing']);
  });

  test('rules use what an agent exposes', () => {
    const all = known();
    const found = readRules().map(({ record, alert, expr, annotations }) => {
      const named = [
        ...Object.values(annotations ?? {})
          .join(' ')
          .matchAll(/\$labels\.(\w+)/g),
      ];
      return {
        rule: record ?? alert,
        missing: missingIn(
          expr,
          named.map((match) => match[1] as string),
          all,
        ),
      };
    });
    expect(found.length).toBeGreaterThan(40);
    expect(found.filter(({ missing }) => missing.length > 0)).toEqual([]);
  });

  test('dashboards use what an agent exposes', () => {
    const all = known();
    const queries = readDashboards().flatMap(queriesOf);
    expect(queries.length).toBeGreaterThan(80);
    const found = queries.map(({ where, expr, named }) => ({ where, missing: missingIn(expr, named, all) }));
    expect(found.filter(({ missing }) => missing.length > 0)).toEqual([]);
  });

  test('what an agent exposes is used', () => {
    const used = new Set(
      [
        ...readRules().map(({ expr }) => expr),
        ...readDashboards()
          .flatMap(queriesOf)
          .map(({ expr }) => expr),
      ].flatMap((expr) => usesOf(expr).metrics.map(({ name }) => name)),
    );
    // For who has dashboards of linuxptp-daemon; and for every dashboard of processes.
    const forOthers = ['openshift_ptp_offset_ns', 'openshift_ptp_delay_ns', 'process_start_time_seconds'];
    const unused = [...exposedIn(`${text}${agent.sampled(text)}`).keys()].filter((name) => !used.has(name));
    expect(unused.sort()).toEqual(forOthers.sort());
  });

  test('panels have a place of their own, and dashboards a name', () => {
    const dashboards = readDashboards();
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
    for (const { panels } of dashboards) {
      const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
      );
      expect(new Set(places).size).toBe(places.length);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    }
  });
});
