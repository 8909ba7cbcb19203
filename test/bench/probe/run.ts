import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FrameReader } from '../../../src/latency/probe/frames.ts';
import { type ProbeRun, type ProbeStream, RunAssembly } from '../../../src/latency/probe/run.ts';
import { parseCpulist } from '../../../src/topology/cpulist.ts';

export const PROGRAM = join(import.meta.dirname, '../../../dist/hft-probe');

/** CPUs that this process may use. */
export function allowedCpus(): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(?<list>.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.groups?.list;
  return parseCpulist(list ?? '');
}

/** One run of hft-probe as it is, without the rule about housekeeping CPUs: a benchmark owns its machine. */
export async function startProbe(argv: readonly string[], seconds: number): Promise<ProbeRun> {
  const span = ['--duration-ns', `${seconds * 1e9}`, '--warmup-ns', '200000000'];
  const options = { maxBuffer: 1e9, encoding: 'buffer' } as const;
  const { stdout } = await promisify(execFile)(PROGRAM, [...argv, ...span], options);
  const assembly = new RunAssembly();
  for (const frame of new FrameReader().push(stdout)) assembly.add(frame);
  const run = assembly.finish();
  if (run === undefined) throw new Error(`${argv.join(' ')}: no result`);
  return run;
}

export function streamOf(run: ProbeRun, name: string): ProbeStream {
  const found = run.streams.find((stream) => stream.name === name);
  if (found === undefined) throw new Error(`${run.meta.probe} has no stream ${name}`);
  return found;
}

export function countOf({ blocks }: ProbeStream): number {
  return blocks.reduce((sum, { count }) => sum + count, 0);
}

/** The lowest value of the bucket that the median is in: within 0.1 %. */
export function medianNs({ blocks }: ProbeStream): number {
  const counts = new Map<number, number>();
  for (const block of blocks) {
    for (const [index, bucket] of block.buckets.entries()) {
      counts.set(bucket, (counts.get(bucket) ?? 0) + (block.counts[index] as number));
    }
  }
  let left = blocks.reduce((sum, { count }) => sum + count, 0) / 2;
  for (const [bucket, count] of [...counts].sort(([a], [b]) => a - b)) {
    left -= count;
    if (left <= 0) return bucket < 2048 ? bucket : ((bucket % 1024) + 1024) * 2 ** (Math.floor(bucket / 1024) - 1);
  }
  return Number.NaN;
}

/** Whether a program is installed. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined;
}
