import type { HostReader } from '../../host/host.ts';
import { type Desired, defineDomain, type Setting } from '../domain.ts';
import type { Persistence } from './schema.ts';
import { unitFiles } from './units.ts';

interface Facts {
  readonly hasSystemd: boolean;
}

/** The profile after a reboot: a oneshot unit before hft-trading.target, and a udev rule for interfaces that come new. */
export const persistenceDomain = defineDomain<Persistence, Facts>({
  name: 'persistence',
  schema: async () => (await import('./schema.ts')).persistence,
  async observe(host: HostReader) {
    return { hasSystemd: (await host.list('/run/systemd/system')) !== undefined };
  },
  desire(wanted, { hasSystemd }): Desired {
    if (!hasSystemd) {
      const reason = 'This host is not run by systemd: after a reboot, run `hft tune` again by the means it has.';
      return { settings: [], refused: [{ id: 'persistence.unit@hft-tune.service', reason, kind: 'unsupported' }] };
    }
    return { settings: [...unitFiles(wanted.command).map(fileSetting), ENABLED], refused: [] };
  },
});

function fileSetting({ path, text }: { path: string; text: string }): Setting {
  return {
    id: `persistence.file@${path}`,
    stage: 'values',
    tunable: { kind: 'config-file', path, mode: 0o644 },
    value: text,
    why: 'Brings the profile back after a reboot or a driver reload, before trading starts.',
    ifRefused: 'fail',
    disruption: 'none',
  };
}

const ENABLED: Setting = {
  id: 'persistence.unit@hft-tune.service',
  stage: 'values',
  tunable: { kind: 'unit', name: 'hft-tune.service', aspect: 'enablement' },
  value: 'enabled',
  why: 'Runs at every boot, before hft-trading.target.',
  ifRefused: 'fail',
  disruption: 'none',
};
