import { summarize, type Verification } from '../engine/verify.ts';
import { accuracyNs, describeClass } from './accuracy.ts';
import { type Budget, type LimitRow, limitRows, systemErrorNs } from './budget.ts';
import type { PtpExpectation } from './expectation.ts';
import { type JudgedClock, judgePtp } from './judge.ts';
import type { PtpLook } from './look.ts';
import { followSync, isLive } from './track.ts';

/** What `hft verify ptp` says of one ptp4l. Offsets and delays in ns. */
export interface ClockReport {
  readonly name: string;
  readonly socket: string;
  readonly domain: number;
  /** null: it did not answer. */
  readonly state: ClockState | null;
  readonly budget: Budget;
  readonly limits: readonly LimitRow[];
}

export interface ClockState {
  readonly port: { readonly number: number; readonly state: string; readonly timestamping: string | null };
  /** s2: its servo has locked. s0: not, or it only watches. null: no port follows. */
  readonly servo: 's2' | 's0' | null;
  readonly grandmaster: {
    readonly identity: string;
    readonly clockClass: number;
    readonly meaning: string;
    readonly clockAccuracy: string;
    readonly accuracyNs: number | null;
  };
  readonly stepsRemoved: number;
  readonly twoStep: boolean;
  readonly pathDelayNs: number;
  readonly offsetNs: number;
  readonly maxOffsetNs: number;
  readonly sync: {
    /** Whether Sync comes: without it all else is of before. */
    readonly live: boolean;
    readonly ingressTimeNs: string;
    readonly stillMs: number | null;
    readonly received: number | null;
  };
  readonly time: {
    readonly timescale: 'ptp' | 'arbitrary';
    readonly utcOffsetS: number;
    readonly utcOffsetValid: boolean;
    readonly traceable: boolean;
    readonly leap: 59 | 61 | null;
  };
  /** null: stamps are made in software. */
  readonly system: {
    readonly clock: string;
    readonly method: string | null;
    readonly offsetNs: number | null;
    readonly readDelayNs: number | null;
    readonly error: string | null;
  } | null;
}

export interface PtpReport extends Verification {
  readonly looks: number;
  readonly durationS: number;
  readonly clocks: readonly ClockReport[];
  readonly kernel: {
    readonly taiOffsetS: number;
    readonly synchronised: boolean;
    readonly resolutionNs: number;
  } | null;
  /** How far TAI is ahead of UTC by what this host knows, and who says so; null: nothing was looked at. */
  readonly utcOffset: { readonly offsetS: number; readonly source: string } | null;
}

/** The whole answer, for people, `--json` and whoever gates a launch. */
export function reportPtp(host: string, looks: readonly PtpLook[], expectation: PtpExpectation): PtpReport {
  const { clocks, results } = judgePtp(looks, expectation);
  const { system, utcOffset } = looks.at(-1) ?? {};
  return {
    profile: 'ptp',
    host,
    results,
    summary: summarize(results),
    looks: looks.length,
    durationS: ((looks.at(-1)?.atMs ?? 0) - (looks[0]?.atMs ?? 0)) / 1000,
    clocks: clocks.map((clock) => reportClock(clock, expectation)),
    kernel: system
      ? { taiOffsetS: system.taiOffsetS, synchronised: system.isSynchronised, resolutionNs: system.resolutionNs }
      : null,
    utcOffset: utcOffset ? { offsetS: utcOffset.offsetS, source: utcOffset.source } : null,
  };
}

function reportClock({ track, budget }: JudgedClock, expectation: PtpExpectation): ClockReport {
  const { name, target } = track;
  return { name, ...target, state: stateOf(track.seen), budget, limits: limitRows(budget, expectation) };
}

function stateOf(seen: JudgedClock['track']['seen']): ClockState | null {
  const last = seen.at(-1);
  if (last === undefined) return null;
  const { clock, port } = last;
  const { class: clockClass, accuracy, identity } = clock.grandmaster;
  const first = seen[0]?.port.received?.sync;
  return {
    port: { number: port.number, state: port.state, timestamping: port.timestamping ?? null },
    servo: port.state === 'SLAVE' ? 's2' : port.state === 'UNCALIBRATED' ? 's0' : null,
    grandmaster: {
      identity,
      clockClass,
      meaning: describeClass(clockClass).meaning,
      clockAccuracy: `0x${accuracy.toString(16)}`,
      accuracyNs: accuracyNs(accuracy) ?? null,
    },
    stepsRemoved: clock.stepsRemoved,
    twoStep: clock.twoStep,
    pathDelayNs: clock.pathDelayNs,
    offsetNs: clock.offsetNs,
    maxOffsetNs: Math.max(...seen.map((each) => Math.abs(each.clock.offsetNs))),
    sync: {
      live: isLive(seen),
      ingressTimeNs: String(clock.ingressTimeNs),
      stillMs: followSync(seen).stillMs ?? null,
      received: first === undefined || port.received === undefined ? null : port.received.sync - first,
    },
    time: {
      timescale: clock.time.isPtpTimescale ? 'ptp' : 'arbitrary',
      utcOffsetS: clock.time.utcOffsetS,
      utcOffsetValid: clock.time.isUtcOffsetValid,
      traceable: clock.time.isTraceable,
      leap: clock.time.leap ?? null,
    },
    system: systemOf(last),
  };
}

function systemOf(last: JudgedClock['track']['seen'][number]): ClockState['system'] {
  const { reading } = last;
  if (reading === undefined) return null;
  if ('error' in reading)
    return { clock: reading.clock, method: null, offsetNs: null, readDelayNs: null, error: reading.error };
  const { clock, method, delayNs } = reading;
  return { clock, method, offsetNs: systemErrorNs(last) ?? null, readDelayNs: delayNs, error: null };
}
