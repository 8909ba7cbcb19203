import type { HostReader } from '../host/host.ts';
import { readNames } from './kernel-file.ts';
import type { Service } from './machine.ts';

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
const SHOW_UNITS = ['systemctl', 'show', '--no-pager', '--property=Id,LoadState,ActiveState,UnitFileState', ...UNITS];

/** Where unit files are, the administrator's first. systemd.unit(5) */
const UNIT_FOLDERS = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/**
 * The services of this machine that fight tuning, those that are installed. Asked of systemd; where it does not answer
 * (a dump, a container), told from unit files, and from the cgroup that a running service has.
 */
export async function readServices(reader: HostReader): Promise<readonly Service[]> {
  const shown = await reader.query(SHOW_UNITS);
  const units = shown.found ? parseUnits(shown.stdout) : [];
  return units.length > 0 ? units.flatMap((unit) => unit.service ?? []) : findServices(reader);
}

/** One unit of `systemctl show`; no service when it is not installed. */
interface ShownUnit {
  readonly service: Service | undefined;
}

/** Parses the blocks of `systemctl show`, one per unit that was asked for. */
export function parseUnits(text: string): readonly ShownUnit[] {
  return text
    .split('\n\n')
    .map((block) => new Map([...block.matchAll(/^(\w+)=(.*)$/gm)].map((match) => [match[1], match[2]])))
    .filter((properties) => properties.has('Id'))
    .map((properties) => {
      const isInstalled = properties.get('LoadState') === 'loaded' || properties.get('LoadState') === 'masked';
      return { service: isInstalled ? asService(properties) : undefined };
    });
}

function asService(properties: ReadonlyMap<string | undefined, string | undefined>): Service {
  const state = properties.get('ActiveState') ?? '';
  return {
    name: (properties.get('Id') ?? '').replace(/\.service$/, ''),
    active: ['active', 'activating', 'reloading'].includes(state),
    enabled: (properties.get('UnitFileState') ?? '').startsWith('enabled'),
  };
}

async function findServices(reader: HostReader): Promise<readonly Service[]> {
  const listings = await Promise.all(UNIT_FOLDERS.map((folder) => readNames(reader, folder)));
  const installed = new Set(listings.flat());
  const wanted = await readWanted(reader, listings[0] ?? []);
  const running = new Set([
    ...(await readNames(reader, '/sys/fs/cgroup/system.slice')),
    ...(await readNames(reader, '/sys/fs/cgroup/systemd/system.slice')),
  ]);
  return UNITS.filter((unit) => installed.has(unit)).map((unit) => ({
    name: unit.replace(/\.service$/, ''),
    active: running.has(unit),
    enabled: wanted.has(unit),
  }));
}

/** What targets want: enabling a unit puts a link to it into `multi-user.target.wants` and the like. */
async function readWanted(reader: HostReader, names: readonly string[]): Promise<ReadonlySet<string>> {
  const folders = names.filter((name) => /\.(?:wants|requires)$/.test(name));
  return new Set((await Promise.all(folders.map((name) => readNames(reader, `${UNIT_FOLDERS[0]}/${name}`)))).flat());
}
