import { describe, expect, test } from 'vitest';
import type { Artefact } from '../../../src/latency/attribution/artefacts.ts';
import type { Attribution } from '../../../src/latency/attribution/attribute.ts';
import type { Cause } from '../../../src/latency/attribution/cause.ts';
import { jitter } from '../../../src/latency/jitter/jitter.ts';
import type { Probe } from '../../../src/latency/probe/probe.ts';
import { listCauses } from '../../../src/latency/report/disturbances.ts';
import { listFixes } from '../../../src/latency/report/fixes.ts';
import type { Outcome } from '../../../src/latency/report/result.ts';
import { wakeup } from '../../../src/latency/wakeup/wakeup.ts';
import { viewArtefacts, viewCauses } from '../../../src/views/latency-causes.ts';
import { jitterRun } from './jitter-run.ts';

const cause = (more: Partial<Cause>): Cause => ({
  cause: 'timer tick',
  kind: 'timer',
  cpu: 2,
  count: 1000,
  totalNs: 2e6,
  maxNs: 9000,
  explained: true,
  fix: 'isolation.nohz_full',
  advice: 'The tick stops while one thread alone is runnable on the CPU.',
  ...more,
});

const outside = { cause: 'outside the kernel, unproven', kind: 'outside-kernel', explained: false } as const;
const fair: Artefact = {
  kind: 'fair-server',
  cpu: 2,
  text: 'CPU 2: gaps of about 50 ms.',
  fix: 'kernel.fair_server@isolated',
};

const TRACED: Attribution = {
  tier: 'B',
  clock: 'x86-tsc',
  why: 'ftrace says when what had the CPU, by the same clock as the gaps.',
  missed: [{ tier: 'A', reason: 'The kernel is built without CONFIG_OSNOISE_TRACER.' }],
  causes: [
    cause({}),
    cause({ cpu: 3, count: 500, totalNs: 1e6, maxNs: 30_000 }),
    { ...cause({ ...outside, count: 20, totalNs: 4e5 }), fix: undefined, advice: undefined } as unknown as Cause,
    ...Array.from({ length: 8 }, (_, at) =>
      cause({
        cause: `ens1f0/rx-${at}`,
        kind: 'irq',
        count: 1,
        totalNs: 1000 - at,
        fix: `irq.affinity@ens1f0/rx-${at}`,
        advice: undefined as never,
      }),
    ),
  ],
  candidates: [
    {
      cause: 'CPU 6, of the same core',
      kind: 'smt-sibling',
      cpu: 2,
      count: 7,
      evidence: '/proc/schedstat cpu6 +7 timeslices',
      fix: 'cpu.online@cpu6',
    },
  ],
  artefacts: [fair],
  gaps: [{ cpu: 2, startNs: 1.5e9, durationNs: 30_000.4, cause: 'timer tick' }],
  explainedFraction: 0.75,
  stolenNs: 4e6,
  explainedNs: 3e6,
  unexplained: { outsideKernelNs: 4e5, besideCausesNs: 5e5, notRecordedNs: 1e5, unlistedNs: 0 },
};

const COUNTED: Attribution = {
  ...TRACED,
  tier: 'C',
  why: 'Counters before and after say what happened, not when: candidates, no verdicts.',
  missed: (['A', 'B'] as const).map((tier) => ({
    tier,
    reason: 'Cannot list /sys/kernel/tracing: EACCES: tracing needs root.',
  })),
  causes: [],
  candidates: [
    {
      cause: 'timer tick',
      kind: 'timer',
      cpu: 2,
      count: 2500,
      evidence: '/proc/interrupts LOC +2500',
      fix: 'isolation.nohz_full',
    },
  ],
  artefacts: [],
  explainedFraction: 0,
  explainedNs: 0,
};

function outcome(probe: Probe, attribution: Attribution, seeksCauses: boolean): Outcome {
  const variant = { name: '', cpus: [2], spins: true, policy: 'other', options: {} } as const;
  const measured = { status: 'measured', run: jitterRun(30_000, { startNs: 1e9 }), attribution } as const;
  return { probe, variant, measured, seeksCauses, startedEpochS: 0 };
}

const listed = (attribution: Attribution) => listCauses([outcome(jitter, attribution, true)]);

describe('the causes of a result', () => {
  test('are of all CPUs, the longest total first', () => {
    const [first, second] = listed(TRACED).disturbances;
    expect(first).toEqual({
      cause: 'timer tick',
      kind: 'timer',
      cpus: [2, 3],
      count: 1500,
      totalNs: 3e6,
      maxNs: 30_000,
      explained: true,
      fix: 'isolation.nohz_full',
      advice: 'The tick stops while one thread alone is runnable on the CPU.',
      pageFaults: null,
      letRun: [],
    });
    expect(second).toMatchObject({ ...outside, fix: null, advice: null });
  });

  test('have the largest gaps since measuring began, not since the clock did', () => {
    expect(listed(TRACED).gaps).toEqual([{ cpu: 2, atS: 0.5, durationNs: 30_000, cause: 'timer tick' }]);
  });

  test('are those of the run in which they were sought; the others have their artefacts', () => {
    const found = listCauses([outcome(wakeup, { ...TRACED, tier: 'C' }, false), outcome(jitter, COUNTED, true)]);
    expect(found).toMatchObject({ explainedFraction: 0, attribution: { tier: 'C' }, disturbances: [] });
    expect(found.artefacts).toEqual([{ ...fair, probe: 'wakeup', variant: '' }]);
  });

  test('are none where none were sought', () => {
    const nothing = { disturbances: [], explainedFraction: null, attribution: null, gaps: [], artefacts: [] };
    expect(listCauses([])).toEqual(nothing);
    expect(viewCauses(nothing, { columns: 80, color: false })).toBe('');
    expect(viewArtefacts(nothing, { columns: 80, color: false })).toBe('');
  });

  test('name the settings that remove them, of candidates and artefacts too, each once', () => {
    const fixes = listFixes(listed(TRACED));
    expect(fixes[0]).toEqual({ id: 'isolation.nohz_full', causes: ['timer tick'] });
    expect(fixes.map(({ id }) => id).slice(-2)).toEqual(['cpu.online@cpu6', 'kernel.fair_server@isolated']);
    expect(fixes).toHaveLength(1 + 8 + 2);
  });
});

describe('as text', () => {
  const textOf = (attribution: Attribution, columns: number) => {
    const terminal = { columns, color: false };
    return `${viewCauses(listed(attribution), terminal)}\n\n${viewArtefacts(listed(attribution), terminal)}\n`;
  };

  test.each([80, 200])('%i columns', async (columns) => {
    const text = `${textOf(TRACED, columns)}\n${textOf(COUNTED, columns)}`;
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(columns);
    await expect(text).toMatchFileSnapshot(`recorded/causes-${columns}.txt`);
  });
});
