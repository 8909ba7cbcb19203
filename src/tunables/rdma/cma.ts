import type { HostReader } from '../../host/host.ts';
import type { RdmaTunable } from '../tunable.ts';

/** configfs of rdma_cm: a folder for a device is made to read and write what its connections begin with. */
export const CMA_ROOT = '/sys/kernel/config/rdma_cm';

const FILES = { 'cma-mode': 'default_roce_mode', 'cma-tos': 'default_roce_tos' } as const;
type CmaAttribute = keyof typeof FILES;

export function cmaFile({ device, port, attribute }: RdmaTunable): string {
  return `${CMA_ROOT}/${device}/ports/${port}/${FILES[attribute as CmaAttribute]}`;
}

/** What the kernel takes when nobody says otherwise (drivers/infiniband/core/cma.c): no TOS, and RoCE v2 where the port has it. */
export async function defaultOf(
  reader: HostReader,
  { device, port, attribute }: RdmaTunable,
): Promise<string | undefined> {
  if (attribute === 'cma-tos') return '0';
  const folder = `/sys/class/infiniband/${device}/ports/${port}/gid_attrs/types`;
  const types = new Set<string>();
  for (const name of (await reader.list(folder)) ?? []) types.add(await readGidType(reader, `${folder}/${name}`));
  return ['RoCE v2', 'IB/RoCE v1'].find((type) => types.has(type));
}

/** An entry without a GID cannot be read (EINVAL). */
async function readGidType(reader: HostReader, path: string): Promise<string> {
  try {
    return (await reader.readText(path))?.trim() ?? '';
  } catch (error) {
    if ((error as { code?: string }).code === 'EINVAL') return '';
    throw error;
  }
}

/** Whether nothing is left in the folder of a device that the kernel would not do without it. */
export async function isAllDefault(reader: HostReader, device: string): Promise<boolean> {
  for (const name of (await reader.list(`${CMA_ROOT}/${device}/ports`)) ?? []) {
    for (const attribute of Object.keys(FILES) as CmaAttribute[]) {
      const tunable = { kind: 'rdma', device, port: Number(name), attribute } as const;
      const text = await reader.readText(cmaFile(tunable));
      if (text?.trim() !== (await defaultOf(reader, tunable))) return false;
    }
  }
  return true;
}
