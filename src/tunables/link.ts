import { HostError } from '../errors.ts';
import type { Host, HostReader, QueryResult } from '../host/host.ts';
import { readFormatted, unreadable } from './file.ts';
import type { TunableKind, Write } from './kind.ts';
import type { LinkTunable, Reading } from './tunable.ts';

/**
 * An attribute of a network device: mtu and txqueuelen through /sys/class/net, the root queueing discipline through
 * tc(8). https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-class-net
 */
export const linkKind: TunableKind<LinkTunable> = {
  persistent: false,
  read: (reader, tunable) =>
    tunable.attribute === 'qdisc'
      ? readQdisc(reader, tunable.device)
      : readFormatted(reader, sysfsPath(tunable), 'integer'),
  canonical: (_tunable, value) => value.trim(),
  // A qdisc that hft put there is not one that somebody configured by hand.
  asIf({ device, attribute }, value) {
    if (attribute !== 'qdisc') return [];
    const shown = `${JSON.stringify([{ kind: value, root: true, handle: '0:' }])}\n`;
    return [{ argv: showQdisc(device), edit: () => shown }];
  },
  async write(host, writes) {
    for (const write of writes) await writeAttribute(host, write);
  },
};

async function writeAttribute(host: Host, { tunable, value }: Write<LinkTunable>): Promise<void> {
  if (value === null) throw new HostError('remove', `${tunable.device} ${tunable.attribute}`, 'EINVAL');
  if (tunable.attribute === 'qdisc') await writeQdisc(host, tunable.device, value);
  else await host.writeText(sysfsPath(tunable), value);
}

function sysfsPath({ device, attribute }: LinkTunable): string {
  return `/sys/class/net/${device}/${attribute === 'mtu' ? 'mtu' : 'tx_queue_len'}`;
}

/** The root queueing discipline of a device. `isDefault`: the kernel attached it (handle 0:), nobody configured it. */
export interface RootQdisc {
  readonly kind: string;
  readonly isDefault: boolean;
}

/** Parses what `tc -j qdisc show dev X root` prints; undefined for anything else. */
export function parseRootQdisc(text: string): RootQdisc | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  const root: unknown = parsed.find((entry) => entry?.root === true);
  if (typeof root !== 'object' || root === null || !('kind' in root) || !('handle' in root)) return undefined;
  if (typeof root.kind !== 'string' || typeof root.handle !== 'string') return undefined;
  return { kind: root.kind, isDefault: root.handle === '0:' };
}

export function showQdisc(device: string): readonly string[] {
  return ['tc', '-j', 'qdisc', 'show', 'dev', device, 'root'];
}

async function readQdisc(reader: HostReader, device: string): Promise<Reading> {
  const where = `tc qdisc show dev ${device} root`;
  try {
    return judgeQdisc(where, await reader.query(showQdisc(device)));
  } catch (error) {
    return unreadable(error, where);
  }
}

function judgeQdisc(where: string, shown: QueryResult): Reading {
  if (!shown.found) {
    return { status: 'unreadable', code: 'ENOENT', evidence: `${where}: tc is not installed, or was not captured` };
  }
  const qdisc = parseRootQdisc(shown.stdout);
  const evidence = `${where}: ${(shown.stdout.trim() || shown.stderr.trim()).slice(0, 200)}`;
  if (qdisc !== undefined) return { status: 'value', value: qdisc.kind, evidence };
  if (shown.exitCode !== 0) return { status: 'missing', evidence };
  return { status: 'unreadable', code: 'EINVAL', evidence };
}

/**
 * Deleting the root brings back what the kernel attaches by itself (mq with one child per queue, noqueue), which
 * `replace` cannot: it would make a copy that stays when the default changes. So deleting is tried first for values
 * that can be that default.
 */
async function writeQdisc(host: Host, device: string, value: string): Promise<void> {
  const byDefault = (await host.readText('/proc/sys/net/core/default_qdisc'))?.trim();
  if (['mq', 'noqueue', 'pfifo_fast', byDefault].includes(value)) {
    await runTc(host, ['qdisc', 'del', 'dev', device, 'root']);
    const now = await readQdisc(host, device);
    if (now.status === 'value' && now.value === value) return;
  }
  await runTc(host, ['qdisc', 'replace', 'dev', device, 'root', value]);
}

async function runTc(host: Host, argv: readonly string[]): Promise<void> {
  const result = await host.execute(['tc', ...argv]);
  if (!result.found) throw new HostError('run', 'tc', 'ENOENT');
}
