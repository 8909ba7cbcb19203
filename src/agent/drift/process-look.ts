import type { Sighting } from '../../drift/drift.ts';
import { adoptedNow } from '../../engine/adopt.ts';
import type { Adopted } from '../../engine/journal.ts';
import { judgeSeen } from '../../launch/judge.ts';
import type { Look } from '../../launch/look.ts';
import { type LookMemory, newLookMemory } from '../../launch/look-memory.ts';
import { readOrder } from '../launch-files.ts';
import { lookQuietly, type WatchSite } from '../watch-processes.ts';

/** What processes drift in: where they run, and whether they do. What they do there is for `hft verify processes`. */
const OF_PLACEMENT = /^processes\.(?:running|thread|threads|cpus|policy|partition)@/;

export interface ProcessesSeen {
  readonly seen: readonly string[];
  readonly differing: readonly Sighting[];
}

/** Looks at what was launched and adopted, now and then. */
export class ProcessLooks {
  readonly #site: WatchSite;
  readonly #memory: LookMemory = newLookMemory();
  #before: Look | undefined;
  #adopted: readonly Adopted[] = [];

  constructor(site: WatchSite) {
    this.#site = site;
  }

  /** The journal is read for it: when it has changed. */
  async findAdopted(): Promise<void> {
    this.#adopted = await adoptedNow(this.#site);
  }

  /** What changed since the look before, and what is not where it was placed. Nothing at the first look. */
  async look(atMs: number): Promise<ProcessesSeen> {
    const looked = await lookQuietly(this.#site, { adopted: this.#adopted, memory: this.#memory, atMs });
    const before = this.#before;
    this.#before = looked?.look;
    if (looked === undefined || before === undefined) return { seen: [], differing: [] };
    const judged = judgeSeen(looked.about([before, looked.look])).filter(({ id }) => OF_PLACEMENT.test(id));
    const isSupervised = (await readOrder(this.#site.run))?.heal === true;
    const failed = judged.filter(({ status }) => status === 'fail');
    return {
      seen: judged.map(({ id }) => id),
      differing: failed.map(({ id, expected, actual, evidence }) => ({
        ...{ id, domain: 'processes', wanted: expected, is: actual, evidence },
        remedy: { disruption: 'none', takesEffect: 'now', heal: isSupervised ? 'supervised' : 'no' },
      })),
    };
  }
}
