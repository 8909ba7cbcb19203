/** A limit that people are held to, and by whom. */
export interface UtcLimit {
  readonly name: string;
  readonly source: string;
  /** The most that the clock may be from UTC. */
  readonly divergenceNs: number;
  /** The coarsest step in which times may be told; undefined: no rule. */
  readonly granularityNs?: number;
}

/** What regulators ask, by whom a host is trading for. The texts are of 2026. */
export const UTC_LIMITS: readonly UtcLimit[] = [
  {
    name: 'rts-25',
    source: 'Delegated Regulation (EU) 2017/574 (RTS 25), high-frequency trading',
    divergenceNs: 100_000,
    granularityNs: 1_000,
  },
  { name: 'cat', source: 'FINRA rule 4590 and the Consolidated Audit Trail', divergenceNs: 50_000_000 },
];

/** What a host's time is to be like. */
export interface PtpExpectation {
  /** The most that the system clock may be from the grandmaster: offset, PTP clock to system clock, and their error. */
  readonly limitNs: number;
  /** Held against the sum with the grandmaster's accuracy, where its time is UTC's. */
  readonly utcLimits: readonly UtcLimit[];
  /** ptp: TAI with a valid UTC offset. arbitrary: a time of the grandmaster's own, which nothing ties to UTC. */
  readonly timescale: 'ptp' | 'arbitrary';
  /** A ptp4l that only watches (free_running) stays UNCALIBRATED for ever: whether that counts as following. */
  readonly allowsFreeRunning: boolean;
  /** The one grandmaster that may be followed, `ec4670.fffe.00a1b2`; undefined: any. */
  readonly grandmaster: string | undefined;
  /** Whether the looks were made with root's rights: without, no answer is not known to be the daemon's fault. */
  readonly isPrivileged: boolean;
}

/** What a host has to keep before anything is launched on it, unless its profile says otherwise: what RTS 25 asks. */
export const DEFAULT_LAUNCH_LIMIT_NS = 100_000;

/** Our own target, tighter than any regulation. */
export const DEFAULT_LIMIT_NS = 100;
