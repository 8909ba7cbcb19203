import { HostError } from '../errors.ts';
import type { Child, Host, QueryResult } from '../host/host.ts';
import type { OrderedProcess } from '../launch/order.ts';
import { explainPlacing } from '../launch/placing-report.ts';
import type { ProcessEnd, ProcessFacts, ProcessRecord } from '../launch/supervision.ts';
import { readStart } from './find-process.ts';

interface Site {
  readonly host: Host;
  readonly probe: string;
  readonly nowMs: () => number;
}

/** How often a thread that was moved is put back, where the deployment allows it. */
const HEAL_EVERY_MS = 1_000;

/** What one process is doing, and what was asked of it and is not answered yet. Of this supervisor alone: nothing of it is kept. */
export class Watch {
  readonly name: string;
  readonly #site: Site;
  #child: Child | undefined;
  #end: ProcessEnd | undefined;
  /** The pid that is being placed, or was. */
  #placing: number | undefined;
  #placed: { readonly failed: string | undefined } | undefined;
  #failedChecks = 0;
  #isChecking = false;
  #checkedMs: number | undefined;
  #isHealing = false;
  #healedMs = 0;

  constructor(site: Site, name: string) {
    this.#site = site;
    this.name = name;
  }

  get isPlacing(): boolean {
    return this.#placing !== undefined;
  }

  /** A process that this supervisor started, so that it knows how it ends. */
  own(child: Child): void {
    this.#child = child;
    this.#end = undefined;
    this.#placing = undefined;
    this.#placed = undefined;
    void child.ended.then((end) => {
      if (this.#child === child) this.#end = { exitCode: end.exitCode };
    });
  }

  async see(record: ProcessRecord): Promise<Pick<ProcessFacts, 'alive' | 'end' | 'placed'>> {
    const { pid, startTicks } = record;
    if (pid === undefined) return { alive: false, end: undefined, placed: undefined };
    const isOwn = this.#child?.pid === pid;
    const placed = this.#placing === pid ? this.#placed : undefined;
    // Gone from /proc and not reported yet: how it ended comes in a moment.
    if (isOwn) return { alive: this.#end === undefined, end: this.#end, placed };
    const start = await readStart(this.#site.host, pid);
    return { alive: start !== undefined && start === startTicks, end: undefined, placed };
  }

  /** Puts its threads on their CPUs; what came of it is seen later. */
  place(process: OrderedProcess, { pid }: ProcessRecord): void {
    if (pid === undefined) return;
    this.#placing = pid;
    this.#placed = undefined;
    void this.#run(placeLine(this.#site, process, { pid, withinS: process.wanted.readyWithin })).then((result) => {
      if (this.#placing === pid) this.#placed = { failed: explainPlacing(result) };
    });
  }

  failedChecks({ phase }: ProcessRecord): number {
    return phase === 'running' ? this.#failedChecks : 0;
  }

  forgetChecks(): void {
    this.#failedChecks = 0;
    this.#checkedMs = undefined;
  }

  /** The health check, when it is time for it, and the healing of threads that were moved. */
  look(process: OrderedProcess, { pid }: ProcessRecord, heals: boolean): void {
    const now = this.#site.nowMs();
    const { health } = process.wanted;
    if (process.check !== undefined && health !== undefined && !this.#isChecking) {
      this.#checkedMs ??= now;
      if (now - this.#checkedMs >= health.every * 1000) this.#check(process.check, now);
    }
    if (!heals || pid === undefined || this.#isHealing || now - this.#healedMs < HEAL_EVERY_MS) return;
    this.#isHealing = true;
    this.#healedMs = now;
    void this.#run(placeLine(this.#site, process, { pid, withinS: 0 })).then(() => {
      this.#isHealing = false;
    });
  }

  #check(argv: readonly string[], now: number): void {
    this.#isChecking = true;
    this.#checkedMs = now;
    void this.#run(argv).then((result) => {
      this.#isChecking = false;
      const isHealthy = result?.found === true && result.exitCode === 0;
      this.#failedChecks = isHealthy ? 0 : this.#failedChecks + 1;
    });
  }

  /** undefined: it could not be run at all, or did not end. */
  async #run(argv: readonly string[]): Promise<QueryResult | undefined> {
    try {
      return await this.#site.host.execute(argv);
    } catch (error) {
      if (error instanceof HostError) return undefined;
      throw error;
    }
  }
}

function placeLine(
  { probe }: Site,
  { threads }: OrderedProcess,
  { pid, withinS }: { readonly pid: number; readonly withinS: number },
): string[] {
  return [probe, 'place-threads', '--pid', String(pid), '--within-ms', String(Math.round(withinS * 1000)), ...threads];
}
