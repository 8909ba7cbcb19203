import type { HostReader } from '../../host/host.ts';
import { findClockDaemons } from '../../ptp/daemons.ts';
import { parseTimestamping, type Timestamping } from '../../topology/ethtool-text.ts';
import type { Machine } from '../../topology/machine.ts';
import { LIST_ACTIVE_SERVICES } from '../../topology/services.ts';
import { parseUnitTable, readUnitFiles } from '../../topology/unit-files.ts';
import { observeWhole } from '../knobs/directories.ts';
import type { PtpWanted } from './schema.ts';

export interface PtpFacts {
  /** [major, minor] of ptp4l; undefined: it is not installed. */
  readonly version: readonly [number, number] | undefined;
  readonly hasSystemd: boolean;
  /** false: a capture that does not hold everything. */
  readonly isWhole: boolean;
  /** By name of every interface of this machine, VLANs included; undefined: what it can was not found out. */
  readonly stamping: ReadonlyMap<string, Stamping | undefined>;
  /** Units that steer clocks, are no units of ours, and run or are started at boot. */
  readonly rivals: readonly Rival[];
  /** Daemons that steer a clock and that no unit started, as people know them: `ntpd (4711)`. */
  readonly strays: readonly string[];
  /** The unit of chrony and the folder that its configuration includes; undefined: not installed, or it includes none. */
  readonly chrony: { readonly unit: string; readonly folder: string } | undefined;
}

export interface Stamping extends Timestamping {
  readonly hasOneStep: boolean;
}

export interface Rival {
  readonly unit: string;
  readonly isActive: boolean;
  readonly isEnabled: boolean;
}

/** Of any distribution. Instances (`phc2sys@eth0`) are found by name where they run or are enabled. */
const RIVALS = [
  'chrony',
  'chronyd',
  'systemd-timesyncd',
  'ntp',
  'ntpd',
  'ntpsec',
  'openntpd',
  'timemaster',
  'ptp4l',
  'phc2sys',
  'ts2phc',
];

const INSTANCES = ['ptp4l', 'phc2sys', 'ts2phc'];

/** Where chrony reads more from, Debian's and Red Hat's. */
const CHRONY_FILES = ['/etc/chrony/chrony.conf', '/etc/chrony.conf'];

export async function observePtp(host: HostReader, machine: Machine, wanted?: PtpWanted): Promise<PtpFacts> {
  const names = (wanted?.interfaces ?? []).filter((name) => name !== 'trading');
  const interfaces = [...new Set([...machine.nics.map(({ name }) => name), ...(await listVlans(host, names))])];
  const [version, systemd, isWhole, rivals, daemons, chrony] = await Promise.all([
    readVersion(host),
    host.list('/run/systemd/system'),
    observeWhole(host),
    findRivals(host, interfaces),
    findClockDaemons(host),
    findChrony(host),
  ]);
  const stamping = await Promise.all(interfaces.map(async (name) => [name, await readStamping(host, name)] as const));
  const strays = daemons.filter(({ unit, steers }) => unit === undefined && steers?.length !== 0);
  return {
    version,
    hasSystemd: systemd !== undefined,
    isWhole,
    stamping: new Map(stamping),
    rivals,
    strays: strays.map(({ name, pid }) => `${name} (${pid})`),
    chrony,
  };
}

/** `3.1.1`, `4.2`, `4.2-00012-gabc`. */
async function readVersion(host: HostReader): Promise<PtpFacts['version']> {
  const shown = await host.query(['ptp4l', '-v']);
  const { major, minor } = /^v?(?<major>\d+)\.(?<minor>\d+)/.exec(shown.found ? shown.stdout.trim() : '')?.groups ?? {};
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}

async function listVlans(host: HostReader, names: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(names.map((name) => host.list(`/sys/class/net/${name}`)));
  return names.filter((_, index) => there[index] !== undefined);
}

async function readStamping(host: HostReader, name: string): Promise<Stamping | undefined> {
  const shown = await host.query(['ethtool', '-T', name]);
  if (!shown.found || !shown.stdout.includes('Capabilities:')) return undefined;
  return { ...parseTimestamping(shown.stdout), hasOneStep: /^\s+onestep-sync\b/m.test(shown.stdout) };
}

async function findRivals(host: HostReader, interfaces: readonly string[]): Promise<readonly Rival[]> {
  const instances = INSTANCES.flatMap((name) => interfaces.map((each) => `${name}@${each}.service`));
  const units = [...RIVALS.map((name) => `${name}.service`), ...instances];
  const [installed, shown] = await Promise.all([readUnitFiles(host, units), host.query(LIST_ACTIVE_SERVICES)]);
  const running = [...parseUnitTable(shown.found ? shown.stdout : '').keys()];
  const isRival = (unit: string) => units.includes(unit) || INSTANCES.some((name) => unit.startsWith(`${name}@`));
  const found = new Set([...running.filter(isRival), ...units.filter((unit) => installed?.has(unit))]);
  return [...found].sort().flatMap((unit) => {
    const rival = {
      unit,
      isActive: running.includes(unit),
      isEnabled: installed?.get(unit)?.startsWith('enabled') ?? false,
    };
    return rival.isActive || rival.isEnabled ? [rival] : [];
  });
}

async function findChrony(host: HostReader): Promise<PtpFacts['chrony']> {
  for (const file of CHRONY_FILES) {
    const text = await host.readText(file);
    const folder = /^\s*confdir\s+(?<folder>\/\S+)/m.exec(text ?? '')?.groups?.folder;
    if (folder !== undefined)
      return { folder, unit: file.startsWith('/etc/chrony/') ? 'chrony.service' : 'chronyd.service' };
  }
  return undefined;
}
