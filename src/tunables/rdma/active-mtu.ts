import type { HostReader } from '../../host/host.ts';
import type { RdmaTunable, Reading } from '../tunable.ts';

/** The MTU that RDMA packets have on a port, bytes, through ibv_devinfo(1): no file in /sys says it. */
export async function findActiveMtu(
  reader: HostReader,
  { device, port }: Pick<RdmaTunable, 'device' | 'port'>,
): Promise<Reading> {
  const where = `ibv_devinfo -d ${device} -i ${port}`;
  const shown = await reader.query(['ibv_devinfo', '-d', device, '-i', String(port)]);
  if (!shown.found) {
    const evidence = `${where}: not installed (package ibverbs-utils), or its answer was not captured`;
    return { status: 'unreadable', code: 'ENOENT', evidence };
  }
  const mtu = parseActiveMtu(shown.stdout, device, port);
  if (mtu !== undefined) return { status: 'value', value: String(mtu), evidence: `${where}: active_mtu ${mtu}` };
  const said = shown.stderr.trim().split('\n').at(-1)?.slice(0, 200);
  return { status: 'unreadable', code: 'EINVAL', evidence: `${where}: ${said || "no answer that is ibv_devinfo's"}` };
}

const SIZES: Readonly<Record<string, number>> = { '1': 256, '2': 512, '3': 1024, '4': 2048, '5': 4096 };

/** `active_mtu: 1024 (3)` below `port: 1` below `hca_id: rxe0`; undefined unless size and number agree (enum ibv_mtu). */
export function parseActiveMtu(text: string, device: string, port: number): number | undefined {
  const block = text.split(/^hca_id:/m).find((each) => each.split('\n')[0]?.trim() === device);
  const part = block
    ?.split(/^\s*port:/m)
    .find((each, index) => index > 0 && each.split('\n')[0]?.trim() === String(port));
  const found = /^\s*active_mtu:\s+(\d+) \((\d)\)$/m.exec(part ?? '');
  const mtu = SIZES[found?.[2] ?? ''];
  return mtu !== undefined && String(mtu) === found?.[1] ? mtu : undefined;
}
