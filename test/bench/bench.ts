/**
 * How fast hft is, against what it is compared with: `npm run bench [-- startup plan apply apply-here probe latency-peers redis agent-fuzz watch seen]`. Prints medians of
 * interleaved runs with every figure; docs/benchmarks.md says what is measured and what came out. A benchmark, never a
 * test: it ends with 1 when a figure is missed, and nothing else depends on that.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLabPlace } from './apply/lab-place.ts';
import { openLocalPlace } from './apply/local-place.ts';
import { benchApply } from './apply.ts';
import { describeMachine } from './measure.ts';
import type { BenchPlaces } from './report.ts';

const PARTS: Readonly<Record<string, (places: BenchPlaces) => Promise<boolean>>> = {
  coverage: async () => (await import('./coverage.ts')).benchCoverage(),
  startup: async (places) => (await import('./startup.ts')).benchStartup(places),
  plan: async (places) => (await import('./plan.ts')).benchPlan(places),
  apply: async () => benchApply(await openLabPlace()),
  'apply-here': async ({ scratch }) => benchApply(await openLocalPlace(scratch)),
  probe: async (places) => (await import('./probe.ts')).benchProbe(places),
  'latency-peers': async (places) => (await import('./latency-peers.ts')).benchLatencyPeers(places),
  'agent-fuzz': async (places) => (await import('./agent-fuzz.ts')).benchAgentFuzz(places),
  redis: async (places) => (await import('./redis.ts')).benchRedis(places),
  seen: async (places) => (await import('./seen.ts')).benchSeen(places),
  watch: async (places) => (await import('./watch.ts')).benchWatch(places),
};

/** What changes this machine, if only for seconds, runs only when it is asked for. */
const UNASKED = Object.keys(PARTS).filter((name) => name !== 'apply-here');

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => PARTS[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.`);
  process.exitCode = 2;
} else {
  const scratch = mkdtempSync(join(tmpdir(), 'hft-bench-'));
  try {
    console.log(describeMachine());
    const places = { scratch, node: process.execPath, hft: join(import.meta.dirname, '../../bin/hft') };
    for (const name of asked.length > 0 ? asked : UNASKED) {
      if (!(await PARTS[name]?.(places))) process.exitCode = 1;
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
