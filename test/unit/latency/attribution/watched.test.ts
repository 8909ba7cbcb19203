import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Child } from '../../../../src/host/host.ts';
import { measureWatched, type Watched } from '../../../../src/latency/attribution/watched.ts';
import { jitter } from '../../../../src/latency/jitter/jitter.ts';
import type { Measurement } from '../../../../src/latency/probe/measure.ts';
import { FakeHost, Killed } from '../../../fake-host.ts';
import { buildMachine } from '../../../machine-builder.ts';

/**
 * A measurement and what is recorded beside it, on a made-up tracefs that keeps account: whatever fails, and wherever hft is
 * killed, nothing of it may stay. The keeper is the one of agents/probes/keep_trace.c in what it does to tracefs.
 */
const AT = '/sys/kernel/tracing';
const framesOf = (name: string) => readFileSync(join(import.meta.dirname, `../recorded/${name}.frames`), 'latin1');
/** What hft-probe prints, by the clock that it chose. */
const FRAMES = { tsc: framesOf('jitter'), raw: framesOf('jitter-raw') } as const;
const PROBE = '/hft/hft-probe';
const FILES = [
  ...['tracing_on', 'current_tracer', 'buffer_size_kb', 'tracing_cpumask', 'trace_clock'],
  ...['options/overwrite', 'options/raw'],
];
const EVENTS = ['events/sched/sched_switch/enable', 'events/osnoise/enable'];
const PID_STAT = `(hft) S 1 ${Array(17).fill(0).join(' ')}`;

class TracedHost extends FakeHost {
  /** hft was killed, and the keeper with it. */
  #isDead = false;
  readonly #probe: string | null;
  readonly #source: string;

  /** What the probe prints; null: it is not there. */
  constructor({
    probe = FRAMES.tsc,
    source = 'tsc',
  }: { readonly probe?: string | null; readonly source?: string } = {}) {
    super({
      [`/proc/${process.pid}/stat`]: `${process.pid} ${PID_STAT} 500 0\n`,
      '/proc/interrupts': '           CPU0       CPU1\n LOC:  100  100  Local timer interrupts\n',
      [`${AT}/trace_clock`]: '[local] global mono_raw x86-tsc\n',
      [`${AT}/available_tracers`]: 'osnoise nop\n',
      [`${AT}/osnoise/options`]: 'OSNOISE_WORKLOAD\n',
      [`${AT}/events/sched/enable`]: '0\n',
      [`${AT}/events/irq/enable`]: '0\n',
      [`${AT}/events/irq_vectors/enable`]: '0\n',
    });
    this.#probe = probe;
    this.#source = source;
    this.folders.add(`${AT}/instances`);
    if (probe !== null) this.commands.set(`${PROBE} clock`, `{"source":"${source}"}`);
    this.links.set('/proc/self/ns/pid', 'pid:[4026531836]');
  }

  get clock(): 'x86-tsc' | 'mono_raw' {
    return this.#source === 'raw' ? 'mono_raw' : 'x86-tsc';
  }

  withoutOsnoise(): this {
    this.files.set(`${AT}/available_tracers`, 'nop\n');
    return this;
  }

  /** What must be as before a run. */
  get left(): readonly string[] {
    const instances = [...this.files.keys(), ...this.folders].filter((path) => path.startsWith(`${AT}/instances/`));
    const options = this.files.get(`${AT}/osnoise/options`)?.trim();
    return [...instances, ...(options === 'OSNOISE_WORKLOAD' ? [] : [`osnoise/options ${options}`])];
  }

  override async startChild(argv: readonly string[]): Promise<Child | undefined> {
    await this.list('/');
    if (argv[1] === 'keep-trace') return this.#keep(argv[argv.indexOf('--instance') + 1] as string);
    if (this.#probe === null) return undefined;
    this.commands.set('probe', this.#probe);
    return super.startChild(['probe']);
  }

  #keep(name: string): Child {
    const folder = `${AT}/instances/${name}`;
    this.folders.add(folder);
    const perCpu = [0, 1].flatMap((cpu) =>
      ['buffer_size_kb', 'trace', 'stats'].map((each) => `per_cpu/cpu${cpu}/${each}`),
    );
    for (const file of [...FILES, ...EVENTS, ...perCpu]) this.files.set(`${folder}/${file}`, '');
    if (name.endsWith('-w')) this.files.set(`${AT}/osnoise/options`, 'NO_OSNOISE_WORKLOAD\n');
    let end = () => {};
    const ended = new Promise<{ exitCode: number; stderr: string }>((resolve) => {
      end = () => resolve({ exitCode: 0, stderr: '' });
    });
    const output = (async function* () {
      yield Buffer.from('ready\n');
    })();
    const signal = () => {
      if (!this.#isDead) this.takeAway(name);
      end();
    };
    return { pid: 2, output, ended, signal };
  }

  override async writeText(path: string, text: string): Promise<void> {
    try {
      await super.writeText(path, text);
    } catch (error) {
      this.#isDead ||= error instanceof Killed;
      throw error;
    }
  }

  override revive(): this {
    this.#isDead = false;
    return super.revive();
  }

  /** What the keeper does at SIGTERM, and at the death of hft. */
  takeAway(name: string): void {
    if (name.endsWith('-w')) this.files.set(`${AT}/osnoise/options`, 'OSNOISE_WORKLOAD\n');
    this.#forget(`${AT}/instances/${name}`);
  }

  override async removeFolder(path: string): Promise<void> {
    await super.removeFolder(path);
    this.#forget(path);
  }

  #forget(folder: string): void {
    this.folders.delete(folder);
    for (const path of [...this.files.keys()]) if (path.startsWith(`${folder}/`)) this.files.delete(path);
  }
}

const byKernelClock = () => new TracedHost({ probe: FRAMES.raw, source: 'raw' });

const MEASUREMENT: Measurement = {
  program: PROBE,
  probe: 'jitter',
  variant: { name: '', cpus: [1], spins: true, policy: 'other', options: {} },
  housekeeping: [0, 1],
  durationMs: 2000,
  warmupMs: 50,
  blockMs: 100,
};

const watching = { machine: buildMachine({ packages: 1, coresPerPackage: 2 }), stolenOf: jitter.stolen };
const run = (host: TracedHost) => measureWatched(host, MEASUREMENT, watching);
const instances = (host: TracedHost) =>
  [...host.folders]
    .filter((path) => path.startsWith(`${AT}/instances/`))
    .map((path) => path.split('/').pop() as string);

function attributionOf(watched: Watched) {
  if (watched.attribution === undefined) throw new Error(JSON.stringify(watched));
  return watched.attribution;
}

describe('a run that is watched', () => {
  test.each([
    ['A', new TracedHost()],
    ['B', new TracedHost().withoutOsnoise()],
    ['A', byKernelClock()],
    ['B', byKernelClock().withoutOsnoise()],
  ])('tier %s: recorded, and everything taken away', async (tier, host) => {
    const watched = await run(host);
    expect(watched.status).toBe('measured');
    expect(attributionOf(watched)).toMatchObject({ tier, clock: host.clock, artefacts: [] });
    expect(host.log).toContain(`${AT}/instances/${host.log[0]?.split('/')[5]}/trace_clock <- ${host.clock}`);
    expect(host.log).toContain(`${AT}/instances/${host.log[0]?.split('/')[5]}/tracing_on <- 1`);
    expect(host.left).toEqual([]);
  });

  test.each([
    ['a probe that is not there', new TracedHost({ probe: null }), 'unsupported'],
    ['a probe that breaks off', new TracedHost({ probe: '' }), 'failed'],
  ])('%s leaves nothing', async (_, host, status) => {
    expect((await run(host)).status).toBe(status);
    expect(host.left).toEqual([]);
  });

  test('a clock that changed between asking and measuring: nothing is joined, and said why', async () => {
    const host = new TracedHost({ probe: FRAMES.tsc, source: 'raw' }).withoutOsnoise();
    const { tier, clock, causes, missed } = attributionOf(await run(host));
    expect({ tier, clock, causes }).toEqual({ tier: 'C', clock: undefined, causes: [] });
    expect(missed.at(-1)).toEqual({ tier: 'B', reason: expect.stringMatching(/mono_raw.*timed by tsc/) });
    expect(host.left).toEqual([]);
  });

  test('frames of another version leave nothing', async () => {
    const host = new TracedHost({ probe: 'no frame at all, but long enough to be read as one' });
    await expect(run(host)).rejects.toThrow();
    expect(host.left).toEqual([]);
  });

  test('a probe without gaps records nothing, and its artefacts are said', async () => {
    const host = new TracedHost();
    host.files.set('/sys/devices/system/clocksource/clocksource0/current_clocksource', 'hpet\n');
    const watched = await measureWatched(host, MEASUREMENT, { ...watching, stolenOf: undefined });
    expect(attributionOf(watched)).toMatchObject({ causes: [], gaps: [], stolenNs: 0 });
    expect(attributionOf(watched).artefacts.map(({ kind }) => kind)).toEqual(['clocksource-unstable']);
    expect(host.log).toEqual([]);
  });
});

describe.each([
  ['A', () => new TracedHost()],
  ['B', () => new TracedHost().withoutOsnoise()],
  ['A', () => byKernelClock()],
  ['B', () => byKernelClock().withoutOsnoise()],
] as const)('tier %s', (tier, makeHost) => {
  const countWrites = async () => {
    const host = makeHost();
    await run(host);
    return host.writeCount;
  };

  test('whichever write the kernel refuses, it is measured, said why, and nothing is left', async () => {
    const writes = await countWrites();
    expect(writes).toBeGreaterThan(8);
    for (let at = 1; at <= writes; at++) {
      const host = makeHost();
      host.faults = [{ at, effect: { errno: 'EINVAL' } }];
      const watched = await run(host);
      const { tier: reached, missed, explainedNs } = attributionOf(watched);
      expect([at, watched.status, reached, explainedNs]).toEqual([at, 'measured', 'C', 0]);
      expect(missed.at(-1)).toMatchObject({ tier, reason: expect.stringContaining('EINVAL') });
      expect([at, host.left]).toEqual([at, []]);
    }
  });

  test('killed at any write together with its keeper: the next run takes away what is left, and says so', async () => {
    const writes = await countWrites();
    for (let at = 1; at <= writes; at++) {
      for (const effect of ['die-before', 'die-after'] as const) {
        const host = makeHost();
        host.faults = [{ at, effect }];
        await expect(run(host)).rejects.toThrow(Killed);
        host.revive();
        const [name] = instances(host);
        if (name === undefined) throw new Error(`killed at write ${at} and there is no instance`);
        // Another process of the same number that began later.
        host.files.set(`/proc/${process.pid}/stat`, `${process.pid} ${PID_STAT} 900 0\n`);
        const { artefacts, tier: reached } = attributionOf(await run(host));
        expect(artefacts).toEqual([{ kind: 'leftover', text: expect.stringContaining(name) }]);
        expect([at, effect, reached, host.left]).toEqual([at, effect, tier, []]);
      }
    }
  });

  test('the instance of an hft that runs is left alone', async () => {
    const host = makeHost();
    host.files.set('/proc/70/stat', `70 ${PID_STAT} 10 0\n`);
    host.folders.add(`${AT}/instances/hft-4026531836-70-10`);
    host.folders.add(`${AT}/instances/rtla`);
    await run(host);
    expect(instances(host)).toEqual(['hft-4026531836-70-10', 'rtla']);
  });
});
