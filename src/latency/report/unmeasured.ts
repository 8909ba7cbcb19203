import type { Target } from '../targets/target.ts';
import type { Outcome } from './result.ts';
import type { LatencyRow } from './row.ts';

/** A probe of hft that was not started at all. */
export interface Unmeasured {
  readonly probe: string;
  readonly because: 'left out' | 'too few CPUs' | 'in the full suite' | 'stopped' | 'not named';
  /** What the probe measures on; two CPUs when left out. */
  readonly needs?: string | undefined;
  /** not named: what to do. */
  readonly sentence?: string | undefined;
}

/** What was to be measured and was not, with the reason: nothing is dropped silently. */
export interface NotMeasured {
  readonly probe: string;
  /** '' for the probe as a whole. */
  readonly variant: string;
  /** The row of the profile; null for a measurement that no row asks for. */
  readonly target: string | null;
  readonly reason: string;
  /** What would make it possible. */
  readonly need: string | null;
  /** The person named other probes. */
  readonly isLeftOut: boolean;
}

interface Situation {
  readonly targets: readonly Target[];
  readonly rows: readonly LatencyRow[];
  readonly outcomes: readonly Outcome[];
  readonly unmeasured: readonly Unmeasured[];
}

const REASONS: Readonly<Record<Exclude<Unmeasured['because'], 'too few CPUs' | 'not named'>, string>> = {
  'left out': 'Another probe was asked for.',
  'in the full suite':
    'It is part of `--suite full`, and of any suite where it is named (`--probe NAME`) or the profile has a limit for it.',
  stopped: 'It was ended before this.',
};

export function whyNotMeasured(situation: Situation): readonly NotMeasured[] {
  const { targets, rows, outcomes } = situation;
  const judged = new Set(rows.map(({ target }) => target?.name));
  const missed = targets.filter(({ name }) => !judged.has(name)).map((target) => whyMissed(target, situation));
  const failed = outcomes.flatMap((outcome) => explainFailure(outcome));
  const others = situation.unmeasured
    .filter(({ because, probe }) => because !== 'left out' && !missed.some((each) => each.probe === probe))
    .map((each) => plain({ probe: each.probe, reason: sayReason(each) }));
  const named = new Set(missed.map(({ probe, reason }) => `${probe} ${reason}`));
  return [...missed, ...failed.filter(({ probe, reason }) => !named.has(`${probe} ${reason}`)), ...others];
}

function whyMissed(target: Target, { outcomes, unmeasured }: Situation): NotMeasured {
  const { name, probe } = target;
  const about = { probe, target: name };
  const skipped = unmeasured.find((each) => each.probe === probe);
  if (skipped) return plain({ ...about, reason: sayReason(skipped), isLeftOut: skipped.because === 'left out' });
  const own = outcomes.filter((outcome) => outcome.probe.name === probe);
  if (own.length === 0) return plain({ ...about, reason: `This hft has no probe for ${probe}.` });
  const [failure] = own.flatMap((outcome) => explainFailure(outcome));
  if (failure !== undefined) return { ...failure, ...about };
  return plain({
    ...about,
    reason: `None of its measurements is one of ${sayConditions(target, own.some(isUnderLoad))}.`,
  });
}

function sayReason({ because, needs = 'two CPUs', sentence = '' }: Unmeasured): string {
  if (because === 'not named') return sentence;
  if (because !== 'too few CPUs') return REASONS[because];
  return `It needs ${needs} to measure on, beside one for the rest of the system.`;
}

function explainFailure({ probe, variant, measured }: Outcome): NotMeasured[] {
  if (measured.status === 'measured') return [];
  const need = measured.status === 'unsupported' ? measured.need : null;
  return [{ ...plain({ probe: probe.name, reason: measured.reason }), variant: variant.name, need }];
}

function plain(known: { probe: string; reason: string; target?: string; isLeftOut?: boolean }): NotMeasured {
  return { variant: '', target: null, need: null, isLeftOut: false, ...known };
}

function isUnderLoad({ measured }: Outcome): boolean {
  return measured.status === 'measured' && measured.load !== undefined;
}

function sayConditions({ direction, payload, pacing, wait, load, part }: Target, wasUnderLoad: boolean): string {
  const stated = [
    part,
    direction,
    payload === undefined ? undefined : `${payload} B`,
    typeof pacing === 'number' ? `every ${pacing / 1000} us` : pacing,
    wait,
    load !== 'none' ? `load ${load}` : wasUnderLoad ? 'no load' : undefined,
  ];
  return stated.filter((word) => word !== undefined).join(', ');
}
