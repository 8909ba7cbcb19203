import { findGoverning, partsInForce } from '../../engine/in-force.ts';
import { readRuns } from '../../engine/journal.ts';
import { readTrialState } from '../../engine/trial.ts';
import type { Engine } from '../../engine/tune.ts';
import { judgeSeen } from '../../launch/judge.ts';
import { tabulate } from '../../launch/table.ts';
import { driftFamilies, isolatedFamilies, settingsFamilies, statusFamilies } from '../../metrics/host-families.ts';
import { latencyFamilies } from '../../metrics/latency-families.ts';
import { processFamilies } from '../../metrics/process-families.ts';
import { DEFAULT_LIMIT_NS, type PtpExpectation, UTC_LIMITS } from '../../ptp/expectation.ts';
import { findTargets, type PtpTarget } from '../../ptp/look.ts';
import { ptpFamilies } from '../../ptp/metrics.ts';
import { reportPtp } from '../../ptp/report.ts';
import type { PtpWanted } from '../../tuning/ptp/schema.ts';
import { readLastLatency, readLastVerdict } from '../last-latency.ts';
import { needsSupervisor, readLaunch } from '../launching.ts';
import type { LocalStatus } from '../local-status.ts';
import { ProcessWatch, type WatchSite } from '../watch-processes.ts';
import { collectPtp } from '../watch-ptp.ts';
import { type Exposed, KeptReading, type ReadingSpec } from './kept-reading.ts';
import { readIsolatedCpus } from './read-isolated.ts';
import { readSettings } from './read-settings.ts';

export interface ReadingSite extends Pick<ReadingSpec, 'mayRead' | 'onFailed' | 'nowMs'> {
  /** Its host is a quiet one. */
  readonly engine: Engine;
  readonly watch: WatchSite;
  readonly status: () => Promise<LocalStatus>;
  /** Where hft-probe is. */
  readonly probe: string;
}

/** How old figures may be before a scrape has them read again, by what it costs to read them. */
export const MAX_AGE_MS = {
  isolated: 10_000,
  processes: 10_000,
  latency: 30_000,
  ptp: 60_000,
  status: 60_000,
  /** A plan of the whole profile. */
  settings: 600_000,
} as const;

/** All that is read of the host for whoever scrapes. */
export function hostReadings(site: ReadingSite): Readonly<Record<keyof typeof MAX_AGE_MS, KeptReading>> {
  const { engine, mayRead, onFailed, nowMs } = site;
  const keep = (name: keyof typeof MAX_AGE_MS, read: () => Promise<Exposed>) =>
    new KeptReading({ name, maxAgeMs: MAX_AGE_MS[name], read, mayRead, onFailed, nowMs });
  return {
    status: keep('status', async () => {
      const [{ drift, ...status }, trial] = [await site.status(), await readTrialState(engine.host)];
      const families = [...statusFamilies({ ...status, trial }), ...driftFamilies({ settings: drift })];
      return () => families;
    }),
    settings: keep('settings', async () => {
      const families = settingsFamilies(await readSettings(engine));
      return () => families;
    }),
    isolated: keep('isolated', async () => {
      const families = isolatedFamilies(await readIsolatedCpus(engine.host));
      return () => families;
    }),
    processes: keep('processes', followedProcesses(site.watch)),
    latency: keep('latency', lastLatency(engine)),
    ptp: keep('ptp', followedPtp(site)),
  };
}

/** Each time one look: what happened since the one before it is judged. */
function followedProcesses(watch: WatchSite): () => Promise<Exposed> {
  const watching = new ProcessWatch(watch);
  return async () => {
    const seen = await watching.look();
    if (seen === undefined) return () => [];
    const launched = await readLaunch(watch.run, watch.host);
    const families = processFamilies({
      deployment: seen.deployment,
      gate: seen.gate,
      rows: tabulate(seen),
      wanted: seen.subjects.filter(({ isWanted }) => isWanted).map(({ placed }) => placed.name),
      judged: seen.looks.length > 1 ? judgeSeen(seen) : [],
      supervised: launched.order === undefined ? undefined : !needsSupervisor(launched),
    });
    return () => families;
  };
}

/** The whole of a measurement is read when there is a new one. */
function lastLatency({ state }: Engine): () => Promise<Exposed> {
  let known: { readonly time: string; readonly exposed: Exposed } | undefined;
  return async () => {
    const time = (await readLastVerdict(state))?.time;
    if (time === undefined) return () => [];
    if (known?.time === time) return known.exposed;
    const record = await readLastLatency(state);
    if (record === undefined) return () => [];
    const exposed: Exposed = (nowMs) => latencyFamilies(record, nowMs);
    known = { time, exposed };
    return exposed;
  };
}

/** A Sync at the slowest rate that is in use is seen to come. */
const CLOCK_LOOKS = { everyMs: 2_500, durationMs: 5_000 };

/** Nothing where there never was a ptp4l and nobody wants one. One that is gone has to be told. */
function followedPtp({ engine, probe }: ReadingSite): () => Promise<Exposed> {
  const { host, state, domains } = engine;
  const names = domains.map(({ name }) => name);
  let last: PtpTarget | undefined;
  return async () => {
    const there = await findTargets(host);
    last = there[0] ?? last;
    const governing = findGoverning(partsInForce(await readRuns(state), names), 'ptp');
    const wanted = governing?.wanted.domains.ptp as Partial<PtpWanted> | undefined;
    if (last === undefined && wanted === undefined) return () => [];
    const target = there.length === 0 ? last : undefined;
    const looks = await collectPtp(host, { target, probe, clientSocket: undefined, ...CLOCK_LOOKS });
    const name = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? host.label;
    const families = ptpFamilies(reportPtp(name, looks, expectationOf(wanted)));
    return () => families;
  };
}

/** What `hft verify ptp` expects, but for what the profile in force says. */
function expectationOf(wanted: Partial<PtpWanted> | undefined): PtpExpectation {
  return {
    limitNs: wanted?.limit ?? DEFAULT_LIMIT_NS,
    timescale: wanted?.timescale ?? 'ptp',
    utcLimits: UTC_LIMITS,
    allowsFreeRunning: false,
    grandmaster: undefined,
    isPrivileged: process.getuid?.() === 0,
  };
}
