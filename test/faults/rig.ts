import { z } from 'zod';
import { readRuns } from '../../src/engine/journal.ts';
import { observeAndPlan } from '../../src/engine/observe.ts';
import { recover } from '../../src/engine/rollback.ts';
import type { Scope, Wanted } from '../../src/engine/scope.ts';
import { type Engine, type TuneOutcome, tune } from '../../src/engine/tune.ts';
import { layoutWanted } from '../../src/layout/schema.ts';
import { defineDomain, type Setting } from '../../src/tuning/domain.ts';
import { FakeHost, Killed } from '../fake-host.ts';
import { MemoryState } from './memory-state.ts';

/** One machine and its state, with everything that hft tune and hft rollback do to them. */
export interface Rig {
  readonly host: FakeHost;
  readonly state: MemoryState;
  readonly engine: Engine;
}

/** What a profile of the rig asks: the values by id for each domain, or all that the rig has where it says nothing. */
export function wantedOf(name: string, domains: Readonly<Record<string, Readonly<Record<string, string>>>>): Wanted {
  return { name, layout: layoutWanted.parse({}), domains };
}

export const WANTED: Wanted = wantedOf('test', { memory: {}, limits: {}, irq: {} });

/** Two CPUs, some kernel files with a value each, and a file of hft's own: what most plans are made of. */
export function makeRig(overrides: Partial<Setting>[] = []): Rig {
  const host = new FakeHost({
    '/proc/sys/kernel/random/boot_id': 'boot-1\n',
    '/proc/sys/kernel/hostname': 'fake\n',
    '/proc/sys/kernel/osrelease': '6.1.0-18-amd64\n',
    '/proc/cmdline': 'quiet\n',
    '/sys/devices/system/cpu/present': '0-1\n',
    '/sys/devices/system/cpu/possible': '0-1\n',
    '/sys/devices/system/cpu/online': '0-1\n',
    ...Object.fromEntries([0, 1].flatMap(cpuFiles)),
    '/proc/sys/vm/swappiness': '60\n',
    '/sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never\n',
    '/proc/irq/default_smp_affinity': 'ff\n',
  });
  bracket(host, '/sys/kernel/mm/transparent_hugepage/enabled', ['always', 'madvise', 'never']);
  const base: Setting[] = [
    setting('memory.swappiness', { kind: 'file', path: '/proc/sys/vm/swappiness', format: 'integer' }, '0'),
    setting(
      'memory.thp',
      { kind: 'file', path: '/sys/kernel/mm/transparent_hugepage/enabled', format: 'bracketed' },
      'never',
    ),
    setting(
      'limits.file',
      { kind: 'config-file', path: '/etc/security/limits.d/90-hft.conf', mode: 0o644 },
      '@hft - memlock unlimited\n',
    ),
    setting('irq.default', { kind: 'file', path: '/proc/irq/default_smp_affinity', format: 'cpumask' }, '0-3'),
  ];
  const settings = base.map((each, index) => ({ ...each, ...overrides[index] }));
  const domains = Object.keys(WANTED.domains).map((name) =>
    defineDomain<Record<string, string>, unknown>({
      name,
      schema: async () => z.any(),
      observe: async () => ({}),
      desire: (part) => ({ settings: settings.flatMap((each) => wishOf(name, part, each)), refused: [] }),
    }),
  );
  const state = new MemoryState();
  let runs = 0;
  const engine = {
    host,
    state,
    domains,
    version: '0',
    now: () => new Date(0),
    nameRun: () => `run-${++runs}`,
  };
  return { host, state, engine };
}

function wishOf(domain: string, part: Record<string, string>, each: Setting): Setting[] {
  if (!each.id.startsWith(`${domain}.`)) return [];
  if (Object.keys(part).length === 0) return [each];
  const value = part[each.id];
  return value === undefined ? [] : [{ ...each, value }];
}

function cpuFiles(cpu: number): [string, string][] {
  const folder = `/sys/devices/system/cpu/cpu${cpu}/topology`;
  const values = { core_id: cpu, physical_package_id: 0, thread_siblings_list: cpu, core_siblings_list: '0-1' };
  return Object.entries(values).map(([name, value]) => [`${folder}/${name}`, `${value}\n`]);
}

function setting(id: string, tunable: Setting['tunable'], value: string): Setting {
  return { id, stage: 'values', tunable, value, why: 'A test.', ifRefused: 'fail', disruption: 'none' };
}

/** A file that, like the kernel's, takes a word and shows all of them with the chosen one in brackets. */
function bracket(host: FakeHost, path: string, words: readonly string[]): void {
  const set = host.files.set.bind(host.files);
  host.files.set = (name: string, text: string) => {
    const chosen = text.trim();
    const shown =
      name === path && words.includes(chosen)
        ? `${words.map((word) => (word === chosen ? `[${word}]` : word)).join(' ')}\n`
        : text;
    return set(name, shown);
  };
}

/** What the machine says, file by file: the state that tests compare. */
export function stateOf({ host }: Rig): Record<string, string> {
  return Object.fromEntries([...host.files].sort(([left], [right]) => (left < right ? -1 : 1)));
}

export interface TuneRig {
  readonly wanted?: Wanted;
  readonly scope?: Scope;
  /** Happens between plan and apply. */
  readonly meddle?: () => void;
  readonly signal?: AbortSignal;
}

export async function planRig({ engine, host, state }: Rig, { wanted = WANTED, scope }: TuneRig = {}) {
  const runs = await readRuns(state);
  return observeAndPlan({ reader: host, domains: engine.domains, runs, wanted, ...(scope && { scope }) });
}

/** hft tune --yes. undefined when the process was killed on the way. */
export async function tuneRig(rig: Rig, options: TuneRig = {}): Promise<TuneOutcome | undefined> {
  const { wanted = WANTED, scope, meddle, signal } = options;
  const planned = await planRig(rig, options);
  meddle?.();
  try {
    return await tune(rig.engine, {
      wanted,
      planned,
      planAgain: () => planRig(rig, options),
      origin: 'user',
      approve: async () => true,
      ...(scope && { scope }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (error instanceof Killed) return undefined;
    throw error;
  }
}

/** A new process undoes what was cut off, killed at its n-th write when asked, and then once more in peace. */
export async function recoverRig(rig: Rig, killAt?: number) {
  restart(rig);
  if (killAt !== undefined) {
    rig.host.faults = [{ at: killAt, effect: 'die-after' }];
    await recover(rig.engine).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    restart(rig);
  }
  return recover(rig.engine);
}

/** As a new process finds things. */
export function restart({ host, state }: Rig): void {
  host.revive();
  state.revive();
}
