import type { HostReader } from '../host/host.ts';
import { kindOf } from '../tunables/kinds.ts';
import type { Reading, Tunable } from '../tunables/tunable.ts';
import type { Refusal, Setting } from '../tuning/domain.ts';
import type { Change, Satisfied, Unread } from './plan.ts';

/** A wish of one domain, with the domain's name. */
export interface Wish {
  readonly domain: string;
  readonly setting: Setting;
}

/** What comparing one wish with the machine gave. */
export type Comparison =
  | ({ readonly is: 'change' } & Change)
  | ({ readonly is: 'satisfied' } & Satisfied)
  | ({ readonly is: 'refused'; readonly domain: string } & Refusal)
  | ({ readonly is: 'unread' } & Unread);

/** Reads where the value lives and tells how it stands to the wish. The only place that decides "equal". */
export async function compare(reader: HostReader, { domain, setting }: Wish): Promise<Comparison> {
  const kind = kindOf(setting.tunable);
  const now = await kind.read(reader, setting.tunable);
  if (now.status === 'missing') {
    if (setting.value === null) {
      return { is: 'satisfied', setting, domain, current: null, evidence: now.evidence, pendingReboot: false };
    }
    return { is: 'refused', domain, id: setting.id, reason: now.evidence, kind: 'unsupported' };
  }
  if (now.status === 'unreadable') return { is: 'unread', setting, domain, code: now.code, evidence: now.evidence };
  const current = canonicalOrNull(setting.tunable, now.value);
  const desired = canonicalOrNull(setting.tunable, setting.value);
  if (!kind.readStaged) return compareNow({ domain, setting, current, desired, evidence: now.evidence });
  const staged = await kind.readStaged(reader, setting.tunable);
  const isTaken = canonicalOrNull(setting.tunable, now.notTaken ?? null) !== desired || desired === null;
  const comparison = compareStaged({ domain, setting, current, desired, evidence: now.evidence, isTaken }, staged);
  const refusal = comparison.is === 'change' ? await kind.refuse?.(reader, setting.tunable, desired) : undefined;
  return refusal ? { is: 'refused', domain, id: setting.id, ...refusal } : comparison;
}

interface Sides {
  readonly domain: string;
  readonly setting: Setting;
  readonly current: string | null;
  readonly desired: string | null;
  readonly evidence: string;
}

function compareNow({ domain, setting, current, desired, evidence }: Sides): Comparison {
  if (current === desired) return { is: 'satisfied', setting, domain, current, evidence, pendingReboot: false };
  const { disruption } = setting;
  return {
    is: 'change',
    setting,
    domain,
    current,
    staged: undefined,
    desired,
    takesEffect: 'now',
    disruption,
    evidence,
  };
}

/** For what takes effect at boot: right only when it is in effect and the next boot gives it again. */
function compareStaged(sides: Sides & { readonly isTaken: boolean }, staged: Reading): Comparison {
  const { domain, setting, current, desired, evidence, isTaken } = sides;
  if (staged.status === 'missing')
    return { is: 'refused', domain, id: setting.id, reason: staged.evidence, kind: 'unsupported' };
  if (staged.status === 'unreadable')
    return { is: 'unread', setting, domain, code: staged.code, evidence: staged.evidence };
  const next = canonicalOrNull(setting.tunable, staged.value);
  const both = `${evidence}; next boot: ${staged.evidence}`;
  if (next === desired && isTaken) {
    return { is: 'satisfied', setting, domain, current, evidence: both, pendingReboot: current !== desired };
  }
  return {
    is: 'change',
    setting,
    domain,
    current,
    staged: next,
    desired,
    takesEffect: 'reboot',
    disruption: 'reboot',
    evidence: both,
  };
}

/** Canonical spelling; text that is no value of its kind stays as it is and so differs from every wish. */
export function canonicalOrNull(tunable: Tunable, value: string | null): string | null {
  if (value === null) return null;
  try {
    return kindOf(tunable).canonical(tunable, value);
  } catch {
    return value;
  }
}
