import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../../src/engine/plan.ts';
import { verifyPlan } from '../../../../src/engine/verify.ts';
import type { LatencyRecord } from '../../../../src/latency/report/record.ts';
import { printNs } from '../../../../src/views/duration.ts';
import type { ReportInput } from '../../../../src/views/report/input.ts';
import { drawReport } from '../../../../src/views/report/page.ts';
import { drawTopology } from '../../../../src/views/topology-svg.ts';
import { buildMachine } from '../../../machine-builder.ts';
import { readMarkup } from './read-markup.ts';
import { FACTS, sampleRecord, withCauses } from './sample.ts';

const RECORD = sampleRecord({ cpus: [2, 3, 4], blocks: 20 });

function input(parts: Partial<ReportInput> = {}): ReportInput {
  return { time: '2026-11-21T11:00:00.000Z', version: '0.1.0', host: 'box7', facts: FACTS, latency: RECORD, ...parts };
}

const textOf = (parts: Partial<ReportInput> = {}) => readMarkup(drawReport(input(parts))).text;

describe('the page', () => {
  const topology = drawTopology(buildMachine({ host: 'box7' }), undefined);
  const page = drawReport(input({ topology, latency: { ...RECORD, result: withCauses(RECORD.result, 50) } }));
  const { text, tags } = readMarkup(page);

  test('needs nothing else: no script, no reference to another file or host', () => {
    expect(tags.filter(({ name }) => ['script', 'link', 'img', 'iframe', 'object', 'use', 'a'].includes(name))).toEqual(
      [],
    );
    const references = tags.flatMap(({ attributes }) =>
      Object.keys(attributes).filter((key) => /^(src|href|xlink:href|data|action|on\w+)$/.test(key)),
    );
    expect(references).toEqual([]);
    expect(page).not.toMatch(/url\(|@import|@font-face/);
    // The name of the namespace of SVG is no address.
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|\/\/\w/);
  });

  test('names the stages of a pipeline, and that their work is made up', () => {
    const whole = sampleRecord({ cpus: [2, 3, 4, 5, 6], blocks: 5 });
    const probes = whole.result.probes.filter(({ name }) => name === 'pipeline');
    const said = textOf({ latency: { ...whole, result: { ...whole.result, probes } } });
    expect(said).toContain('rate 100k socket, risk, CPU 4→5');
    expect(said).toContain('synthetic work, in bursts, every 10us on average');
    expect(said).toContain('work alone');
    expect(said).not.toContain('cyclictest');
  });

  test('has every row with its figures, limits and verdict', () => {
    expect(RECORD.result.probes.length).toBeGreaterThan(15);
    for (const { percentiles, variant, samples, target, verdict } of RECORD.result.probes) {
      for (const ns of Object.values(percentiles)) if (ns) expect(text).toContain(printNs(ns));
      expect(text).toContain(variant);
      expect(text).toContain(`${samples}`);
      if (target !== null) expect(text).toContain(target.name);
      if (verdict !== null) expect(text).toContain(verdict);
    }
    expect(text).toContain('redis-get This hft has no probe for redis.');
  });

  test('says in one line what came of it, and how far the host is from its profile', () => {
    expect(text).toMatch(/(FAIL|UNDECIDED) Of the limits of colo: /);
    expect(text).toContain('from which the host differed in 3 settings');
  });

  test('has the facts of the host', () => {
    const facts = [
      FACTS.bios,
      FACTS.microcode,
      FACTS.cmdline,
      FACTS.cpuModel,
      'PREEMPT_RT',
      'Enhanced IBRS',
      'rx-23 → 1',
    ];
    for (const fact of facts) expect(text).toContain(fact);
  });

  test('has the gaps with their causes and what removes them', () => {
    expect(text).toContain('91.7 % of the time that was taken is explained. Tier B: Events of the kernel');
    expect(text).toContain('timer tick');
    expect(text).toContain('isolation.cause@0');
    expect(tags.filter(({ attributes }) => attributes.class?.endsWith(' gap')).length).toBeGreaterThan(20);
  });

  test('draws a line for each variant, and each differs from the others in more than its colour', () => {
    const curves = tags.filter(({ name, attributes }) => name === 'path' && /^curve k\d$/.test(attributes.class ?? ''));
    expect(new Set(curves.map(({ attributes }) => attributes.class)).size).toBe(6);
    const dashes = [...page.matchAll(/\.curve\.k\d\s*\{stroke-dasharray:([^}]*)\}/g)].map((match) => match[1]);
    expect(new Set(dashes).size).toBe(6);
  });

  test('has each identifier once', () => {
    const ids = tags.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('a host that changed since it was measured says how it was then', () => {
  expect(textOf()).not.toContain('this was otherwise');
  const [first, ...rest] = FACTS.irqs;
  const irqs = [{ ...first, cpus: [7] }, ...rest] as typeof FACTS.irqs;
  const text = textOf({ facts: { ...FACTS, kernel: '6.12.0', microcode: null, irqs } });
  expect(text).toContain('this was otherwise: microcode: 0xd0003a5 kernel: 6.1.0-18-rt-amd64 PREEMPT_RT x86_64');
  expect(text).toContain('1 interrupt on other CPUs');
});

test('a page without a measurement says what to do', () => {
  const text = textOf({ latency: 'Not measured; run `hft verify latency`.' });
  expect(text).toContain('Not measured; run `hft verify latency`.');
  expect(text).not.toContain('Verdicts');
});

describe('causes that are not there', () => {
  const latency = (result: object) => ({ ...RECORD, result: { ...RECORD.result, ...result } }) as LatencyRecord;

  test('nobody sought them', () => {
    expect(textOf()).toContain('No causes were sought in this measurement.');
  });

  test('jitter was not measured', () => {
    const probes = RECORD.result.probes.filter(({ name }) => name !== 'jitter');
    expect(textOf({ latency: latency({ probes }) })).toContain('Jitter was not measured');
  });

  test('there was no gap', () => {
    const probes = RECORD.result.probes.map((row) => ({ ...row, samples: 0 }));
    expect(textOf({ latency: latency({ probes }) })).toContain('There was no gap to be explained.');
  });
});

describe('what was measured before', () => {
  const before = sampleRecord({ cpus: [2, 3, 4], blocks: 20, slower: 3 });
  const baseline = { name: 'before-tuning', time: before.time, result: before.result, plots: before.plots };
  const page = drawReport(input({ baseline }));
  const { text, tags } = readMarkup(page);

  test('stands beside each row, and decides nothing', () => {
    const [row, was] = [RECORD, before].map(({ result }) => result.probes.find(({ name }) => name === 'shm'));
    expect(text).toContain(`${printNs(was?.percentiles.p50 ?? 0)} → ${printNs(row?.percentiles.p50 ?? 0)}`);
    expect(text).toContain('One run before and one after prove nothing');
  });

  test('has a line of its own for each line', () => {
    const count = (kind: RegExp) => tags.filter(({ attributes }) => kind.test(attributes.class ?? '')).length;
    // Each line is drawn once and named once.
    expect(count(/^curve k/)).toBeGreaterThan(10);
    expect(count(/^before k/)).toBe(count(/^curve k/) / 2);
  });

  test('of other CPUs is the worst of the same measurement', () => {
    const moved = sampleRecord({ cpus: [5, 6, 7], blocks: 20, slower: 3 });
    const { result, plots, time } = moved;
    const shown = readMarkup(drawReport(input({ baseline: { name: 'before', time, result, plots } }))).text;
    expect(shown).toMatch(/jitter CPU 2 \(before: CPU [567]\)/);
  });

  test('needs no more than the rows of a result', () => {
    const { result, time, name } = baseline;
    const { tags: drawn } = readMarkup(drawReport(input({ baseline: { name, time, result } })));
    expect(drawn.some(({ attributes }) => attributes.class?.startsWith('before k'))).toBe(true);
  });
});

describe('text of the machine', () => {
  const hostile = fc.oneof(
    fc.string({ minLength: 1, maxLength: 30, unit: 'binary' }),
    fc.constantFrom(
      '<script>alert(1)</script>',
      '"><img src=x onerror=1>',
      "' onload='",
      ']]>',
      '</style>',
      '&lt;',
      '-->',
    ),
  );

  test('stays text, whatever it is', () => {
    fc.assert(
      fc.property(hostile, (name) => {
        const [first, ...rest] = RECORD.result.probes.slice(0, 4) as [LatencyRecord['result']['probes'][number]];
        const row = { ...first, variant: name, notAvailable: { p99: name }, target: { name, p50: 5000 } };
        const result = withCauses({ ...RECORD.result, host: name, probes: [row, ...rest] }, 4);
        const page = drawReport(
          input({
            host: name,
            facts: {
              ...FACTS,
              host: name,
              cmdline: name,
              bios: name,
              mitigations: { [name]: name },
              irqs: [{ name, cpus: [1], managed: false }],
            },
            latency: {
              ...RECORD,
              plots: {
                ...RECORD.plots,
                series: RECORD.plots.series.slice(0, 2).map((each) => ({ ...each, variant: name })),
              },
              result: {
                ...result,
                gaps: [{ cpu: 1, atS: 1, durationNs: 2000, cause: name }],
                disturbances: [{ cause: name, count: 1, totalNs: 1, maxNs: 1, fix: name }],
                notMeasured: [{ probe: name, variant: name, target: null, reason: name, need: name, isLeftOut: false }],
              },
            },
            settings: name,
          }),
        );
        const { tags } = readMarkup(page);
        expect(tags.some(({ name: tagName }) => tagName === 'script' || tagName === 'img')).toBe(false);
        expect(tags.some(({ attributes }) => Object.keys(attributes).some((key) => key.startsWith('on')))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('is there as it was written', () => {
    const cmdline = 'quiet note="<b>&amp;</b>" \'x\'';
    expect(textOf({ facts: { ...FACTS, cmdline } })).toContain(cmdline);
  });
});

test('a disturbance says what belongs to it alone: page faults, and the threads that throttling let run', () => {
  const noise = { count: 3, totalNs: 3000, maxNs: 2000 };
  const disturbances = [
    { ...noise, cause: 'page-faulter', pageFaults: 16000, letRun: [], fix: null, advice: 'Lock its memory.' },
    {
      ...noise,
      cause: 'RT throttling',
      pageFaults: null,
      letRun: ['logger', 'cron'],
      fix: 'kernel.realtime',
      advice: null,
    },
  ];
  const text = textOf({ latency: { ...RECORD, result: { ...withCauses(RECORD.result, 5), disturbances } } });
  expect(text).toContain('page-faulter (16000 page faults)');
  expect(text).toContain('Lock its memory.');
  expect(text).toMatch(/kernel\.realtime\s+It let run: logger, cron\./);
});

test('the page of hundreds of CPUs, a day, and a hundred thousand gaps stays below 2 MB', () => {
  const many = <T>(list: readonly T[], count: number, change: (each: T, index: number) => T = (each) => each): T[] =>
    Array.from({ length: count }, (_, index) => change(list[index % list.length] as T, index));
  const { result, plots } = RECORD;
  const cpus = Array.from({ length: 192 }, (_, cpu) => cpu);
  const maxNs = Array.from({ length: 300 }, (_, step) => 1000 + step * 7919);
  const setting = {
    id: 'irq.affinity@ens1f0/rx-1',
    value: '0-1',
    why: 'An interrupt on an isolated CPU stops what runs there.',
  };
  const change = {
    setting,
    domain: 'irq',
    current: '0-191',
    desired: '0-1',
    disruption: 'none',
    takesEffect: 'now',
    evidence: '/proc/irq/1',
  };
  const plan = {
    ...{ profile: 'colo', host: 'box7', layout: { housekeeping: '0-1', irq: '', isolated: '2-191' } },
    ...{ changes: many([change], 5000), satisfied: [], refused: [], unread: [], kept: [], reboot: false },
  } as unknown as Plan;
  const page = drawReport(
    input({
      topology: drawTopology(buildMachine({ packages: 2, coresPerPackage: 96 }), undefined),
      settings: { plan, verification: verifyPlan(plan) },
      facts: {
        ...FACTS,
        irqs: many(FACTS.irqs, 4000, (irq, index) => ({ ...irq, name: `ens${index % 8}/rx-${index}` })),
      },
      baseline: { name: 'before', time: RECORD.time, result, plots },
      latency: {
        ...RECORD,
        plots: {
          series: many(plots.series, 300, (series, index) => ({
            ...series,
            variant: `variant ${index % 50}`,
            maxima: { stepS: 288, maxNs },
          })),
          matrices: [{ variant: '', cpus, medianNs: cpus.map((row) => cpus.map((column) => row * column + 50)) }],
        },
        result: {
          ...withCauses(result, 100_000),
          probes: many(result.probes, 20_000, (row, index) => ({ ...row, cpus: [index] })),
        },
      },
    }),
  );
  expect(Buffer.byteLength(page)).toBeLessThan(2_000_000);
  expect(readMarkup(page).text).toMatch(/more are in --json/);
});
