import { type LaunchRequest, type LaunchSite, orderLaunch, orderStop, readLaunch } from '../../src/agent/launching.ts';
import { FakeSystemd } from '../fake-systemd.ts';
import { buildMachine } from '../machine-builder.ts';
import { load, place, withRoles } from '../unit/launch/placing.ts';
import { HostState } from './host-state.ts';

const machine = withRoles(buildMachine({ coresPerPackage: 8 }), { isolated: { cores: 'most' } });

export const MD = '/etc/systemd/system/hft-trading-md.service';

/** A process with a secret, and one that requires it. */
export const DEPLOYMENT = `name: desk
processes:
  md: {command: [/opt/md], cpus: {count: 1}, environment: {PASSWORD: hunter2}, ready: notify, health: {watchdog: 10s}}
  strategy: {command: [/opt/strategy], cpus: {count: 1}, requires: [md]}
`;

/** A host with systemd, and what hft launch and hft stop do to it. */
export class LaunchRig {
  readonly host = new FakeSystemd();
  readonly site: LaunchSite;

  constructor() {
    const { host } = this;
    let runs = 0;
    let seconds = 0;
    this.site = {
      host,
      state: new HostState(host, '/var/lib/hft'),
      kept: new HostState(host, '/var/lib/hft/launch'),
      run: new HostState(host, '/run/hft/launch'),
      ownsHost: true,
      probe: '/usr/lib/hft/dist/hft-probe',
      command: '/usr/lib/hft/bin/hft',
      version: '0',
      nameRun: () => `run-${++runs}`,
      startSupervisor: async () => {
        throw new Error('systemd runs this host');
      },
      now: () => new Date(++seconds * 1000),
    };
  }

  async launch(text?: string, names?: readonly string[]) {
    return orderLaunch(this.site, await requestOf(text, names));
  }

  stop(...names: string[]) {
    return orderStop(this.site, names, 'a test');
  }

  /** What is on the host but for what runs and the record of who asked. */
  left(): string[] {
    const own = (path: string) => !path.startsWith('/proc/') && !/launches\.jsonl$|^\/run\//.test(path);
    const folders = [...this.host.folders].filter((path) => path.startsWith('/etc/'));
    return [...[...this.host.files.keys()].filter(own), ...folders].sort();
  }

  units(): string[] {
    return this.left().filter((path) => path.startsWith('/etc/'));
  }

  running(): string[] {
    return [...this.host.units.keys()].sort();
  }

  async phases(): Promise<Record<string, string>> {
    const { state } = await readLaunch(this.site.run, this.host);
    const records = state?.processes ?? [];
    return Object.fromEntries(records.map(({ name, phase, why }) => [name, why ? `${phase}: ${why}` : phase]));
  }
}

async function requestOf(text = DEPLOYMENT, names?: readonly string[]): Promise<LaunchRequest> {
  const deployment = await load(text);
  return {
    deployment,
    placement: place(deployment, machine),
    names: names ?? Object.keys(deployment.processes),
    gate: 'verify',
    profile: undefined,
    roles: { isolated: machine.layout.isolated, housekeeping: machine.layout.housekeeping },
    by: 'a test',
  };
}
