import { HostError } from '../../src/errors.ts';
import type { Lock, StateDirectory } from '../../src/host/state-directory.ts';
import { Killed } from '../fake-host.ts';

/** What can happen to an append. torn: half of the text is on disk and the process is dead. */
export type AppendFault = 'die-before' | 'die-after' | 'torn' | { readonly errno: string };

/** A state directory in memory that dies, tears and fills up where a test wants it. */
export class MemoryState implements StateDirectory {
  readonly path = '/state';
  readonly files = new Map<string, string>();
  /** What is on the disk: a synced append takes all before it in its file with it. */
  private readonly synced = new Map<string, string>();
  appends = 0;
  fault: { readonly at: number; readonly effect: AppendFault } | undefined;
  /** From this append on, the disk is full. */
  fullFrom: number | undefined;
  private dead = false;
  private readonly held = new Set<string>();

  revive(): this {
    this.dead = false;
    this.fault = undefined;
    this.fullFrom = undefined;
    this.held.clear();
    return this;
  }

  async list(folder: string): Promise<readonly string[]> {
    const prefix = `${folder}/`;
    return [...this.files.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length))
      .sort();
  }

  async readText(name: string): Promise<string | undefined> {
    return this.files.get(name);
  }

  /** The power goes: what no append has synced is lost. */
  losePower(): void {
    this.files.clear();
    for (const [name, text] of this.synced) this.files.set(name, text);
  }

  async append(name: string, text: string, durable: boolean): Promise<void> {
    if (this.dead) throw new Killed('a dead process cannot append');
    this.appends++;
    const effect = this.fault?.at === this.appends ? this.fault.effect : undefined;
    const kept = this.files.get(name) ?? '';
    if (effect === 'die-before') this.die();
    if (typeof effect === 'object') throw new HostError('append', name, effect.errno);
    if (this.fullFrom !== undefined && this.appends >= this.fullFrom) throw new HostError('append', name, 'ENOSPC');
    this.files.set(name, kept + (effect === 'torn' ? text.slice(0, Math.floor(text.length / 2)) : text));
    if (durable && effect !== 'torn') this.synced.set(name, this.files.get(name) as string);
    if (effect === 'torn' || effect === 'die-after') this.die();
  }

  async replace(name: string, text: string): Promise<void> {
    this.files.set(name, text);
    this.synced.set(name, text);
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
    this.synced.delete(name);
  }

  async lock(_purpose: string, folder = ''): Promise<Lock> {
    if (this.held.has(folder)) throw new HostError('lock', this.path, 'EBUSY');
    this.held.add(folder);
    return {
      release: async () => {
        this.held.delete(folder);
      },
    };
  }

  private die(): never {
    this.dead = true;
    throw new Killed('killed by a planted fault');
  }
}
