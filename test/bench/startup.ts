import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, runInTurn } from './measure.ts';
import { type BenchPlaces, printTable } from './report.ts';

const ROUNDS = 21;
const CHANGES = 130;
const TARGET = 3;

/** `hft --version` and `hft status` against `node -e 0`, the same Node: at most three times its CPU time. */
export function benchStartup({ node, hft, scratch }: BenchPlaces): boolean {
  const empty = join(scratch, 'empty');
  const tuned = join(scratch, 'tuned');
  writeJournal(tuned);
  const contenders: readonly Contender[] = [
    { name: 'node -e 0', argv: [node, '-e', '0'] },
    { name: 'hft --version', argv: [hft, '--version'] },
    { name: 'hft status, nothing in force', argv: [hft, 'status'], environment: { HFT_STATE_DIR: empty } },
    { name: `hft status, ${CHANGES} settings`, argv: [hft, 'status'], environment: { HFT_STATE_DIR: tuned } },
  ];
  const figures = runInTurn(contenders, ROUNDS);
  return printTable({ title: 'Start-up', figures, of: 'cpuMs', base: 'node -e 0', most: { ratio: TARGET } });
}

/** A run in force whose settings are read back as they were left: the files hold what the journal says. */
function writeJournal(folder: string): void {
  mkdirSync(join(folder, 'journal'), { recursive: true });
  mkdirSync(join(folder, 'files'));
  const run = '20260101T000000Z-0000';
  const begin = {
    type: 'begin',
    run,
    time: '2026-01-01T00:00:00.000Z',
    host: 'bench',
    origin: 'user',
    version: '0.1.0',
  };
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const steps = Array.from({ length: CHANGES }, (_, step) => {
    const path = join(folder, 'files', String(step));
    writeFileSync(path, '1\n');
    const tunable = { kind: 'file', path, format: 'integer' };
    return [
      { type: 'intent', step, id: `kernel.sysctl@bench.${step}`, tunable, from: '0', to: '1', persistent: false },
      { type: 'done', step, reported: '1' },
    ];
  });
  const wanted = { name: 'bench', layout: {}, domains: {} };
  const records = [{ ...begin, bootId, wanted }, ...steps.flat(), { type: 'end', result: 'applied' }];
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  writeFileSync(join(folder, 'journal', `${run}.jsonl`), text);
}
