import { UsageError } from '../errors.ts';

export interface ListenAddress {
  /** Without brackets. */
  readonly address: string;
  readonly port: number;
}

/** `10.0.0.7:7411`, `[::1]:7411`. */
export function printListen({ address, port }: ListenAddress): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** `127.0.0.1`, `[::]:7500`: an address of this host, not a name. Throws UsageError. */
export function parseListen(text: string, flag: string, defaultPort: number): ListenAddress {
  const match = /^(?:(?<v4>\d+\.\d+\.\d+\.\d+)|\[(?<v6>[0-9a-fA-F:]+)\])(?::(?<port>\d{1,5}))?$/.exec(text);
  const { v4, v6, port = String(defaultPort) } = match?.groups ?? {};
  const address = v4 ?? v6;
  if (address !== undefined && Number(port) < 65_536) return { address, port: Number(port) };
  throw new UsageError(`${flag}: expected ADDRESS or ADDRESS:PORT of this host, got ${JSON.stringify(text)}.`, {
    next: ['`127.0.0.1` is reached from this host alone, `0.0.0.0` from everywhere.'],
  });
}

const METRICS_PORT = 7412;
const OFF = 'off';

/** `--metrics`; undefined: nobody asked for it. Throws UsageError. */
export function parseMetrics(text: string): ListenAddress | undefined {
  return text === OFF || text === '' ? undefined : parseListen(text, '--metrics', METRICS_PORT);
}
