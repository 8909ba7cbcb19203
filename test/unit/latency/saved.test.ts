import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { Baselines } from '../../../src/agent/baselines.ts';
import { measureOn } from '../../../src/cli/latency.ts';
import { measureAndKeep, type SavedFlags } from '../../../src/cli/latency-saved.ts';
import { HostError } from '../../../src/errors.ts';
import { LocalStateDirectory } from '../../../src/host/local-state.ts';
import { Histogram } from '../../../src/latency/histogram/histogram.ts';
import { intervalsOfTag, readHdrLog } from '../../../src/latency/histogram/log-read.ts';
import { measure } from '../../../src/latency/probe/measure.ts';
import { differenceOf } from '../../../src/latency/saved/baseline.ts';
import { compareFingerprints, type Fingerprint } from '../../../src/latency/saved/fingerprint.ts';
import { requireName, tagOfRow } from '../../../src/latency/saved/saved-run.ts';
import { viewLatency } from '../../../src/views/latency.ts';
import { viewKept } from '../../../src/views/latency-saved.ts';
import { FakeHost } from '../../fake-host.ts';
import { buildMachine } from '../../machine-builder.ts';
import { FACTS } from '../views/report/sample.ts';

/** A state directory on disk whose writes fail where a test wants it. */
class FailingState extends LocalStateDirectory {
  fails: { readonly name: RegExp; readonly code: string } | undefined;

  override async replace(name: string, text: string): Promise<void> {
    if (this.fails?.name.test(name)) throw new HostError('replace', name, this.fails.code);
    await super.replace(name, text);
  }
}

let folder: string;
let state: FailingState;
let baselines: Baselines;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hft-saved-'));
  state = new FailingState(folder);
  baselines = new Baselines(state);
});

const machine = buildMachine({ host: 'box7' });
const FINGERPRINT: Fingerprint = {
  ...FACTS,
  host: 'box7',
  isolated: [],
  irqs: [],
  profileInForce: null,
  hft: '0.1.0',
};

/** What a real run wrote, played back. */
function measureRecorded(probe = ['jitter', 'wakeup'], signal = new AbortController().signal) {
  const agent = {
    machine: async () => machine,
    pinnedTo: async () => [],
    plan: () => Promise.reject(new Error('not asked')),
    async probe(request: Parameters<Parameters<typeof measureOn>[0]['probe']>[0]) {
      const frames = readFileSync(join(import.meta.dirname, 'recorded', `${request.probe}.frames`), 'latin1');
      return measure(new FakeHost({}, { '/hft/hft-probe': frames }), { ...request, program: '/hft/hft-probe' });
    },
  };
  const flags = { suite: 'quick', probe, cpus: undefined };
  return measureOn(agent, { asked: undefined, flags, durationS: 2, signal, showProgress: () => {} });
}

function keep(flags: SavedFlags, fingerprint = FINGERPRINT) {
  return measureAndKeep({ baselines, readFingerprint: async () => fingerprint }, flags, () => measureRecorded());
}

const namesIn = (name: string) => readdirSync(join(folder, 'baselines', name)).sort();

describe('a measurement that is saved', () => {
  test('is read back whole: result, fingerprint, every count of every block', async () => {
    const { result, exitCode } = await keep({ save: 'stock' });
    expect([exitCode, result.saved]).toMatchObject([0, { name: 'stock', runs: 1, error: null }]);
    const [stored, ...others] = await baselines.load('stock');
    expect(others).toEqual([]);
    const measured = await measureRecorded();
    expect(stored?.saved.result).toEqual(JSON.parse(JSON.stringify(measured.result)));
    expect(stored?.saved.fingerprint).toEqual(FINGERPRINT);
    const intervals = readHdrLog((await stored?.readLog()) ?? '', { file: 'log' });
    for (const row of measured.result.probes) {
      const { intervals: found } = intervalsOfTag(intervals, { file: 'log', tag: tagOfRow(row) });
      const whole = new Histogram();
      for (const { histogram } of found) whole.merge(histogram);
      expect(whole.count).toBe(row.samples);
      expect(found.length).toBeGreaterThan(10);
    }
  });

  test('is not replaced unless asked, which is found out before anything is measured', async () => {
    await keep({ save: 'stock' });
    const before = namesIn('stock');
    const measureNever = () => Promise.reject(new Error('measured'));
    const keeper = { baselines, readFingerprint: async () => FINGERPRINT };
    await expect(measureAndKeep(keeper, { save: 'stock' }, measureNever)).rejects.toMatchObject({
      exitCode: 2,
      message: '1 measurement is saved as stock already.',
      next: [expect.stringContaining('--append'), expect.stringContaining('--force')],
    });
    expect(namesIn('stock')).toEqual(before);
  });

  test('gets another run with --append, and makes room with --force', async () => {
    await keep({ save: 'stock' });
    expect((await keep({ save: 'stock', append: true })).result.saved?.runs).toBe(2);
    expect((await keep({ save: 'stock', append: true })).result.saved?.runs).toBe(3);
    expect(await baselines.load('stock')).toHaveLength(3);
    expect((await keep({ save: 'stock', force: true })).result.saved?.runs).toBe(1);
    expect(namesIn('stock')).toHaveLength(3);
  });

  test('two that append at once are both kept', async () => {
    await keep({ save: 'stock' });
    const others = Array.from({ length: 4 }, () => keep({ save: 'stock', append: true }));
    for (const { exitCode } of await Promise.all(others)) expect([0, 1, 6]).toContain(exitCode);
    expect(await baselines.load('stock')).toHaveLength(5);
    expect(namesIn('stock')).toHaveLength(11);
  });

  test('may be the first of --append', async () => {
    expect((await keep({ save: 'stock', append: true })).result.saved?.runs).toBe(1);
  });
});

describe('when saving fails', () => {
  test.each([
    [/\.hlog$/, 'ENOSPC'],
    [/Z-\w+\.json$/, 'ENOSPC'],
    [/baseline\.json$/, 'EACCES'],
  ])('at %s, the measurement is there, and what was saved before', async (name, code) => {
    await keep({ save: 'stock' });
    const [before] = await baselines.load('stock');
    state.fails = { name, code };
    const { result, exitCode } = await keep({ save: 'stock', force: true });
    expect(exitCode).toBe(3);
    expect(result.probes.map((row) => row.name)).toContain('wakeup');
    expect(result.saved).toMatchObject({ run: null, runs: null, error: { message: expect.stringContaining(code) } });
    expect(viewKept(result, { columns: 80, color: false })).toContain(`Not saved: replace`);
    state.fails = undefined;
    expect((await baselines.load('stock')).map(({ saved }) => saved.run)).toEqual([before?.saved.run]);
    // What the failure left is gone with the next save.
    await keep({ save: 'stock', append: true });
    expect(namesIn('stock')).toHaveLength(5);
  });

  test('before anything is measured, that is told first', async () => {
    state.fails = { name: /\.check$/, code: 'EROFS' };
    const keeper = { baselines, readFingerprint: async () => FINGERPRINT };
    const measureNever = () => Promise.reject(new Error('measured'));
    await expect(measureAndKeep(keeper, { save: 'stock' }, measureNever)).rejects.toMatchObject({ code: 'EROFS' });
  });

  test('a measurement that was cut is shown and not saved', async () => {
    const stop = new AbortController();
    stop.abort();
    const keeper = { baselines, readFingerprint: async () => FINGERPRINT };
    const { result, exitCode } = await measureAndKeep(keeper, { save: 'stock' }, () =>
      measureRecorded(['wakeup'], stop.signal),
    );
    expect([exitCode, result.saved?.error?.message]).toEqual([6, 'A measurement that was cut is not saved.']);
    expect(await baselines.list()).toEqual([]);
  });
});

describe('what cannot be read', () => {
  test('a name that was never saved lists those that were', async () => {
    await keep({ save: 'stock' });
    await expect(baselines.load('stok')).rejects.toMatchObject({
      message: 'No measurement is saved as stok.',
      next: ['Saved: stock.', expect.anything()],
    });
  });

  test.each([
    ['baseline.json', '{', 'expected a saved measurement, got no JSON'],
    ['baseline.json', '{"format":2}', 'format'],
    ['baseline.json', '{"format":1,"name":"stock","runs":["../../etc/x"]}', 'runs.0'],
    ['baseline.json', '{"format":1,"name":"stock","runs":["gone"]}', 'gone.json is missing'],
    ['Z', '{"format":1}', 'expected a saved measurement: run'],
  ])('%s with %s is named', async (file, text, message) => {
    await keep({ save: 'stock' });
    const found = namesIn('stock').find((name) => name === file || (file === 'Z' && /Z-.*\.json$/.test(name)));
    writeFileSync(join(folder, 'baselines/stock', found ?? ''), text);
    const failure = baselines.load('stock');
    await expect(failure).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
    await expect(failure).rejects.toThrow(folder);
  });

  test.each(['', '.', '..', 'a/b', '../x', '-x', 'a b', 'ä', 'x'.repeat(65)])('%j is no name', (name) => {
    expect(() => requireName('--save', name)).toThrow('expected a name of at most 64');
  });

  test('every name that is taken is one folder', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        try {
          requireName('--save', name);
        } catch {
          return;
        }
        expect(join('/x', name)).toBe(`/x/${name}`);
        expect(name).not.toMatch(/[/\s]|^\./);
      }),
    );
  });
});

describe('--baseline', () => {
  test('has the difference beside each row, and what it does not prove', async () => {
    await keep({ save: 'stock' });
    const { result } = await keep({ baseline: 'stock' });
    const { value, lower, upper } = result.probes.find(({ name }) => name === 'wakeup')?.baseline?.difference.p50 ?? {};
    expect(value).toBe(0);
    expect(lower).toBeLessThan(0);
    expect(upper).toBeGreaterThan(0);
    expect(result.baseline).toMatchObject({ name: 'stock', runs: 1, fingerprint: [], notCompared: [] });
    expect(result.baseline?.caveat).toContain('prove nothing');
  });

  test('names the rows that cannot be compared, either way', async () => {
    await keep({ save: 'stock' });
    const keeper = { baselines, readFingerprint: async () => FINGERPRINT };
    const { result } = await measureAndKeep(keeper, { baseline: 'stock' }, () => measureRecorded(['jitter']));
    expect(result.baseline?.notCompared.map(({ row }) => row)).toEqual([
      'wakeup/other/cpu1/open',
      'wakeup/other-dma-latency-0/cpu1/open',
    ]);
  });

  test.each([80, 200])('keeps to %i columns', async (columns) => {
    await keep({ save: 'stock' });
    const irqs = [{ name: 'eth0/rx-0', cpus: [3], managed: false }];
    const other = { ...FINGERPRINT, kernel: '6.1.0-19-rt-amd64', irqs };
    const { result } = await keep({ baseline: 'stock' }, other);
    const terminal = { columns, color: false };
    const text = (viewLatency(result, terminal) + viewKept(result, terminal)).replaceAll(
      /measured at \S+ \S+ UTC/g,
      'measured at 2026-11-21 10:00 UTC',
    );
    expect(text.split('\n').filter((line) => line.length > columns)).toEqual([]);
    await expect(`${text}\n`).toMatchFileSnapshot(`recorded/baseline-${columns}.txt`);
  });
});

test('fingerprints differ in what differs', () => {
  const irq = (name: string, cpu: number) => ({ name, cpus: [cpu], managed: false });
  const before = { ...FINGERPRINT, irqs: [irq('eth0/rx-0', 2), irq('eth0/rx-0', 4), irq('timer', 0)] };
  const after = {
    ...FINGERPRINT,
    microcode: '0xa2',
    isolated: [2, 3],
    mitigations: { ...FINGERPRINT.mitigations, retbleed: 'Vulnerable' },
    irqs: [irq('eth0/rx-0', 3), irq('eth0/rx-0', 4)],
  };
  expect(compareFingerprints(before, before)).toEqual([]);
  expect(compareFingerprints(before, after)).toEqual([
    { what: 'microcode', before: FINGERPRINT.microcode, after: '0xa2' },
    { what: 'isolated', before: 'none', after: '2-3' },
    { what: 'irq eth0/rx-0', before: '2', after: '3' },
    { what: 'irq timer', before: '0', after: null },
    { what: 'mitigation retbleed', before: null, after: 'Vulnerable' },
  ]);
});

describe('a difference of two estimates', () => {
  test('has the distances to the bounds that matter added as squares', () => {
    const before = { value: 100, lower: 97, upper: 104 };
    const after = { value: 80, lower: 77, upper: 84 };
    expect(differenceOf(before, after)).toEqual({ value: -20, lower: -25, upper: -15 });
  });

  test('has no bound where one is missing, and is not there where one is n/a', () => {
    const known = { value: 100, lower: 90, upper: 110 };
    const open = { value: 100, lower: 90, upper: undefined };
    expect(differenceOf(known, open)).toMatchObject({ upper: null, lower: expect.any(Number) });
    expect(differenceOf(open, known)).toMatchObject({ lower: null, upper: expect.any(Number) });
    expect(differenceOf(undefined, known)).toBeNull();
  });
});
