/** What a port of a DPDK process counted: `/ethdev/stats,N` of its telemetry socket. */
export interface PortStats {
  readonly ipackets: number;
  readonly opackets: number;
  readonly imissed: number;
  readonly ierrors: number;
  readonly oerrors: number;
  readonly rxNombuf: number;
}

export interface Telemetry {
  /** `DPDK 22.11.11` */
  readonly version: string;
  readonly ports: readonly number[];
  /** Of each port, in the order of `ports`. */
  readonly stats: readonly PortStats[];
}

const COUNTERS = ['ipackets', 'opackets', 'imissed', 'ierrors', 'oerrors', 'rx_nombuf'] as const;

/**
 * Parses what `hft-probe telemetry SOCKET /ethdev/list /ethdev/stats,0 …` printed: a greeting, the list of ports, and a
 * line for each port. Undefined for anything else: a counter that is missing or no count makes the whole unreadable.
 */
export function parseTelemetry(text: string): Telemetry | undefined {
  const lines = text.split('\n');
  // A last line without its end may be cut.
  if (lines.pop() !== '') return undefined;
  const [greeting, list, ...rest] = lines.map(parseObject);
  const ports = list?.['/ethdev/list'];
  if (typeof greeting?.version !== 'string' || !greeting.version.startsWith('DPDK ')) return undefined;
  if (!Array.isArray(ports) || !ports.every(isCount) || ports.length !== rest.length) return undefined;
  const stats = rest.map((line) => parseStats(line?.['/ethdev/stats']));
  return stats.every((each) => each !== undefined) ? { version: greeting.version, ports, stats } : undefined;
}

function parseStats(value: unknown): PortStats | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const counts = COUNTERS.map((key) => (value as Record<string, unknown>)[key]);
  if (!counts.every(isCount)) return undefined;
  const [ipackets, opackets, imissed, ierrors, oerrors, rxNombuf] = counts as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { ipackets, opackets, imissed, ierrors, oerrors, rxNombuf };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
