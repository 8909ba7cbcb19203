/** A time in the unit that keeps it short, with three digits: `160ns`, `1.23us`, `12.3us`, `1.20ms`, `2.50s`. */
export function printNs(ns: number): string {
  const [size, unit] = UNITS.find(([unitNs]) => ns >= unitNs * 0.9995) ?? [1, 'ns'];
  const value = ns / size;
  if (unit === 'ns') return `${Number(value.toPrecision(3))}ns`;
  const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(decimals)}${unit}`;
}

const UNITS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
] as const;

/** A limit as people write it: `0.5us`, `2us`, `1ms`. */
export function printLimit(ns: number): string {
  const [size, unit] =
    UNITS.find(([unitNs]) => ns >= unitNs) ?? (ns >= 100 ? ([1e3, 'us'] as const) : ([1, 'ns'] as const));
  return `${Number((ns / size).toPrecision(3))}${unit}`;
}

/** Whole seconds as `--duration` takes them, rounded up to two digits: `45s`, `17m`, `3h`. */
export function printLength(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)}s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)}m` : `${Math.ceil(seconds / 3600)}h`;
}
