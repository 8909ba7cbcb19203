import { type Desired, defineDomain, type Refusal, type Setting } from '../domain.ts';
import { NOT_CAPTURED, observeWhole } from '../knobs/directories.ts';
import { FIGHTERS } from './fighters.ts';
import { type ServicesWanted, servicesWanted, unitOf } from './schema.ts';

const LIST_UNIT_FILES = ['systemctl', 'list-unit-files', '--no-legend', '--no-pager', '--plain'];

export interface ServicesFacts {
  /** How each installed unit is enabled, by its name: enabled, static, masked … undefined: there is no systemd here. */
  readonly enablement: ReadonlyMap<string, string> | undefined;
  /** false: a capture that does not hold everything. */
  readonly isWhole: boolean;
}

/** Services that would undo tuning. A unit that is not installed needs nothing. systemctl(1) */
export const servicesDomain = defineDomain<ServicesWanted, ServicesFacts>({
  name: 'services',
  schema: servicesWanted,
  async observe(host) {
    const [listed, isWhole] = await Promise.all([host.query(LIST_UNIT_FILES), observeWhole(host)]);
    return { isWhole, enablement: listed.found && listed.exitCode === 0 ? parseUnitFiles(listed.stdout) : undefined };
  },
  desire: desireServices,
});

/** Lines such as `irqbalance.service enabled enabled`. */
export function parseUnitFiles(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(lines.flatMap(([name, state]) => (name && state ? [[name, state] as const] : [])));
}

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
  return enablement.get(unit) ?? (enablement.has(unit.replace(/@.+(?=\.)/, '@')) ? 'disabled' : undefined);
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
