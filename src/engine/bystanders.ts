import type { HostReader } from '../host/host.ts';
import { intersection, parseCpulist, printCpulist } from '../topology/cpulist.ts';
import { kindOf } from '../tunables/kinds.ts';
import { placeOf } from '../tunables/place.ts';
import type { Bystander, Setting } from '../tuning/domain.ts';
import { canonicalOrNull } from './compare.ts';
import type { Change, MovedBystander } from './plan.ts';

/**
 * Gives every change its bystanders as they are now. A bystander that has a change of its own in the plan needs no
 * other: that one is made before the change that would break it.
 */
export async function withBystanders(reader: HostReader, changes: readonly Change[]): Promise<readonly Change[]> {
  const kinds = changes.map(({ setting }) => kindOf(setting.tunable).disturbedBy?.kind);
  // What is taken away disturbs those that are put back after it.
  const disturbing = changes.filter(
    ({ setting, desired }) =>
      desired !== null && ((setting.bystanders ?? []).length > 0 || kinds.includes(setting.tunable.kind)),
  );
  if (disturbing.length === 0) return changes;
  const renewed = findRenewed(changes);
  let ordered = changes;
  for (const change of disturbing) {
    const lasting = (change.setting.bystanders ?? []).filter(({ interface: name }) => !name || !renewed.has(name));
    const places = new Set(lasting.map(({ tunable }) => placeOf(tunable)));
    const own = ordered.filter(
      ({ setting: { tunable } }) =>
        places.has(placeOf(tunable)) || kindOf(tunable).disturbedBy?.kind === change.setting.tunable.kind,
    );
    const owned = new Set(own.map(({ setting }) => placeOf(setting.tunable)));
    const alone = lasting.filter(({ tunable }) => !owned.has(placeOf(tunable)));
    const bystanders = await readBystanders(reader, alone);
    const { stage } = change.setting;
    const first = own.map((each): Change => ({ ...each, setting: { ...each.setting, stage } }));
    ordered = ordered.flatMap((each) => {
      if (own.includes(each)) return [];
      if (each.setting.id !== change.setting.id) return [each];
      return [...first, bystanders.length > 0 ? { ...each, bystanders } : each];
    });
  }
  return ordered;
}

/** Interfaces that are given other queues: their drivers ask for every interrupt anew, and nothing of the old ones stays. */
function findRenewed(changes: readonly Change[]): ReadonlySet<string> {
  return new Set(
    changes.flatMap(({ setting: { tunable } }) =>
      tunable.kind === 'ethtool' && tunable.group === 'channels' ? [tunable.device] : [],
    ),
  );
}

/** Those that can be read: a thread that ended, an interrupt that was given back, have nothing to keep. */
async function readBystanders(
  reader: HostReader,
  bystanders: readonly Bystander[],
): Promise<readonly MovedBystander[]> {
  const moved: MovedBystander[] = [];
  for (const bystander of bystanders) {
    const { tunable, within } = bystander;
    const reading = await kindOf(tunable).read(reader, tunable);
    const from = reading.status === 'value' ? canonicalOrNull(tunable, reading.value) : null;
    if (from === null) continue;
    const kept = intersection(parseCpulist(from), parseCpulist(within));
    moved.push({ bystander, from, to: kept.length > 0 ? printCpulist(kept) : within });
  }
  return moved;
}

/** The setting that moves a bystander of a change. */
export function bystanderSetting({ setting }: Change, { bystander, to }: MovedBystander): Setting {
  const { id, tunable, interface: name } = bystander;
  return {
    id,
    stage: setting.stage,
    tunable,
    value: to,
    why: `The kernel changes it along with ${setting.id}, so it is moved with it, and comes back with it.`,
    ifRefused: 'skip',
    disruption: 'none',
    ...(name !== undefined && { interface: name }),
  };
}
