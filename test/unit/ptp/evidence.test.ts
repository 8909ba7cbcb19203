import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkEvidence, EvidenceLog } from '../../../src/agent/ptp-evidence.ts';
import { LocalStateDirectory } from '../../../src/host/local-state.ts';
import { checkFiles } from '../../../src/ptp/evidence.ts';

let folder: string;
const log = () => join(folder, 'ptp/evidence-000001.jsonl');
const state = () => new LocalStateDirectory(folder);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hft-evidence-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function write(count: number, data: Record<string, unknown> = {}): Promise<void> {
  const evidence = await EvidenceLog.open(state());
  for (let each = 0; each < count; each++) await evidence.write('sample', { each, ...data });
  await evidence.close();
}

test('a log goes on where it ended', async () => {
  await write(3);
  await write(2);
  expect(await checkEvidence(state())).toMatchObject({ files: 1, lines: 5, samples: 5, problem: undefined, torn: [] });
});

test('every change of every line is found, and so is a line that is gone, doubled or moved', async () => {
  await write(4);
  const text = readFileSync(log(), 'utf8');
  const lines = text.split('\n').slice(0, -1);
  const check = (changed: readonly string[]) =>
    checkFiles([{ name: 'e', text: changed.map((line) => `${line}\n`).join('') }]);
  expect(check(lines).problem).toBeUndefined();
  // The last line is protected by whoever keeps its hash.
  for (const at of [0, 1, 2]) {
    expect(
      check(lines.map((line, index) => (index === at ? line.replace('"each":', '"each": ') : line))).problem,
    ).toContain('was changed');
    expect(check(lines.filter((_, index) => index !== at)).problem).toContain('missing, doubled or moved');
    expect(check([...lines.slice(0, at), lines[at] as string, ...lines.slice(at)]).problem).toContain(
      'missing, doubled or moved',
    );
  }
  expect(check([lines[1], lines[0], ...lines.slice(2)] as string[]).problem).toContain('e:1');
  expect(check(lines.slice(0, 3)).end).not.toEqual(check(lines).end);
});

test('a line that a power cut tore is told, and the log goes on in another file', async () => {
  await write(3);
  truncateSync(log(), readFileSync(log()).length - 7);
  await write(1);
  expect(readdirSync(join(folder, 'ptp')).filter((name) => name.endsWith('.jsonl'))).toEqual([
    'evidence-000001.jsonl',
    'evidence-000002.jsonl',
  ]);
  expect(await checkEvidence(state())).toMatchObject({
    files: 2,
    lines: 3,
    torn: ['evidence-000001.jsonl'],
    problem: undefined,
  });
});

test('a full file is followed by the next, in one chain', async () => {
  await write(3, { filling: 'x'.repeat(9_000_000) });
  expect(await checkEvidence(state())).toMatchObject({ files: 3, lines: 3, problem: undefined });
});

test('a broken log is not carried on', async () => {
  await write(3);
  writeFileSync(log(), readFileSync(log(), 'utf8').replace('"each":1', '"each":7'));
  await expect(EvidenceLog.open(state())).rejects.toThrow('cannot be carried on');
  const check = await checkEvidence(state());
  expect(check.problem).toMatch(
    /^evidence-000001\.jsonl:3 {2}the line before it was changed, or is another one: expected after \w{64}, got after \w{64}$/,
  );
});

test('one writer at a time', async () => {
  const first = await EvidenceLog.open(state());
  await expect(EvidenceLog.open(state())).rejects.toThrow();
  await first.close();
  await write(1);
});

test.each(['', '{', 'null', '{}', '[1]', '\u0000'])('%j is no evidence', (text) => {
  expect(checkFiles([{ name: 'e', text: `${text}\n` }]).problem).toContain('is not a line of this log');
});
