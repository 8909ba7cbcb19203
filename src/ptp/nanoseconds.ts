const UNITS: readonly (readonly [string, number])[] = [
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
];

/** `-258 ns`, `1.23 us`, `37 s`: three figures that say something. */
export function formatNs(ns: number): string {
  const [unit, size] = UNITS.find(([, each]) => Math.abs(ns) >= each) ?? ['ns', 1];
  return `${Number((ns / size).toPrecision(3))} ${unit}`;
}
