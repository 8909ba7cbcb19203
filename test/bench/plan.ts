import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeLargeMachine } from './large-machine.ts';
import { type Contender, runInTurn } from './measure.ts';
import { type BenchPlaces, printTable } from './report.ts';

const ROUNDS = 15;
const MOST_MORE_MS = 150;

/** `hft plan --profile colo --snapshot` of machines with 96 CPUs: at most 150 ms of CPU time more than `node -e 0`. */
export function benchPlan({ node, hft, scratch }: BenchPlaces): boolean {
  const archive = join(scratch, 'large-machine.tar.gz');
  writeLargeMachine(join(scratch, 'large-machine'));
  execFileSync('tar', ['-C', scratch, '-czf', archive, 'large-machine']);
  const snapshots = [archive, ...listDumps(process.env.HFT_BENCH_DUMPS)];
  const contenders: readonly Contender[] = [
    { name: 'node -e 0', argv: [node, '-e', '0'] },
    ...snapshots.map((path) => ({
      name: `plan of ${basename(path).slice(0, 24)}`,
      argv: [hft, 'plan', '--profile', 'colo', '--snapshot', path],
    })),
  ];
  const figures = runInTurn(contenders, ROUNDS);
  return printTable({ title: 'Plan', figures, of: 'cpuMs', base: 'node -e 0', most: { moreMs: MOST_MORE_MS } });
}

/** Dumps of real machines with 96 CPUs, where somebody has some: all archives in the folder HFT_BENCH_DUMPS. */
function listDumps(folder: string | undefined): readonly string[] {
  if (folder === undefined || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /\.tar(\.\w+)?$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}
