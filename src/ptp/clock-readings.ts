/** What hft-probe read-clocks says of the system clock. */
export interface SystemClock {
  /** clock_getres(2) of CLOCK_REALTIME: what RTS 25 calls granularity. */
  readonly resolutionNs: number;
  /** TAI less UTC as CLOCK_TAI counts it; 0 when nobody has told the kernel. */
  readonly taiOffsetS: number;
  /** Whether whoever steers the clock says that it is right (STA_UNSYNC is not set), adjtimex(2). */
  readonly isSynchronised: boolean;
}

/** How far the system clock is from a PTP clock. */
export type ClockReading =
  | {
      readonly clock: string;
      /** precise: the device stamped both in one instant; extended, basic: read between two stamps of the system clock. */
      readonly method: 'precise' | 'extended' | 'basic';
      /** System clock (UTC) less PTP clock. */
      readonly offsetNs: number;
      /** The window in which the device was read: it was read somewhere in it. */
      readonly delayNs: number;
    }
  | { readonly clock: string; readonly error: string };

export interface ClockReadings {
  readonly system: SystemClock | undefined;
  readonly devices: readonly ClockReading[];
}

/** The lines of `hft-probe read-clocks`; those that are none are left out. */
export function parseClockReadings(text: string): ClockReadings {
  const lines = text.split('\n').slice(0, -1).map(readLine);
  const system = lines.find((line) => line?.clock === 'CLOCK_REALTIME');
  return { system: asSystem(system), devices: lines.flatMap((line) => asReading(line) ?? []) };
}

type Line = Readonly<Record<string, unknown>>;

function readLine(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Line) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function asSystem(line: Line | undefined): SystemClock | undefined {
  const { resolutionNs, taiOffsetS, isSynchronised } = line ?? {};
  if (!isWhole(resolutionNs) || !isWhole(taiOffsetS) || typeof isSynchronised !== 'boolean') return undefined;
  return { resolutionNs, taiOffsetS, isSynchronised };
}

function asReading(line: Line | undefined): ClockReading | undefined {
  const { clock, method, offsetNs, delayNs, error } = line ?? {};
  if (typeof clock !== 'string' || clock === 'CLOCK_REALTIME') return undefined;
  if (typeof error === 'string') return { clock, error };
  if (method !== 'precise' && method !== 'extended' && method !== 'basic') return undefined;
  return isWhole(offsetNs) && isWhole(delayNs) && delayNs >= 0 ? { clock, method, offsetNs, delayNs } : undefined;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
