import type { Counters } from '../agent/protocol/results.ts';
import { counter, type Family, gauge, type Sample } from './exposition.ts';

/** What the agent costs its host, since it started. */
export interface OwnCost {
  readonly userCpuS: number;
  readonly systemCpuS: number;
  /** Of the programs that it asked (ethtool, systemctl ...). */
  readonly childrenCpuS: number;
  readonly residentBytes: number;
  readonly openFds: number;
  readonly threads: number;
  /** Times that one of its threads slept and was woken up. */
  readonly wakeUps: number;
  readonly preemptions: number;
  /** That its one thread of JavaScript was not waiting. */
  readonly loopBusyS: number;
  /** Unix time. */
  readonly startedS: number;
}

/** What the agent has to do with controllers and scrapers. */
export interface AgentActivity {
  readonly connections: number;
  readonly atWork: number;
  readonly counters: Counters;
  readonly scrapes: { readonly answered: number; readonly refused: number };
  /** 1: /healthz says 200. */
  readonly healthy: boolean;
}

/** Something that is read when somebody scrapes, and kept. */
export interface ReadingState {
  readonly name: string;
  /** Since it was last read; undefined: not yet. */
  readonly ageS: number | undefined;
  readonly tookS: number | undefined;
  readonly failures: number;
}

export interface Build {
  readonly version: string;
  /** Of Node. */
  readonly runtime: string;
}

export function buildFamilies({ version, runtime }: Build): readonly Family[] {
  return [gauge('hft_build_info', '1: the hft that runs as the agent.', [[{ version, runtime }, 1]])];
}

export function activityFamilies(activity: AgentActivity): readonly Family[] {
  const { connections, atWork, counters, scrapes, healthy } = activity;
  const { answered, refused, malformed, unknownKeys, limited } = counters;
  return [
    gauge('hft_agent_healthy', '1: /healthz says 200.', [[{}, Number(healthy)]]),
    gauge('hft_agent_connections', 'Connections of controllers.', [[{}, connections]]),
    gauge('hft_agent_requests_at_work', 'Requests at work or waiting for a turn.', [[{}, atWork]]),
    counter('hft_agent_requests_total', 'Requests of controllers that were answered, and those that were refused.', [
      [{ outcome: 'answered' }, answered],
      [{ outcome: 'refused' }, refused],
    ]),
    counter('hft_agent_dropped_messages_total', 'Messages and connections that were dropped.', [
      [{ reason: 'malformed' }, malformed],
      [{ reason: 'unknown_key' }, unknownKeys],
      [{ reason: 'limited' }, limited],
    ]),
    counter('hft_agent_scrapes_total', 'HTTP requests that were answered, and those that were refused or cut off.', [
      [{ outcome: 'answered' }, scrapes.answered],
      [{ outcome: 'refused' }, scrapes.refused],
    ]),
  ];
}

/** The names that client libraries of Prometheus have for the cost of a process, and hft's own. */
export function costFamilies(cost: OwnCost): readonly Family[] {
  return [
    counter('process_cpu_seconds_total', 'CPU time of the agent, user and system.', [
      [{}, round(cost.userCpuS + cost.systemCpuS)],
    ]),
    gauge('process_resident_memory_bytes', 'Resident memory of the agent.', [[{}, cost.residentBytes]]),
    gauge('process_start_time_seconds', 'When the agent started, Unix time.', [[{}, round(cost.startedS)]]),
    gauge('process_open_fds', 'Open file descriptors of the agent.', [[{}, cost.openFds]]),
    gauge('hft_agent_threads', 'Threads of the agent.', [[{}, cost.threads]]),
    counter('hft_agent_children_cpu_seconds_total', 'CPU time of the programs that the agent asked.', [
      [{}, round(cost.childrenCpuS)],
    ]),
    counter('hft_agent_wakeups_total', 'Times that a thread of the agent slept and was woken up.', [
      [{}, cost.wakeUps],
    ]),
    counter('hft_agent_preemptions_total', 'Times that another thread was put in the place of one of the agent.', [
      [{}, cost.preemptions],
    ]),
    counter('hft_agent_loop_busy_seconds_total', 'Time in which the event loop of the agent did not wait.', [
      [{}, round(cost.loopBusyS)],
    ]),
  ];
}

export function readingFamilies(readings: readonly ReadingState[]): readonly Family[] {
  const known = (of: (state: ReadingState) => number | undefined) =>
    readings.flatMap((state): Sample[] => {
      const value = of(state);
      return value === undefined ? [] : [[{ reading: state.name }, round(value)]];
    });
  return [
    gauge(
      'hft_reading_age_seconds',
      'How old the figures are that this scrape has of a part of the host.',
      known(({ ageS }) => ageS),
    ),
    gauge(
      'hft_reading_duration_seconds',
      'How long it took to read them.',
      known(({ tookS }) => tookS),
    ),
    counter(
      'hft_reading_failures_total',
      'Times that they could not be read.',
      known(({ failures }) => failures),
    ),
  ];
}

function round(seconds: number): number {
  return Number(seconds.toFixed(6));
}
