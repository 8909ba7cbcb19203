import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import { findActiveMtu } from './rdma/active-mtu.ts';
import { CMA_ROOT, cmaFile, defaultOf, isAllDefault } from './rdma/cma.ts';
import type { RdmaTunable, Reading } from './tunable.ts';

/**
 * What connections over RoCE begin with, by device and port: rdma_cm's mode and type of service in configfs, the traffic class
 * that NVIDIA's driver forces upon all, and the MTU that is in effect (which nobody writes: the interface's makes it).
 * Documentation/ABI/testing/configfs-rdma_cm. Gone after a reboot.
 */
export const rdmaKind: TunableKind<RdmaTunable> = {
  persistent: false,
  async read(reader, tunable) {
    try {
      return await readAttribute(reader, tunable);
    } catch (error) {
      return unreadable(error, `${tunable.device}/${tunable.port} ${tunable.attribute}`);
    }
  },
  canonical: canonicalAttribute,
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) throw new HostError('remove', `${tunable.device} ${tunable.attribute}`, 'EINVAL');
      await writeAttribute(host, tunable, value);
    }
  },
};

function canonicalAttribute({ attribute }: RdmaTunable, value: string): string {
  const text = value.trim();
  const isRight = attribute === 'cma-mode' ? /^(?:RoCE v2|IB\/RoCE v1)$/.test(text) : /^(?:-1|\d{1,4})$/.test(text);
  if (!isRight) throw new RangeError(`expected a value of ${attribute}, got ${JSON.stringify(value)}`);
  return attribute === 'cma-mode' ? text : String(Number(text));
}

async function readAttribute(reader: HostReader, tunable: RdmaTunable): Promise<Reading> {
  switch (tunable.attribute) {
    case 'cma-mode':
    case 'cma-tos':
      return readCma(reader, tunable);
    case 'traffic-class':
      return readTrafficClass(reader, tunable);
    case 'active-mtu':
      return findActiveMtu(reader, tunable);
  }
}

/** Without its folder the kernel tells nothing: then nobody has set it, and the kernel's own value is in effect. */
async function readCma(reader: HostReader, tunable: RdmaTunable): Promise<Reading> {
  const { device } = tunable;
  if ((await reader.list(`/sys/class/infiniband/${device}`)) === undefined) {
    return { status: 'missing', evidence: `/sys/class/infiniband/${device}: there is no such RDMA device` };
  }
  if ((await reader.list(CMA_ROOT)) === undefined) {
    const evidence = `${CMA_ROOT}: not there; it comes with the module rdma_cm (modprobe rdma_cm) and a mounted configfs`;
    return { status: 'missing', evidence };
  }
  const path = cmaFile(tunable);
  const text = await reader.readText(path);
  if (text !== undefined) return readingOf(tunable, text, path);
  const byDefault = await defaultOf(reader, tunable);
  if (byDefault === undefined) {
    return {
      status: 'unreadable',
      code: 'ENOENT',
      evidence: `${path}: not there, and no GID says what the kernel takes`,
    };
  }
  return { status: 'value', value: byDefault, evidence: `${path}: not there, so the kernel's own: ${byDefault}` };
}

function readingOf(tunable: RdmaTunable, text: string, path: string): Reading {
  const shown = text.trimEnd();
  try {
    return { status: 'value', value: canonicalAttribute(tunable, text), evidence: `${path}: ${shown}` };
  } catch {
    const evidence = `${path}: not a value of it: ${JSON.stringify(shown.slice(0, 100))}`;
    return { status: 'unreadable', code: 'EINVAL', evidence };
  }
}

function trafficClassFile({ device, port }: RdmaTunable): string {
  return `/sys/class/infiniband/${device}/tc/${port}/traffic_class`;
}

/** `Global tclass=106`; without that line none is forced, which is -1. */
async function readTrafficClass(reader: HostReader, tunable: RdmaTunable): Promise<Reading> {
  const path = trafficClassFile(tunable);
  const text = await reader.readText(path);
  if (text === undefined) {
    return { status: 'missing', evidence: `${path}: not there; only NVIDIA's own driver (DOCA, MLNX_OFED) has it` };
  }
  return readingOf(tunable, text.trim() === '' ? '-1' : (/^Global tclass=(\d+)$/m.exec(text)?.[1] ?? text), path);
}

async function writeAttribute(host: Host, tunable: RdmaTunable, value: string): Promise<void> {
  const { device, attribute } = tunable;
  if (attribute === 'active-mtu') throw new HostError('write', `active MTU of ${device}`, 'EPERM');
  if (attribute === 'traffic-class') return host.writeText(trafficClassFile(tunable), value);
  await host.makeFolder(`${CMA_ROOT}/${device}`);
  await host.writeText(cmaFile(tunable), value);
  if (await isAllDefault(host, device)) await host.removeFolder(`${CMA_ROOT}/${device}`);
}
