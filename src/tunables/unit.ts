import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import type { TunableKind, Write } from './kind.ts';
import type { Reading, UnitTunable } from './tunable.ts';

/**
 * A systemd unit, read and changed through systemctl(1). A unit that is not installed counts as inactive and disabled: hft can be about
 * to install it, and to remove it again. activity lives until the next boot, enablement across boots;
 * both are journaled as persistent, since an enablement that is undone late must be undone all the same.
 */
export const unitKind: TunableKind<UnitTunable> = {
  persistent: true,
  read: (reader, tunable) =>
    tunable.aspect === 'activity' ? readActivity(reader, tunable) : readEnablement(reader, tunable),
  canonical: (_tunable, value) => value,
  batchKey: (tunable) => `unit ${tunable.name} ${tunable.aspect}`,
  asIf: ({ name, aspect }, value) =>
    aspect === 'enablement'
      ? [{ argv: ['systemctl', 'list-unit-files'], edit: (text) => withState(text, name, value ?? 'disabled') }]
      : [{ argv: ['systemctl', 'list-units'], edit: (text) => withActive(text, name, value === 'active') }],
  async write(host, writes) {
    for (const write of writes) await writeUnit(host, write);
  },
};

/** sd_booted(3): the folder is there exactly when systemd is the init of this machine. */
const NO_SYSTEMD = 'systemd is not the init of this machine (no /run/systemd/system), so no unit runs';

/** `activating` and `reloading` count as active; `failed` as inactive: what matters is whether it runs. */
async function readActivity(reader: HostReader, { name }: UnitTunable): Promise<Reading> {
  const shown = await reader.query(['systemctl', 'show', '-p', 'LoadState,ActiveState', name]);
  if (!shown.found) return { status: 'missing', evidence: 'systemctl: not installed' };
  const properties = parseProperties(shown.stdout);
  const active = properties.ActiveState;
  if (active === undefined) {
    const evidence = `systemctl show ${name}: ${shown.stderr.trim()}`;
    const hasSystemd = (await reader.list('/run/systemd/system')) !== undefined;
    return hasSystemd ? { status: 'unreadable', code: 'EIO', evidence } : { status: 'missing', evidence: NO_SYSTEMD };
  }
  if (properties.LoadState === 'not-found')
    return { status: 'value', value: 'inactive', evidence: `${name}: no such unit` };
  const running = active === 'active' || active === 'activating' || active === 'reloading';
  return { status: 'value', value: running ? 'active' : 'inactive', evidence: `${name}: ActiveState=${active}` };
}

async function readEnablement(reader: HostReader, { name }: UnitTunable): Promise<Reading> {
  const shown = await reader.query(['systemctl', 'is-enabled', name]);
  if (!shown.found) return { status: 'missing', evidence: 'systemctl: not installed' };
  const state = shown.stdout.trim();
  if (state === '' || state === 'not-found')
    return { status: 'value', value: 'disabled', evidence: `${name}: no such unit` };
  return { status: 'value', value: state, evidence: `systemctl is-enabled ${name}: ${state}` };
}

async function writeUnit(host: Host, { tunable, value }: Write<UnitTunable>): Promise<void> {
  const { name, aspect } = tunable;
  if (aspect === 'activity') {
    await systemctl(host, [value === 'active' ? 'start' : 'stop', name]);
    return;
  }
  if (value === 'masked') await systemctl(host, ['mask', name]);
  else {
    await systemctl(host, ['unmask', name]);
    if (value === 'enabled') await systemctl(host, ['enable', name]);
    if (value === 'disabled') await systemctl(host, ['disable', name]);
  }
}

async function systemctl(host: Host, args: readonly string[]): Promise<void> {
  const result = await host.execute(['systemctl', '--quiet', ...args]);
  if (!result.found) throw new HostError('run', 'systemctl', 'ENOENT');
}

/** The lines of `systemctl list-unit-files` are `unit state preset`. A unit that is not installed has none. */
function withState(text: string, name: string, state: string): string {
  const edited = text.split('\n').map((line) => {
    const [unit, , ...rest] = line.trim().split(/\s+/);
    return unit === name ? [unit, state, ...rest].join(' ') : line;
  });
  return edited.join('\n');
}

/** The lines of `systemctl list-units --state=active` are `unit load active sub description`, services only. */
function withActive(text: string, name: string, isActive: boolean): string {
  const others = text.split('\n').filter((line) => line.trim().split(/\s+/)[0] !== name);
  const own = isActive && name.endsWith('.service') ? [`${name} loaded active running`] : [];
  return [...own, ...others].join('\n');
}

function parseProperties(text: string): Record<string, string> {
  const entries = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()] as const] : [];
  });
  return Object.fromEntries(entries);
}
