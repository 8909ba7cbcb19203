import { readUnitFiles } from '../../topology/unit-files.ts';
import { type Desired, defineDomain, type Refusal, type Setting } from '../domain.ts';
import { NOT_CAPTURED, observeWhole } from '../knobs/directories.ts';
import { FIGHTERS } from './fighters.ts';
import type { ServicesWanted } from './schema.ts';
import { unitOf } from './unit-name.ts';

export interface ServicesFacts {
  /** How each installed unit of the profile is enabled, by its name: enabled, static, masked … undefined: there is no
   *  systemd here. */
  readonly enablement: ReadonlyMap<string, string> | undefined;
  /** false: a capture that does not hold everything. */
  readonly isWhole: boolean;
}

/** Services that would undo tuning. A unit that is not installed needs nothing. systemctl(1) */
export const servicesDomain = defineDomain<ServicesWanted, ServicesFacts>({
  name: 'services',
  schema: async () => (await import('./schema.ts')).servicesWanted,
  async observe(host, _machine, wanted = {}) {
    const units = Object.keys(wanted).map(unitOf);
    const [enablement, isWhole] = await Promise.all([
      readUnitFiles(host, [...new Set([...units, ...units.map(templateOf)])]),
      observeWhole(host),
    ]);
    return { isWhole, enablement };
  },
  desire: desireServices,
});

function desireServices(wanted: ServicesWanted, { enablement, isWhole }: ServicesFacts): Desired {
  if (enablement === undefined) {
    const reason = isWhole
      ? 'systemctl lists no units here: services that fight tuning can be neither found nor stopped.'
      : NOT_CAPTURED;
    const kind = isWhole ? 'unsupported' : 'unknown';
    return { settings: [], refused: [{ id: 'services.activity@machine', kind, reason }] };
  }
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  for (const [name, state] of Object.entries(wanted)) {
    const unit = unitOf(name);
    const installed = findEnablement(unit, enablement);
    if (installed === undefined || state === 'left') continue;
    settings.push(...settingsOf(unit, state, installed));
    if (state === 'stopped' && installed === 'static') {
      const reason = `${unit} is static: other units or D-Bus start it, so it can come back; \`banned\` masks it.`;
      refused.push({ id: `services.enablement@${unit}`, kind: 'refused', reason });
    }
  }
  return { settings, refused };
}

/** An instance (`phc2sys@eth0.service`) that was never enabled is known by its template. */
function findEnablement(unit: string, enablement: ReadonlyMap<string, string>): string | undefined {
  return enablement.get(unit) ?? (enablement.has(templateOf(unit)) ? 'disabled' : undefined);
}

function templateOf(unit: string): string {
  return unit.replace(/@.+(?=\.)/, '@');
}

type State = Exclude<ServicesWanted[string], 'left'>;

/**
 * Settled in the first stage: tuned and its like put values back when they stop, so everything else is planned on the
 * machine as it is without them. Stopped before disabled: undone backwards, the unit is enabled before it is started.
 */
function settingsOf(unit: string, state: State, installed: string): readonly Setting[] {
  const why = FIGHTERS.find((fighter) => unitOf(fighter.name) === unit)?.why ?? `The profile wants ${unit} ${state}.`;
  const base = { stage: 'shape', why, ifRefused: 'fail', disruption: 'process' } as const;
  const activity: Setting = {
    ...base,
    id: `services.activity@${unit}`,
    tunable: { kind: 'unit', name: unit, aspect: 'activity' },
    value: state === 'running' ? 'active' : 'inactive',
  };
  const value = enablementFor(state, installed);
  if (value === undefined) return [activity];
  const enablement: Setting = {
    ...base,
    id: `services.enablement@${unit}`,
    tunable: { kind: 'unit', name: unit, aspect: 'enablement' },
    value,
  };
  return state === 'running' ? [enablement, activity] : [activity, enablement];
}

/** Masked is more than disabled and stays; a static unit cannot be enabled or disabled at all. */
function enablementFor(state: State, installed: string): string | undefined {
  if (state === 'banned') return 'masked';
  if (installed === 'static') return undefined;
  if (state === 'running') return 'enabled';
  return installed === 'masked' ? 'masked' : 'disabled';
}
