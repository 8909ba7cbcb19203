import { UsageError } from '../errors.ts';

const UNITS_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6 };

/** ns of one unit of an HDR log's values; the format does not say it, so ns unless `--unit` does. */
export function parseUnit(unit: string | undefined): number {
  const ns = UNITS_NS[unit ?? 'ns'];
  if (ns === undefined) throw new UsageError(`--unit: expected ns, us or ms, got ${JSON.stringify(unit)}`);
  return ns;
}
