/**
 * Makes agents/probes/feed_pattern.c, the arrivals that the pipeline probe is fed with where nobody gives his own. It is generated,
 * not recorded: a Hawkes process (each arrival makes others likelier for a while), which is the usual model of order-book feeds
 * (Bacry, Mastromatteo, Muzy, "Hawkes processes in finance", 2015), simulated by Ogata's thinning.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../src/latency/statistics/random.ts';

const ARRIVALS = 4096;
const SEED = 20260101;
const MEAN_NS = 10_000;
/** The share of arrivals that another one brought about. */
const BRANCHING = 0.8;
/** The excitement of an arrival dies away with this time constant. */
const DECAY_NS = 20_000;

/** Times between arrivals in whole ns; MEAN_NS on average, within what rounding and 4096 samples leave. */
export function feedPattern(): number[] {
  const { uniform } = seededRandom(SEED);
  const base = (1 - BRANCHING) / MEAN_NS;
  const jump = BRANCHING / DECAY_NS;
  let [now, last, excitement] = [0, 0, 0];
  const raw: number[] = [];
  while (raw.length < ARRIVALS) {
    const most = base + excitement;
    const step = -Math.log(uniform()) / most;
    now += step;
    excitement *= Math.exp(-step / DECAY_NS);
    if (uniform() * most > base + excitement) continue;
    raw.push(now - last);
    last = now;
    excitement += jump;
  }
  const stretch = (MEAN_NS * ARRIVALS) / last;
  return raw.map((ns) => Math.max(1, Math.round(ns * stretch)));
}

/** The file as it is shipped. */
export function printFeedPattern(intervalsNs: readonly number[]): string {
  const rows = Array.from({ length: Math.ceil(intervalsNs.length / 16) }, (_, row) =>
    intervalsNs.slice(16 * row, 16 * row + 16).join(', '),
  );
  return [
    '/* Made by scripts/feed-pattern.ts: generated, not recorded. Time from each arrival to the next, in ns. */',
    '#include "arrivals.h"',
    '',
    'const uint32_t feed_pattern[] = {',
    ...rows.map((row) => `    ${row},`),
    '};',
    '',
    'const size_t feed_pattern_count = sizeof feed_pattern / sizeof feed_pattern[0];',
    '',
  ].join('\n');
}

if (process.argv[1] === import.meta.filename) {
  const target = join(import.meta.dirname, '../agents/probes/feed_pattern.c');
  writeFileSync(target, printFeedPattern(feedPattern()));
}
