import type { PlacedMachine } from '../../layout/layout.ts';
import { type Desired, defineDomain, type Setting } from '../domain.ts';
import { decide } from './decide.ts';
import { observePtp, type PtpFacts, type Rival } from './facts.ts';
import { type Decided, renderChrony, renderPtp4l, renderTs2phc } from './render.ts';
import type { PtpWanted } from './schema.ts';
import { PTP4L_FILE, type PtpUnit, TS2PHC_FILE, UNIT_FOLDER, unitsOf } from './units.ts';

/** The time of the host from a grandmaster: services of our own, and nobody else who steers. */
export const ptpDomain = defineDomain<PtpWanted, PtpFacts>({
  name: 'ptp',
  schema: async () => (await import('./schema.ts')).ptpWanted,
  observe: observePtp,
  desire: desirePtp,
});

function desirePtp(wanted: PtpWanted, facts: PtpFacts, machine: PlacedMachine): Desired {
  const answer = decide(wanted, facts, machine);
  if ('refused' in answer) return { settings: [], refused: answer.refused };
  const { decided } = answer;
  const units = unitsOf(decided, machine.layout.housekeeping);
  const settings = [
    ...facts.rivals.filter(({ unit }) => !isWanted(unit, decided, facts)).flatMap(stop),
    ...fileSettings(decided, facts, units),
    ...units.flatMap(start),
  ];
  return { settings, refused: [] };
}

/** chrony is no rival where it is to steer; without anybody who is to, who steers the system clock is left alone. */
function isWanted(unit: string, { wanted, stamps }: Decided, { chrony }: PtpFacts): boolean {
  const { systemClock } = wanted;
  if (systemClock === 'chrony') return unit === chrony?.unit;
  const isOfPtp = /^(?:ptp4l|phc2sys|ts2phc|timemaster)[@.]/.test(unit);
  return systemClock === 'none' && stamps === 'hardware' && !isOfPtp;
}

/** Before anything of ours is started: two that steer one clock are never there together. */
function stop({ unit, isActive, isEnabled }: Rival): readonly Setting[] {
  const why = `${unit} steers a clock that is to be steered by exactly one: the ptp services of hft.`;
  const base = { stage: 'shape', why, ifRefused: 'fail', disruption: 'process' } as const;
  const activity: Setting = {
    ...base,
    id: `ptp.activity@${unit}`,
    tunable: { kind: 'unit', name: unit, aspect: 'activity' },
    value: 'inactive',
  };
  const enablement: Setting = {
    ...base,
    id: `ptp.enablement@${unit}`,
    tunable: { kind: 'unit', name: unit, aspect: 'enablement' },
    value: 'disabled',
  };
  return [...(isActive ? [activity] : []), ...(isEnabled ? [enablement] : [])];
}

function fileSettings(decided: Decided, { chrony }: PtpFacts, units: readonly PtpUnit[]): readonly Setting[] {
  const { wanted, clocks } = decided;
  const [clock] = clocks;
  const settings = [
    file(PTP4L_FILE, {
      text: renderPtp4l(decided),
      restarts: 'hft-ptp4l.service',
      why: 'Which grandmaster is followed, where, and how.',
    }),
  ];
  if (wanted.ts2phc !== undefined)
    settings.push(
      file(TS2PHC_FILE, {
        text: renderTs2phc(wanted.ts2phc),
        restarts: 'hft-ts2phc.service',
        why: 'Where the pulses come in.',
      }),
    );
  if (wanted.systemClock === 'chrony' && chrony !== undefined && clock !== undefined)
    settings.push(
      file(`${chrony.folder}/hft-ptp.conf`, {
        text: renderChrony(clock, wanted.timescale),
        restarts: chrony.unit,
        why: 'chrony steers the system clock from the PTP clock.',
      }),
    );
  return [
    ...settings,
    ...units.map(({ name, text, why }) => file(`${UNIT_FOLDER}/${name}`, { text, restarts: name, why })),
  ];
}

function file(path: string, { text, restarts, why }: { text: string; restarts: string; why: string }): Setting {
  return {
    id: `ptp.file@${path}`,
    stage: 'values',
    tunable: { kind: 'config-file', path, mode: 0o644, restarts },
    value: text,
    why,
    ifRefused: 'fail',
    disruption: 'process',
  };
}

/** Enabled before it is started: undone backwards, it is stopped before it is disabled, and its files go last. */
function start({ name, why }: PtpUnit): readonly Setting[] {
  const base = { stage: 'values', why, ifRefused: 'fail', disruption: 'process' } as const;
  return [
    { ...base, id: `ptp.enablement@${name}`, tunable: { kind: 'unit', name, aspect: 'enablement' }, value: 'enabled' },
    { ...base, id: `ptp.activity@${name}`, tunable: { kind: 'unit', name, aspect: 'activity' }, value: 'active' },
  ];
}
