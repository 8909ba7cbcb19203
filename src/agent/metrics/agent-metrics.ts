import {
  type AgentActivity,
  activityFamilies,
  type Build,
  buildFamilies,
  costFamilies,
  type OwnCost,
  readingFamilies,
} from '../../metrics/agent-families.ts';
import { CONTENT_TYPE, printFamilies } from '../../metrics/exposition.ts';
import { type HealthFacts, judgeHealth } from './health.ts';
import type { KeptReading } from './kept-reading.ts';
import type { Page } from './metrics-server.ts';

export interface MetricsSources {
  readonly build: Build;
  /** The one that /healthz depends on is `status`. */
  readonly readings: { readonly status: KeptReading } & Readonly<Record<string, KeptReading>>;
  readonly activity: () => Omit<AgentActivity, 'healthy'>;
  readonly cost: () => Promise<OwnCost>;
  readonly health: () => Omit<HealthFacts, 'statusFailure'>;
  /** ms of a clock that never goes back. */
  readonly nowMs: () => number;
}

/** Who scrapes after the start waits so long for what was never read; later nobody waits. */
const FIRST_MS = 3_000;
/** Who asks more often gets the same text. */
const SAME_TEXT_MS = 1_000;

/** The two pages of the agent. */
export class AgentMetrics {
  readonly #sources: MetricsSources;
  #printed: { readonly text: Promise<string>; readonly atMs: number } | undefined;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
  }

  async metrics(): Promise<Page> {
    const nowMs = this.#sources.nowMs();
    if (this.#printed === undefined || nowMs - this.#printed.atMs >= SAME_TEXT_MS)
      this.#printed = { text: this.#print(), atMs: nowMs };
    return { status: 200, type: CONTENT_TYPE, text: await this.#printed.text };
  }

  /** A line of JSON. */
  async healthz(): Promise<Page> {
    await withinMs(this.#sources.readings.status.refresh(), FIRST_MS);
    const reasons = this.#whyUnhealthy();
    const health = reasons.length === 0 ? { status: 'ok' } : { status: 'unhealthy', reasons };
    const type = 'application/json; charset=utf-8';
    return { status: reasons.length === 0 ? 200 : 503, type, text: `${JSON.stringify(health)}\n` };
  }

  #whyUnhealthy(): readonly string[] {
    const { health, readings } = this.#sources;
    return judgeHealth({ ...health(), statusFailure: readings.status.failure });
  }

  async #print(): Promise<string> {
    const { build, readings, activity, cost } = this.#sources;
    const all = Object.values(readings);
    const begun = all.map((reading) => [reading, reading.refresh()] as const);
    const first = begun.filter(([reading]) => !reading.isKnown).map(([, ended]) => ended);
    if (first.length > 0) await withinMs(Promise.all(first), FIRST_MS);
    const nowMs = Date.now();
    return printFamilies([
      ...buildFamilies(build),
      ...activityFamilies({ ...activity(), healthy: this.#whyUnhealthy().length === 0 }),
      ...costFamilies(await cost()),
      ...readingFamilies(all.map(({ state }) => state)),
      ...all.flatMap((reading) => reading.families(nowMs)),
    ]);
  }
}

/** It goes on after that. */
async function withinMs(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
