import { sessionInterfaces } from '../engine/confirmation.ts';
import type { Change } from '../engine/plan.ts';
import type { Planned } from '../engine/tune.ts';
import type { NamedFix } from '../latency/report/fixes.ts';

/** A setting that the profile would set, is not in place, and can be tried while hft measures. */
export interface OfferedFix extends NamedFix {
  readonly current: string | null;
  readonly desired: string | null;
  readonly why: string;
}

/** One that is not tried, and why. */
export interface OtherFix extends NamedFix {
  readonly because: 'in-place' | 'not-in-profile' | 'refused' | 'unread' | 'reboot' | 'disturbs';
  /** One sentence. */
  readonly reason: string;
}

export interface FixChoice {
  readonly offered: readonly OfferedFix[];
  readonly others: readonly OtherFix[];
}

/** Which of the settings that were named can be tried. Pure. */
export function chooseFixes(named: readonly NamedFix[], planned: Planned): FixChoice {
  const offered: OfferedFix[] = [];
  const others: OtherFix[] = [];
  for (const fix of named) {
    const change = planned.plan.changes.find(({ setting }) => setting.id === fix.id);
    const other = change === undefined ? whyNotPlanned(fix, planned) : whyNotTried(change, planned);
    if (other !== undefined) others.push({ ...fix, ...other });
    else if (change !== undefined)
      offered.push({ ...fix, current: change.current, desired: change.desired, why: change.setting.why });
  }
  return { offered, others };
}

type WhyNot = Pick<OtherFix, 'because' | 'reason'>;

function whyNotPlanned({ id }: NamedFix, { plan }: Planned): WhyNot {
  const { profile } = plan;
  const satisfied = plan.satisfied.find(({ setting }) => setting.id === id);
  if (satisfied?.pendingReboot) return { because: 'reboot', reason: 'It is staged and waits for a reboot.' };
  if (satisfied !== undefined)
    return { because: 'in-place', reason: `It is as ${profile} wants it already, and does not remove this.` };
  const refused = plan.refused.find((each) => each.id === id);
  if (refused !== undefined) return { because: 'refused', reason: refused.reason };
  const unread = plan.unread.find(({ setting }) => setting.id === id);
  if (unread !== undefined) return { because: 'unread', reason: `It could not be read: ${unread.evidence}.` };
  return { because: 'not-in-profile', reason: `Profile ${profile} does not set it here.` };
}

/** undefined: it can be tried. To and fro eight times is only for what nobody notices but the measurement. */
function whyNotTried(change: Change, { plan, machine }: Planned): WhyNot | undefined {
  const { setting, takesEffect, disruption } = change;
  const next = `\`hft tune --profile ${plan.profile}\` makes it.`;
  if (takesEffect === 'reboot') return { because: 'reboot', reason: `It takes effect at a reboot: ${next}` };
  if (sessionInterfaces({ ...plan, changes: [change] }, machine).length > 0)
    return { because: 'disturbs', reason: `It disturbs the interface of this session: ${next}` };
  if (disruption !== 'none') return { because: 'disturbs', reason: `It disturbs a ${disruption} each time: ${next}` };
  if (setting.stage === 'shape')
    return { because: 'disturbs', reason: `It changes what exists (CPUs, queues), and so what is measured: ${next}` };
  if (setting.leftBy !== undefined)
    return { because: 'not-in-profile', reason: `Profile ${setting.leftBy.profile} set it: ${next}` };
  return undefined;
}
