import type { QueryResult } from '../src/host/host.ts';
import { readBootId } from '../src/host/process-identity.ts';
import { FakeHost } from './fake-host.ts';

const FOLDERS = ['/run/systemd/system', '/etc/systemd/system'];

interface Unit {
  readonly active: 'active' | 'inactive' | 'failed' | 'activating';
  readonly sub?: string;
  readonly result?: string;
  readonly pid?: number;
  readonly restarts?: number;
}

/**
 * A host with a systemd that knows what these tests need: unit files are read at daemon-reload, a start obeys ConditionPathExists=, a masked
 * unit does not start, a service that has a watchdog and lost its file is killed. Proves nothing about systemd: the lab does.
 */
export class FakeSystemd extends FakeHost {
  readonly loaded = new Map<string, string>();
  readonly fragments = new Map<string, string>();
  readonly units = new Map<string, Unit>();
  /** Unit files of packages, by the unit's name. */
  readonly packaged = new Set<string>();
  /** The start of these is refused, with the text. */
  readonly refuses = new Map<string, string>();
  /** Units that systemd does not load whatever is there. */
  readonly unloadable = new Set<string>();
  #nextPid = 1000;

  constructor() {
    super({ '/run/systemd/system/x': '', '/proc/sys/kernel/random/boot_id': `${readBootId()}\n` });
    this.commands.set('systemctl', (_host, _input, argv) => this.#answer(argv.slice(1)));
  }

  /** The power goes off and comes back: /run is empty, systemd reads what is on disk, nothing runs. */
  reboot(): void {
    this.revive();
    for (const path of [...this.files.keys()])
      if (/^\/run\/(hft|systemd\/system\/hft)/.test(path)) this.files.delete(path);
    this.units.clear();
    this.#reload();
  }

  pidOf(name: string): number | undefined {
    return this.units.get(name)?.pid;
  }

  #answer(argv: readonly string[]): QueryResult {
    const [verb, ...names] = argv.filter((word) => !word.startsWith('--'));
    if (verb === 'show') return ok(names.map((name) => this.#show(name)).join('\n\n'));
    if (verb === 'daemon-reload') this.#reload();
    if (verb === 'stop') for (const name of names) this.#stop(name);
    if (verb === 'start' || verb === 'restart') {
      const said = names.flatMap((name) => this.#start(name) ?? []);
      if (said.length > 0) return { found: true, exitCode: 1, stdout: '', stderr: said.join('\n') };
    }
    return ok('');
  }

  #reload(): void {
    const watched = [...this.loaded].flatMap(([name, text]) => (/^WatchdogSec=/m.test(text) ? [name] : []));
    this.loaded.clear();
    for (const folder of FOLDERS)
      for (const [path, text] of this.files) {
        const name = path.slice(folder.length + 1);
        if (!path.startsWith(`${folder}/`) || !/^[^/]+\.(service|target)$/.test(name) || this.unloadable.has(name))
          continue;
        this.loaded.set(name, text);
        this.fragments.set(name, path);
      }
    for (const name of watched) if (!this.loaded.has(name)) this.#stop(name);
  }

  #show(name: string): string {
    const path = `/etc/systemd/system/${name}`;
    const unit = this.units.get(name) ?? { active: 'inactive' as const };
    const isMasked = this.links.get(path) === '/dev/null';
    const isLoaded = this.loaded.has(name);
    const state = isMasked ? 'masked' : isLoaded || this.packaged.has(name) ? 'loaded' : 'not-found';
    const fragment = isLoaded
      ? this.fragments.get(name)
      : this.packaged.has(name)
        ? `/usr/lib/systemd/system/${name}`
        : '';
    const facts = {
      Id: name,
      LoadState: state,
      FragmentPath: fragment,
      NeedDaemonReload: this.files.get(fragment ?? path) === this.loaded.get(name) ? 'no' : 'yes',
      ActiveState: unit.active,
      SubState: unit.sub ?? (unit.active === 'active' ? 'running' : 'dead'),
      Result: unit.result ?? 'success',
      MainPID: unit.pid ?? 0,
      NRestarts: unit.restarts ?? 0,
      ExecMainStartTimestampMonotonic: unit.pid === undefined ? 0 : 1000,
    };
    return Object.entries(facts)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n');
  }

  #start(name: string): string | undefined {
    const refused = this.refuses.get(name);
    if (refused !== undefined) return refused;
    const text = this.loaded.get(name);
    if (text === undefined) return `Unit ${name} not found.`;
    if (this.units.get(name)?.active === 'active') return undefined;
    const condition = /^ConditionPathExists=(.*)$/m.exec(text)?.[1]?.replace('%b', readBootId().replaceAll('-', ''));
    if (condition !== undefined && !this.files.has(condition)) return undefined;
    this.#nextPid++;
    this.units.set(name, { active: 'active', pid: this.#nextPid });
    this.files.set(`/proc/${this.#nextPid}/stat`, `${this.#nextPid} (md) S ${'0 '.repeat(18)}77 0\n`);
    return undefined;
  }

  #stop(name: string): void {
    const pid = this.units.get(name)?.pid;
    if (pid !== undefined) this.files.delete(`/proc/${pid}/stat`);
    this.units.delete(name);
  }
}

function ok(stdout: string): QueryResult {
  return { found: true, exitCode: 0, stdout, stderr: '' };
}
