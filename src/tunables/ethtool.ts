import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { runEthtool } from './ethtool/execute.ts';
import { GROUPS } from './ethtool/groups.ts';
import { canonicalIndirection } from './ethtool/indirection.ts';
import { showEthtool } from './ethtool/query.ts';
import { forgetEvenTable, readRss, writeRss } from './ethtool/rss.ts';
import type { TunableKind, Write } from './kind.ts';
import type { EthtoolGroup, EthtoolTunable, Reading } from './tunable.ts';

/**
 * One parameter of a NIC, read and set through ethtool(8). The parameters of one device and group that are set
 * together are one command, hence one link flap; what a driver does not have (`n/a`) is `missing`.
 */
export const ethtoolKind: TunableKind<EthtoolTunable> = {
  persistent: false,
  read: (reader, tunable) =>
    tunable.group === 'rss' ? readRss(reader, tunable.device) : readParameter(reader, tunable, tunable.group),
  canonical: (tunable, value) => (tunable.group === 'rss' ? canonicalIndirection(value) : canonicalParameter(value)),
  batchKey: (tunable) => `ethtool ${tunable.device} ${tunable.group}`,
  async write(host, writes) {
    const first = writes[0]?.tunable;
    if (first === undefined) return;
    if (first.group === 'rss') for (const write of writes) await writeRss(host, first.device, wantedOf(write));
    else await writeParameters(host, writes, first.group);
  },
};

type ParameterGroup = Exclude<EthtoolGroup, 'rss'>;

async function readParameter(
  reader: HostReader,
  { device, key }: EthtoolTunable,
  group: ParameterGroup,
): Promise<Reading> {
  const { show: option, parse } = GROUPS[group];
  const shown = await showEthtool(reader, { option, device, parse });
  if (!shown.ok) return shown.reading;
  const where = `ethtool ${option} ${device}`;
  const parameter = shown.output.get(key);
  if (parameter === undefined) return { status: 'missing', evidence: `${where}: says nothing of ${key}` };
  const evidence = `${where}: ${parameter.line.replaceAll(/\s+/g, ' ')}${parameter.max === undefined ? '' : ` (at most ${parameter.max})`}`;
  if (parameter.value === undefined) return { status: 'missing', evidence };
  return { status: 'value', value: parameter.value, evidence };
}

function canonicalParameter(value: string): string {
  const trimmed = value.trim();
  if (trimmed === 'on' || trimmed === 'off') return trimmed;
  if (/^\d+$/.test(trimmed)) return BigInt(trimmed).toString();
  throw new RangeError(`expected a number, on or off, got ${JSON.stringify(value)}`);
}

/**
 * One command for all. One parameter that the driver does not take refuses the whole command, so then each is tried
 * alone, and only what all of them come to is an error: reading back tells which ones took.
 */
async function writeParameters(
  host: Host,
  writes: readonly Write<EthtoolTunable>[],
  group: ParameterGroup,
): Promise<void> {
  const known = await knownToDriver(host, writes, group);
  let code = await setParameters(host, known, group);
  const isTableInTheWay = code === 'EINVAL' && group === 'channels' && (await forgetEvenTable(host, deviceOf(known)));
  if (isTableInTheWay) code = await setParameters(host, known, group);
  if (code === undefined) return;
  const codes: (string | undefined)[] = [];
  if (known.length > 1) for (const write of known) codes.push(await setParameters(host, [write], group));
  if (codes.includes(undefined)) return;
  throw new HostError('run', `ethtool ${commandOf(known, group).join(' ')}`, code);
}

/** Without those that the driver shows as `n/a`; all of them when that would leave none, so that the error is seen. */
async function knownToDriver(
  host: Host,
  writes: readonly Write<EthtoolTunable>[],
  group: ParameterGroup,
): Promise<readonly Write<EthtoolTunable>[]> {
  if (writes.length < 2) return writes;
  const device = deviceOf(writes);
  const shown = await showEthtool(host, { option: GROUPS[group].show, device, parse: GROUPS[group].parse });
  const parameters = shown.ok ? shown.output : undefined;
  const known = writes.filter(({ tunable }) => parameters?.get(tunable.key)?.value !== undefined);
  return known.length === 0 ? writes : known;
}

function setParameters(
  host: Host,
  writes: readonly Write<EthtoolTunable>[],
  group: ParameterGroup,
): Promise<string | undefined> {
  return runEthtool(host, commandOf(writes, group));
}

function commandOf(writes: readonly Write<EthtoolTunable>[], group: ParameterGroup): readonly string[] {
  return [GROUPS[group].set, deviceOf(writes), ...writes.flatMap((write) => [write.tunable.key, wantedOf(write)])];
}

/** A batch is of one device. */
function deviceOf(writes: readonly Write<EthtoolTunable>[]): string {
  return (writes[0] as Write<EthtoolTunable>).tunable.device;
}

function wantedOf({ tunable, value }: Write<EthtoolTunable>): string {
  if (value === null) throw new HostError('remove', `${tunable.device} ${tunable.group} ${tunable.key}`, 'EINVAL');
  return value;
}
