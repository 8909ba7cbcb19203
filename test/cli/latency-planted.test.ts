import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  agree,
  agreeTurns,
  busiestRow,
  type FoundCauses,
  foundOf,
  joinTurns,
  type MeasuredWindow,
  type PlantedEvent,
  parsePlanted,
  plantedWithin,
  windowOf,
} from '../unit/latency/planted.ts';
import { CPUS, compileTestProgram, makeFolder } from '../unit/latency/program.ts';
import { inTracefs, whyNoTracing } from './private-tracefs.ts';
import { buildWhenStale, cleanEnvironment, HFT, ROOT } from './run-hft.ts';

/**
 * Known disturbances of one CPU, planted while jitter is measured there: each is named, and counted within 5 % of what the planter or
 * the kernel's own counters say of the same seconds. Other work on this machine disturbs too, which changes none of these counts.
 */
const reason = whyNoTracing();
const folder = makeFolder();
const SECONDS = 4;
const TIME_LIMIT_MS = 300_000;
const ENOUGH = 100;
const TRIES = 4;
let plant: string;
let rowCounter: string;
beforeAll(() => {
  buildWhenStale();
  plant = compileTestProgram('plant', folder.path);
  rowCounter = compileTestProgram('interrupt-rows', folder.path);
});
afterAll(() => folder.remove());

const lastCpu = CPUS.at(-1) as number;

interface Running {
  readonly child: ChildProcess;
  readonly closed: Promise<unknown>;
  readonly pieces: Buffer[];
}

function start(program: string, args: readonly string[]): Running {
  const child = spawn(program, args, { cwd: ROOT, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] });
  const pieces: Buffer[] = [];
  child.stdout?.on('data', (piece: Buffer) => pieces.push(piece));
  return { child, closed: once(child, 'close'), pieces };
}

async function textOf({ closed, pieces }: Running): Promise<string> {
  await closed;
  return Buffer.concat(pieces).toString();
}

/** By the CPU's counter, and as on a CPU that has none to be trusted. */
const CLOCKS = ['auto', 'kernel'] as const;
const TRACE_CLOCKS = { auto: 'x86-tsc', kernel: 'mono_raw' } as const;

interface Plot {
  readonly clock: (typeof CLOCKS)[number];
  readonly cpu?: number;
  readonly flags?: string;
  /** A mode of `plant` and its options, each. */
  readonly planters: readonly (readonly [mode: string, ...options: string[]])[];
  /** Rows of /proc/interrupts to count beside it. */
  readonly rows?: readonly string[];
}

/** Measures beside planters, and ends them. */
async function plantAndMeasure({ clock, cpu = lastCpu, flags = '', planters, rows = [] }: Plot) {
  const line = `exec ${HFT} verify latency --probe jitter --cpus ${cpu} --duration ${SECONDS}s --clock ${clock} --json ${flags}`;
  const [program, ...rest] = inTracefs(line);
  const hft = start(program, rest);
  const planted = new Map(
    planters.map(([mode, ...options]) => {
      const own = mode === 'soft-dirty' ? ['--parent', `${hft.child.pid}`] : [];
      return [mode, start(plant, [mode, '--cpu', `${cpu}`, ...options, ...own])] as const;
    }),
  );
  const counted = start(rowCounter, [`${cpu}`, '3600', ...(rows.length === 0 ? ['LOC'] : rows)]);
  const found = JSON.parse(await textOf(hft)) as FoundCauses;
  expect(found.attribution).toMatchObject({ tier: expect.stringMatching(/^[AB]$/), clock: TRACE_CLOCKS[clock] });
  const endedOf = async (each: Running) => {
    each.child.kill('SIGTERM');
    return parsePlanted(await textOf(each));
  };
  const counts = await endedOf(counted);
  const events = new Map<string, readonly PlantedEvent[]>();
  for (const [mode, each] of planted) events.set(mode, await endedOf(each));
  return { found, window: windowOf(found), counts, eventsOf: (mode: string) => events.get(mode) ?? [] };
}

/** A busy machine may leave a planter or a disk too little for a comparison: then all of it again. */
async function measureEnough(plot: Plot): ReturnType<typeof plantAndMeasure> {
  for (let tries = 1; ; tries++) {
    const measured = await plantAndMeasure(plot);
    if (tries === TRIES || plot.rows?.every((row) => isEnough(measured, row)) !== false) return measured;
  }
}

function isEnough({ counts, window }: Awaited<ReturnType<typeof plantAndMeasure>>, row: string): boolean {
  try {
    return plantedWithin(counts, row, window).count > ENOUGH;
  } catch {
    // It was counted too late, or not at all.
    return false;
  }
}

/** By turns, which the kernel may cut. Throws with both figures. */
function expectTurns(found: number, events: readonly PlantedEvent[], window: MeasuredWindow): void {
  const turns = plantedWithin(events, 'turn', window).count;
  const preempted = plantedWithin(events, 'preempted', window).count;
  expect(turns).toBeGreaterThan(10);
  const said = `hft says ${found}, planted were ${turns} turns, cut ${preempted} times`;
  expect(agreeTurns(found, turns, preempted), said).toBe(true);
}

/** Throws with both figures. */
function expectAgreement(found: number, planted: number): void {
  expect(agree(found, planted), `hft says ${found}, planted were ${planted}`).toBe(true);
}

const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

describe.skipIf(reason !== undefined).each(CLOCKS)(`planted, --clock %s${skipped}`, (clock) => {
  /** All of them at once: each has a name of its own, and none changes what is counted of the others. */
  let ordinary: ReturnType<typeof plantAndMeasure> | undefined;
  const measureOrdinary = () => {
    const planters = [
      ['timer-thief'],
      ['fifo-thief'],
      ['page-faulter'],
      ['soft-dirty', '--from', `${CPUS[0]}`],
    ] as const;
    ordinary ??= measureEnough({ clock, planters, rows: ['LOC', 'TLB'] });
    return ordinary;
  };

  test.each(['timer-thief', 'fifo-thief'])(
    '%s: each of its turns, by its name',
    async (name) => {
      const { found, window, eventsOf } = await measureOrdinary();
      const thief = foundOf(found, 'thread', name);
      expectTurns(thief.count, eventsOf(name), window);
      // It may wait inside of its turn too, while another has the CPU: that is not its net time.
      expect(thief.totalNs / thief.count).toBeGreaterThan(50_000);
      expect(thief.fixes).toContain('isolation.isolcpus');
    },
    TIME_LIMIT_MS,
  );

  test(
    'the tick, as often as the kernel counts it',
    async () => {
      const { found, window, counts } = await measureOrdinary();
      expectAgreement(foundOf(found, 'timer', 'timer tick').count, plantedWithin(counts, 'LOC', window).count);
    },
    TIME_LIMIT_MS,
  );

  test(
    'page faults of another thread on the CPU: in its turns, and counted',
    async () => {
      const { found, window, eventsOf } = await measureOrdinary();
      const { count, pageFaults } = foundOf(found, 'thread', 'page-faulter');
      expectTurns(count, eventsOf('page-faulter'), window);
      expectAgreement(pageFaults, plantedWithin(eventsOf('page-faulter'), 'fault', window).count);
    },
    TIME_LIMIT_MS,
  );

  test(
    'TLB shootdowns of the measuring process itself',
    async () => {
      const { found, window, counts } = await measureOrdinary();
      const counted = plantedWithin(counts, 'TLB', window).count;
      expect(counted).toBeGreaterThan(ENOUGH);
      expectAgreement(foundOf(found, 'tlb-shootdown', 'TLB shootdown').count, counted);
    },
    TIME_LIMIT_MS,
  );

  test(
    'interrupts of a device: by device and queue, as often as /proc/interrupts counts them',
    async ({ skip }) => {
      const file = join(folder.path, 'block');
      writeFileSync(file, Buffer.alloc(4096));
      const disk = findBusiestRow(file);
      if (disk === undefined) return skip('reads of the disk interrupt no CPU here, or cannot pass the page cache');
      const { row, cpu } = disk;
      const from = CPUS.find((each) => each !== cpu);
      const planters = [['disk-reads', '--from', `${from}`, '--path', file]] as const;
      const { found, window, counts } = await measureEnough({ clock, cpu, planters, rows: [row] });
      const counted = plantedWithin(counts, row, window).count;
      expect(counted).toBeGreaterThan(ENOUGH);
      const named = found.disturbances.filter(({ kind, count }) => kind === 'irq' && agree(count, counted));
      expect(named.map(({ cause }) => cause)).toEqual([expect.stringMatching(/^interrupt \S/)]);
      expect(named[0]?.fix).toMatch(/^(irq\.affinity@|isolation\.isolcpus)/);
    },
    TIME_LIMIT_MS,
  );

  test(
    'a measurement under SCHED_FIFO lets threads of its own priority run, and names them',
    async () => {
      const planters = [['fifo-thief', '--priority', '1']] as const;
      const { found, window, eventsOf } = await plantAndMeasure({ clock, flags: '--scheduler fifo', planters });
      expectTurns(foundOf(found, 'thread', 'fifo-thief').count, eventsOf('fifo-thief'), window);
    },
    TIME_LIMIT_MS,
  );

  test(
    'a measurement under SCHED_FIFO: throttling, each time and all of it, and whom it let run',
    async ({ skip }) => {
      if (readFileSync('/proc/sys/kernel/sched_rt_runtime_us', 'utf8').trim() === '-1')
        return skip('nothing is throttled here');
      const planters = [['fair-hog']] as const;
      const { found, window, eventsOf } = await plantAndMeasure({ clock, flags: '--scheduler fifo', planters });
      const events = eventsOf('fair-hog');
      const throttled = foundOf(found, 'throttling', 'realtime throttling');
      // The measurement has 950 ms of each second: shorter pauses of the hog are of others that were let run.
      const turns = plantedWithin(joinTurns(events, 'turn', 5e8), 'turn', window);
      expect(throttled.letRun).toContain('fair-hog');
      expect(throttled.count).toBeGreaterThanOrEqual(Math.floor(turns.count));
      expect(throttled.totalNs).toBeGreaterThan(plantedWithin(events, 'turn', window).totalNs * 0.95);
      expect(found.artefacts.map(({ kind }) => kind)).toContain('realtime-throttling');
    },
    TIME_LIMIT_MS,
  );
});

/** Which row of /proc/interrupts, on which CPU, counts the reads of this file; undefined: none does. */
function findBusiestRow(file: string) {
  const counts = () => readFileSync('/proc/interrupts', 'utf8');
  const before = counts();
  const reads = ['disk-reads', '--cpu', `${lastCpu}`, '--path', file, '--seconds', '1'];
  if (spawnSync(plant, reads, { stdio: 'ignore' }).status !== 0) return undefined;
  return busiestRow(before, counts());
}
