/** TAI less UTC since 2017; no leap second has been announced since. IERS Bulletin C */
export const UTC_OFFSET_S = 37;

const TOLERANCE_NS = 1e6;

/** Whether a difference is the one of TAI and UTC, either way: a flag is wrong, not a servo. */
export function isLeapSeconds(ns: number): boolean {
  return Math.abs(Math.abs(ns) - UTC_OFFSET_S * 1e9) < TOLERANCE_NS;
}
