import type { HostReader } from '../host/host.ts';
import { readNames } from './kernel-file.ts';
import type { Service } from './machine.ts';
import { parseUnitTable, readUnitFiles } from './unit-files.ts';

/** Services that set what hft sets, or move what it placed. What each does is said in the services domain. */
const NAMES = [
  ...['irqbalance', 'tuned', 'tuned-ppd', 'power-profiles-daemon', 'thermald', 'numad', 'cpupower', 'cpufrequtils'],
  ...['loadcpufreq', 'ondemand', 'cpufreqd', 'auto-cpufreq', 'tlp', 'laptop-mode', 'ksm', 'ksmtuned', 'intel_lpmd'],
  ...['scx_loader', 'ananicy', 'ananicy-cpp', 'earlyoom', 'systemd-oomd', 'bpftune', 'perftune', 'scylla-tune-sched'],
  ...[
    'unattended-upgrades',
    'packagekit',
    'rt-conf',
    'sapconf',
    'saptune',
    'google-set-multiqueue',
    'set_irq_affinity',
  ],
];

const UNITS = NAMES.map((name) => `${name}.service`);

/** The whole list, whatever names are looked for: snapshots stay good for a later hft that knows more of them. */
export const LIST_ACTIVE_SERVICES = [
  ...['systemctl', 'list-units', '--type=service', '--state=active,activating,reloading'],
  ...['--no-legend', '--no-pager', '--plain'],
];

/** Where unit files are, the administrator's first. systemd.unit(5) */
const UNIT_FOLDERS = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/**
 * The services of this machine that fight tuning, those that are installed. Asked of systemd; where it does not answer
 * (a dump, a container), told from unit files, and from the cgroup that a running service has.
 */
export async function readServices(reader: HostReader): Promise<readonly Service[]> {
  const enablement = await readUnitFiles(reader, UNITS);
  if (enablement === undefined) return findServices(reader);
  const active = await reader.query(LIST_ACTIVE_SERVICES);
  const running = parseUnitTable(active.found ? active.stdout : '');
  return UNITS.flatMap((unit) => {
    const state = enablement.get(unit);
    return state === undefined ? [] : [asService(unit, running.has(unit), state.startsWith('enabled'))];
  });
}

function asService(unit: string, active: boolean, enabled: boolean): Service {
  return { name: unit.replace(/\.service$/, ''), active, enabled };
}

async function findServices(reader: HostReader): Promise<readonly Service[]> {
  const listings = await Promise.all(UNIT_FOLDERS.map((folder) => readNames(reader, folder)));
  const installed = new Set(listings.flat());
  const wanted = await readWanted(reader, listings[0] ?? []);
  const running = new Set([
    ...(await readNames(reader, '/sys/fs/cgroup/system.slice')),
    ...(await readNames(reader, '/sys/fs/cgroup/systemd/system.slice')),
  ]);
  return UNITS.filter((unit) => installed.has(unit)).map((unit) =>
    asService(unit, running.has(unit), wanted.has(unit)),
  );
}

/** What targets want: enabling a unit puts a link to it into `multi-user.target.wants` and the like. */
async function readWanted(reader: HostReader, names: readonly string[]): Promise<ReadonlySet<string>> {
  const folders = names.filter((name) => /\.(?:wants|requires)$/.test(name));
  return new Set((await Promise.all(folders.map((name) => readNames(reader, `${UNIT_FOLDERS[0]}/${name}`)))).flat());
}
