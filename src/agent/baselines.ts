import { randomBytes } from 'node:crypto';
import { findInForce } from '../engine/in-force.ts';
import { readRuns } from '../engine/journal.ts';
import { UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory, LockHeld } from '../host/local-state.ts';
import type { Lock, StateDirectory } from '../host/state-directory.ts';
import type { Fingerprint } from '../latency/saved/fingerprint.ts';
import { parseSavedIndex, parseSavedRun, type SavedIndex, type SavedRun } from '../latency/saved/saved-run.ts';
import { hostFactsOf } from '../topology/host-facts.ts';
import { readInspection } from '../topology/inspection.ts';
import { readMachine } from '../topology/read.ts';
import { statePath } from './state-path.ts';

/** What becomes of runs that are saved under the name already. */
export type SaveMode = 'new' | 'append' | 'force';

/** A run with where its histograms are. */
export interface StoredRun {
  readonly saved: SavedRun;
  /** The path of its HDR log, for messages. */
  readonly logFile: string;
  readonly readLog: () => Promise<string>;
}

const FOLDER = 'baselines';
const INDEX = 'baseline.json';
/** Holds the lock of who saves; no name of a saved measurement begins with a dot. */
const LOCKED = `${FOLDER}/.saving`;
const LONGEST_SAVE_MS = 60_000;
const TRY_AGAIN_MS = 50;

/**
 * The saved measurements of this machine: `baselines/NAME/` in the state directory, with RUN.json and RUN.hlog of each run and
 * `baseline.json`, which names the runs. A run is saved when that file names it, so a save that was cut off has changed nothing.
 */
export class Baselines {
  readonly #state: StateDirectory;

  constructor(state: StateDirectory) {
    this.#state = state;
  }

  /** In the order of their names. */
  async list(): Promise<readonly SavedIndex[]> {
    const found: SavedIndex[] = [];
    for (const name of await this.#state.list(FOLDER)) {
      const index = await this.find(name);
      if (index !== undefined) found.push(index);
    }
    return found;
  }

  /** undefined when nothing is saved under this name. Throws UsageError for a file that is none of hft's. */
  async find(name: string): Promise<SavedIndex | undefined> {
    return readIndex(this.#state, `${FOLDER}/${name}`);
  }

  /** The runs, oldest first. Throws UsageError with the names that there are. */
  async load(name: string): Promise<readonly StoredRun[]> {
    const index = await this.find(name);
    if (index === undefined)
      throw new UsageError(`No measurement is saved as ${name}.`, { next: await this.#advise() });
    return readStored(this.#state, `${FOLDER}/${name}`, index);
  }

  /** Throws before anything is measured what saving would throw after it: the name is taken, or nothing can be written. */
  async prepare(name: string, mode: SaveMode): Promise<void> {
    const index = mode === 'new' ? await this.find(name) : undefined;
    if (index !== undefined) {
      throw new UsageError(`${sayRuns(index.runs.length)} saved as ${name} already.`, {
        next: [
          '`--append` adds another run of the same state, for `hft verify latency compare --abab`.',
          '`--force` replaces it; or give another name.',
        ],
      });
    }
    const check = `${FOLDER}/.check`;
    await this.#state.replace(check, '');
    await this.#state.remove(check);
  }

  /** Returns when it is on disk; throws HostError (ENOSPC, EACCES …) and leaves what was saved before as it was. */
  async save(
    name: string,
    mode: SaveMode,
    kept: { readonly saved: SavedRun; readonly log: string },
  ): Promise<SavedIndex> {
    const lock = await this.#lockSaving();
    try {
      return await this.#saveAlone(name, mode, kept);
    } finally {
      await lock.release();
    }
  }

  async #saveAlone(
    name: string,
    mode: SaveMode,
    kept: { readonly saved: SavedRun; readonly log: string },
  ): Promise<SavedIndex> {
    const folder = `${FOLDER}/${name}`;
    const { run } = kept.saved;
    await this.#state.replace(`${folder}/${run}.hlog`, kept.log);
    await this.#state.replace(`${folder}/${run}.json`, `${JSON.stringify(kept.saved, null, 1)}\n`);
    const before = mode === 'append' ? ((await this.find(name))?.runs ?? []) : [];
    const index: SavedIndex = { format: 1, name, runs: [...before, run] };
    await this.#state.replace(`${folder}/${INDEX}`, `${JSON.stringify(index, null, 1)}\n`);
    await this.#removeUnnamed(folder, index);
    return index;
  }

  /** Two that save at once would each write an index without the other's run, and remove its files. A save takes moments. */
  async #lockSaving(): Promise<Lock> {
    const deadlineMs = performance.now() + LONGEST_SAVE_MS;
    for (;;) {
      try {
        return await this.#state.lock('hft verify latency --save', LOCKED);
      } catch (error) {
        if (!(error instanceof LockHeld) || performance.now() > deadlineMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    }
  }

  pathOf(name: string): string {
    return `${this.#state.path}/${FOLDER}/${name}`;
  }

  /** What was replaced, and what a save that was cut off has left. */
  async #removeUnnamed(folder: string, { runs }: SavedIndex): Promise<void> {
    const named = new Set([INDEX, ...runs.flatMap((run) => [`${run}.json`, `${run}.hlog`])]);
    for (const file of await this.#state.list(folder))
      if (!named.has(file)) await this.#state.remove(`${folder}/${file}`);
  }

  async #advise(): Promise<string[]> {
    const names = (await this.list()).map(({ name }) => name);
    const there = names.length === 0 ? 'None is saved yet.' : `Saved: ${names.join(', ')}.`;
    return [there, '`hft verify latency --save NAME` saves one.'];
  }
}

/** The saved measurements of this machine. Nothing is read or made yet. */
export function localBaselines(environment: Readonly<Record<string, string | undefined>>): Baselines {
  return new Baselines(new LocalStateDirectory(statePath(environment)));
}

/** A saved measurement in a folder anywhere: one that was copied from another host. undefined when it is none. */
export async function readCopiedBaseline(folder: string): Promise<readonly StoredRun[] | undefined> {
  const state = new LocalStateDirectory(folder);
  const index = await readIndex(state, '.');
  return index === undefined ? undefined : readStored(state, '.', index);
}

async function readIndex(state: StateDirectory, folder: string): Promise<SavedIndex | undefined> {
  const text = await state.readText(`${folder}/${INDEX}`);
  return text === undefined ? undefined : parseSavedIndex(text, `${state.path}/${folder}/${INDEX}`);
}

async function readStored(state: StateDirectory, folder: string, { runs }: SavedIndex): Promise<readonly StoredRun[]> {
  const stored: StoredRun[] = [];
  for (const run of runs) {
    const read = (ending: string) => readNamed(state, `${folder}/${run}.${ending}`);
    const file = `${state.path}/${folder}/${run}`;
    stored.push({
      saved: parseSavedRun(await read('json'), `${file}.json`),
      logFile: `${file}.hlog`,
      readLog: () => read('hlog'),
    });
  }
  return stored.sort((one, other) => one.saved.startEpochS - other.saved.startEpochS);
}

async function readNamed(state: StateDirectory, name: string): Promise<string> {
  const text = await state.readText(name);
  if (text !== undefined) return text;
  throw new UsageError(`${state.path}/${name} is missing, which ${INDEX} beside it names.`, {
    next: ['Copy the whole folder of a saved measurement, or measure again with `--force`.'],
  });
}

/** What this machine is like now. */
export async function readLocalFingerprint(
  environment: Readonly<Record<string, string | undefined>>,
  hft: string,
): Promise<Fingerprint> {
  const host = new LocalHost();
  const machine = await readMachine(host);
  const facts = hostFactsOf(machine, await readInspection(host, machine));
  const runs = await readRuns(new LocalStateDirectory(statePath(environment)));
  return { ...facts, profileInForce: findInForce(runs)?.begin.wanted.name ?? null, hft };
}

/** Sorts by time; two runs in a second stay apart. */
export function nameSavedRun(time: Date): string {
  const stamp = time
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  return `${stamp}-${randomBytes(2).toString('hex')}`;
}

function sayRuns(runs: number): string {
  return runs === 1 ? '1 measurement is' : `${runs} measurements are`;
}
