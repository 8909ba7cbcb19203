import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { feedPattern, printFeedPattern } from '../../../scripts/feed-pattern.ts';
import { measureOn } from '../../../src/cli/latency.ts';
import { requirePattern } from '../../../src/cli/latency-pattern.ts';
import { complainOfPattern } from '../../../src/latency/pipeline/pattern.ts';
import { pipeline } from '../../../src/latency/pipeline/pipeline.ts';
import { oneOfEachCore } from '../../../src/latency/probe/choose-cpus.ts';
import { FrameReader } from '../../../src/latency/probe/frames.ts';
import { type Measured, measure } from '../../../src/latency/probe/measure.ts';
import type { Variant } from '../../../src/latency/probe/probe.ts';
import { type ProbeRun, type ProbeStream, RunAssembly } from '../../../src/latency/probe/run.ts';
import { tagOf } from '../../../src/latency/report/hdr-log.ts';
import type { LatencyWanted } from '../../../src/latency/targets/schema.ts';
import { viewLatency } from '../../../src/views/latency.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine, type MachineShape } from '../../machine-builder.ts';
import { CPUS, compileStrictly, makeFolder } from './program.ts';

/** The synthetic critical path: the program where stages share CPUs, the rest by what such a run wrote. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const ms = (count: number) => `${count * 1e6}`;
const SHARED = ['pipeline', '--cpus', CPUS.slice(0, 2).join(','), '--wait', 'block'];
const STAGES = ['market-data', 'strategy', 'risk', 'order'];

function assemble(output: Buffer): ProbeRun {
  const assembly = new RunAssembly();
  for (const frame of new FrameReader().push(output)) assembly.add(frame);
  return assembly.finish() as ProbeRun;
}

function run(durationMs: number, ...options: readonly string[]): ProbeRun {
  const span = ['--duration-ns', ms(durationMs), '--warmup-ns', ms(50), '--block-ns', ms(20)];
  return assemble(execFileSync(program, [...SHARED, ...span, ...options], { maxBuffer: 1e8 }));
}

const streamOf = ({ streams }: ProbeRun, part: string, name = 'open') =>
  streams.find((stream) => stream.part === part && stream.name === name) as ProbeStream;
const total = ({ blocks }: ProbeStream, of: 'count' | 'sumNs') => blocks.reduce((sum, block) => sum + block[of], 0);

/** How many arrivals of the pattern there are before the end. */
function arrivalsWithin(durationNs: number, rateHz: number, pattern: readonly number[]): number {
  const cycleNs = (pattern.length * 1e9) / rateHz;
  const stretch = cycleNs / pattern.reduce((sum, ns) => sum + ns);
  let [count, atNs] = [0, 0];
  for (; atNs < durationNs; count++) atNs += (pattern[count % pattern.length] as number) * stretch;
  return count;
}

describe('a run', () => {
  test.each([
    ['memory', 3000],
    ['socket', 1000],
  ])('orders to %s, %i a second: every arrival becomes an order, and stages add up to the whole', (submit, rate) => {
    const measured = run(300, '--rate', `${rate}`, '--submit', submit);
    const { sent = 0, unsent = 0, dropped, damaged } = measured.result;
    expect({ dropped, damaged }).toEqual({ dropped: 0, damaged: 0 });
    expect(Math.abs(sent + unsent - arrivalsWithin(300e6, rate, feedPattern()))).toBeLessThanOrEqual(1);
    for (const stream of measured.streams) expect(total(stream, 'count')).toBe(sent);
    const stages = ['gateway', ...STAGES].map((part) => total(streamOf(measured, part), 'sumNs'));
    const whole = total(streamOf(measured, 'whole'), 'sumNs');
    // Each is cut to whole ns, and all of them are of the same stamps.
    expect(Math.abs(stages.reduce((sum, ns) => sum + ns) - whole)).toBeLessThanOrEqual(5 * sent);
    for (const part of STAGES) {
      const [all, work] = [streamOf(measured, part), streamOf(measured, part, 'service')];
      expect(total(work, 'sumNs')).toBeGreaterThan(0);
      expect(total(work, 'sumNs')).toBeLessThanOrEqual(total(all, 'sumNs') + sent);
    }
  });

  test('arrivals of a file, scaled to the rate', () => {
    const file = join(folder.path, 'pattern');
    const pattern = [0, 10, 10, 980];
    writeFileSync(file, `${pattern.join('\n')}\n`);
    const measured = run(205, '--rate', '400', '--pattern', file);
    const { sent = 0, unsent = 0 } = measured.result;
    expect(sent + unsent).toBe(arrivalsWithin(205e6, 400, pattern));
    expect(measured.meta.pattern).toEqual({ source: 'own', arrivals: 4 });
  });

  test('what the stages cannot keep up with is told: full rings, and arrivals that were not admitted', () => {
    const { result, streams } = run(200, '--rate', '5000000');
    expect(result.unsent).toBeGreaterThan(1000);
    expect(result.dropped).toBe(0);
    expect(result.ringsFull?.[0]?.times).toBeGreaterThan(0);
    for (const stream of streams) expect(total(stream, 'count')).toBe(result.sent);
    const kinds = pipeline.report(run(100, '--rate', '5000000'), VARIANT).findings.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['rings-full', 'rate-not-kept', 'cpus-shared']));
  });

  test.each([
    ['--cpus 0', /needs five CPUs/],
    ['--cpus 0-5', /needs five CPUs/],
    ['--cpus 0 --wait block --policy fifo', /lock each other out/],
    ['--cpus 0 --wait block --rate 0', /--rate: expected a whole number from 1/],
    ['--cpus 0 --wait block --pattern /nowhere/at-all', /--pattern \/nowhere\/at-all: No such file/],
  ])('hft-probe pipeline %s', (line, says) => {
    const { status, stderr } = spawnSync(program, ['pipeline', ...line.split(' ')], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toMatch(says);
  });

  test.each(['5\n-1\n', '5\n\n7\n', '0\n0\n', '5\n', '', '12 us\n3\n', '1.5\n2\n', '3600000000001\n1\n'])(
    'the program and the command refuse the same patterns: %j',
    (text) => {
      const file = join(folder.path, 'bad');
      writeFileSync(file, text);
      const { status } = spawnSync(program, [...SHARED, '--pattern', file], { encoding: 'utf8' });
      expect(status).toBe(2);
      expect(complainOfPattern(text, file)).toMatch(/bad(:\d+)?:? .*expected/);
    },
  );
});

test('the shipped arrivals are those of their generator: bursts around 10 us', () => {
  const pattern = feedPattern();
  const shipped = readFileSync(join(import.meta.dirname, '../../../agents/probes/feed_pattern.c'), 'utf8');
  expect(shipped).toBe(printFeedPattern(pattern));
  const mean = pattern.reduce((sum, ns) => sum + ns) / pattern.length;
  const variance = pattern.reduce((sum, ns) => sum + (ns - mean) ** 2, 0) / pattern.length;
  expect(Math.abs(mean - 10_000)).toBeLessThan(1);
  // Without bursts it would be 1.
  expect(Math.sqrt(variance) / mean).toBeGreaterThan(1.5);
});

test('--pattern is looked at before anything is measured', async () => {
  await expect(requirePattern({ pattern: '/nowhere/at-all' })).rejects.toThrow('there is no such file');
  await expect(requirePattern({ pattern: '/dev/null', probe: ['shm'] })).rejects.toThrow('add --probe pipeline');
  const file = join(folder.path, 'mistyped');
  writeFileSync(file, '10\nten\n');
  await expect(requirePattern({ pattern: file })).rejects.toThrow(`${file}:2  expected the time to the next arrival`);
});

const VARIANT: Variant = { name: 'v', cpus: [1, 2, 3, 4, 5], spins: true, policy: 'other', options: {} };

describe('variants', () => {
  const names = (suite: 'quick' | 'full', cpus: readonly number[]) =>
    pipeline.variants({ cpus, suite }).map(({ name }) => name);

  test('need five CPUs, and take as many', () => {
    expect(names('full', [1, 2, 3, 4])).toEqual([]);
    expect(names('quick', [1, 2, 3, 4, 5])).toEqual(['rate 100k socket']);
    expect(names('full', [1, 2, 3, 4, 5, 6])).toEqual(['rate 10k socket', 'rate 100k socket', 'rate 1M memory']);
    for (const { cpus, spins } of pipeline.variants({ cpus: [1, 2, 3, 4, 5, 6], suite: 'full' })) {
      expect({ cpus, spins }).toEqual({ cpus: [1, 2, 3, 4, 5], spins: true });
    }
  });

  test('of five cores: hyperthreads of one do not count as two', () => {
    const machine = buildMachine({ packages: 1, coresPerPackage: 8, threads: 2 });
    const cpus = machine.topology.cpus.map(({ cpu }) => cpu).slice(2, 10);
    const coreCpus = oneOfEachCore(machine, cpus);
    const siblings = (cpu: number) => machine.topology.cpus.find((each) => each.cpu === cpu)?.siblings ?? [];
    for (const cpu of coreCpus) expect(coreCpus.filter((other) => siblings(cpu).includes(other))).toEqual([cpu]);
    expect(pipeline.variants({ cpus, coreCpus: coreCpus.slice(0, 4), suite: 'full' })).toEqual([]);
  });
});

/**
 * A second at 2000 a second, which stages that shared two CPUs wrote, with META and RESULT changed to say five CPUs: what the
 * reports make of a run, on a machine that has too few for one.
 */
const FRAMES = readFileSync(join(import.meta.dirname, 'recorded/pipeline.frames'));

async function verify({
  latency,
  suite = 'quick',
  probe,
  shape = { packages: 1, coresPerPackage: 8, kernel: { isolated: [1, 2, 3, 4, 5] } },
}: {
  latency?: LatencyWanted;
  suite?: string;
  probe?: string[];
  shape?: MachineShape;
}) {
  const machine = buildMachine({ host: 'box7', ...shape });
  const asked: string[] = [];
  const wanted = { name: 'colo', layout: {} as never, domains: {}, ...(latency && { latency }) };
  const agent = {
    machine: async () => machine,
    pinnedTo: async () => [],
    plan: async () => ({ plan: { changes: [], unread: [] }, machine: { ...machine, layout: undefined } }) as never,
    async probe(request: { probe: string; variant: Variant }): Promise<Measured> {
      asked.push(`${request.probe} ${request.variant.name}`);
      if (request.probe !== 'pipeline') return { status: 'failed', reason: 'not in this test' };
      const host = new FakeHost({}, { '/hft/hft-probe': FRAMES.toString('latin1') });
      return measure(host, { ...request, program: '/hft/hft-probe' } as never);
    },
  };
  const { result } = await measureOn(agent as never, {
    asked: latency === undefined ? undefined : { wanted, scope: {} },
    flags: { suite, probe, cpus: undefined },
    durationS: 1,
    signal: new AbortController().signal,
    showProgress: () => {},
  });
  return { result, asked: asked.filter((each) => each.startsWith('pipeline')) };
}

const row = (part: string, limits: object) =>
  ({ probe: 'pipeline', part, direction: 'one-way', load: 'none', pacing: 500_000, wait: 'spin', ...limits }) as never;

describe('hft verify latency', () => {
  test('each stage is judged by the row of its part, and labelled as synthetic', async () => {
    const latency = {
      'market-data': row('market-data', { payload: 1024, p50: 60e9 }),
      'risk-check': row('risk', { payload: 64, p50: 60e9 }),
      'critical-path': row('whole', { payload: 64, p50: 1 }),
    } as LatencyWanted;
    const { result } = await verify({ latency, probe: ['pipeline'] });
    expect(result.probes.map(({ part, target, verdict }) => [part, target?.name, verdict])).toEqual([
      ['gateway', undefined, null],
      ['market-data', 'market-data', 'pass'],
      ['strategy', undefined, null],
      ['risk', 'risk-check', 'pass'],
      ['order', undefined, null],
      ['whole', 'critical-path', 'fail'],
    ]);
    expect(result.probes.every(({ synthetic, rule }) => synthetic && rule === 'open')).toBe(true);
    expect(result.probes.map(({ cpus }) => cpus.join('→'))).toEqual(['1', '1→2', '2→3', '3→4', '4→5', '1→5']);
    expect(result.probes.map(({ beside }) => beside?.rule)).toEqual([
      undefined,
      ...STAGES.map(() => 'service'),
      undefined,
    ]);
    expect(result.findings.find(({ kind }) => kind === 'synthetic')?.text).toMatch(
      /not your strategy.*arrivals are generated.*market-data \d+ %, strategy \d+ %, risk \d+ %, order \d+ %/,
    );
  });

  test.each([80, 200])('the text, %i columns', async (columns) => {
    const latency = { risk: row('risk', { p50: 1000, p99: 3000 }) } as LatencyWanted;
    const { result } = await verify({ latency, probe: ['pipeline'] });
    const text = viewLatency(result, { columns, color: false });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    await expect(`${text}\n`).toMatchFileSnapshot(`recorded/pipeline-${columns}.txt`);
  });

  test('quick has it where the profile has a limit for it, full always', async () => {
    expect((await verify({})).asked).toEqual([]);
    expect((await verify({ latency: {} })).asked).toEqual([]);
    const latency = { risk: row('risk', { p50: 1000 }) } as LatencyWanted;
    expect((await verify({ latency })).asked).toEqual(['pipeline rate 100k socket']);
    expect((await verify({ suite: 'full' })).asked).toHaveLength(3);
  });

  test('on too few CPUs its rows are not measured, with what it needs', async () => {
    const latency = { risk: row('risk', { p50: 1000 }) } as LatencyWanted;
    const { result, asked } = await verify({ latency, shape: { packages: 1, coresPerPackage: 2 } });
    expect(asked).toEqual([]);
    expect(result.notMeasured).toContainEqual(
      expect.objectContaining({
        target: 'risk',
        reason: 'It needs 5 CPUs of 5 physical cores to measure on, beside one for the rest of the system.',
      }),
    );
  });

  test('the stages of a log have names of their own', () => {
    const measures = pipeline.report(assemble(FRAMES), VARIANT).measures;
    const tags = measures.map((measure) =>
      tagOf({ probe: 'pipeline', variant: 'rate 1M memory', load: 'none' }, measure),
    );
    expect(new Set(tags).size).toBe(10);
    expect(tags).toContain('pipeline/rate-1M-memory/risk/cpu3-4/open');
  });
});

describe('what forbids a verdict', () => {
  const changed = (meta: object, result: object): ProbeRun => {
    const recorded = assemble(FRAMES);
    return { ...recorded, meta: { ...recorded.meta, ...meta }, result: { ...recorded.result, ...result } };
  };
  const skew = { offsetNs: 0, errorNs: 9, lowNs: 11, highNs: 10 };
  test.each([
    ['nothing', {}, {}, []],
    ['stages on one CPU', { stagesShareCpus: true }, {}, ['cpus-shared']],
    ['arrivals that were not admitted', {}, { unsent: 2 }, ['rate-not-kept']],
    ['orders that the socket did not take', {}, { dropped: 1 }, ['messages-dropped']],
    ['damage', {}, { damaged: 1 }, ['messages-damaged']],
    ['a message handed on before it was handed over', {}, { negative: 1 }, ['clock-skew']],
    ['clocks that contradict themselves', { skews: [{ cpu: 1, peer: 2, skew }] }, {}, ['clock-skew']],
    ['clocks that were not compared', { skews: [] }, {}, ['clock-skew']],
    ['full rings do not', {}, { ringsFull: [{ part: 'risk', times: 3 }] }, []],
  ])('%s', (_, meta, result, kinds) => {
    const { findings } = pipeline.report(changed(meta, result), VARIANT);
    expect(findings.filter(({ invalidates }) => invalidates).map(({ kind }) => kind)).toEqual(kinds);
  });
});
