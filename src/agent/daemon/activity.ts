import { RULES } from '../protocol/request.ts';
import type { Work } from './work.ts';

/** What the daemon does now; for its metrics. */
export interface DaemonActivity {
  /** Controllers can connect. */
  readonly isListening: boolean;
  readonly isEnding: boolean;
  /** A request that changes the host is at work. */
  readonly isChanging: boolean;
  readonly connections: number;
  /** Requests at work or waiting. */
  readonly atWork: number;
  /** Of the requests that only look; undefined: none is at work. */
  readonly oldestLookS: number | undefined;
}

export function describeWorks(
  works: readonly Work[],
  nowMs: number,
): Pick<DaemonActivity, 'isChanging' | 'atWork' | 'oldestLookS'> {
  const looks = works.filter(({ request }) => !RULES[request.question.ask].writes);
  const started = looks.flatMap(({ startedMs }) => startedMs ?? []);
  return {
    isChanging: works.length > looks.length,
    atWork: works.length,
    oldestLookS: started.length === 0 ? undefined : (nowMs - Math.min(...started)) / 1_000,
  };
}
