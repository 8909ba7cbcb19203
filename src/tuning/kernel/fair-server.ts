import type { PlacedMachine } from '../../layout/layout.ts';
import type { Desired, Refusal } from '../domain.ts';
import { type Directories, isWhole, NOT_CAPTURED } from '../knobs/directories.ts';
import { isBefore, isReleaseKnown } from '../knobs/locate.ts';

/** https://docs.kernel.org/scheduler/sched-deadline.html; one folder per CPU since Linux 6.12 (commit d741f297bcea). */
export const FAIR_SERVER = '/sys/kernel/debug/sched/fair_server';

/**
 * Since 6.12 a deadline server keeps 50 ms of each second for ordinary tasks, also when sched_rt_runtime_us is -1. Off on
 * isolated CPUs only: on the others a spinning FIFO thread would lock everybody out.
 */
export function desireFairServer(directories: Directories, machine: PlacedMachine): Desired {
  const { kernel, layout } = machine;
  const listed = directories[FAIR_SERVER] ?? 'absent';
  const refuse = (reason: string, kind: Refusal['kind'] = 'unsupported'): Desired => ({
    settings: [],
    refused: [{ id: 'kernel.fair_server@isolated', kind, reason }],
  });
  if (listed === 'absent' && isReleaseKnown(kernel) && isBefore(kernel.version, [6, 12])) {
    return refuse(`Linux ${kernel.version.join('.')} has no fair server; kernel.realtime.runtime alone decides.`);
  }
  if (kernel.lockdown === 'integrity' || kernel.lockdown === 'confidentiality') {
    return refuse(`${FAIR_SERVER} is in debugfs, which kernel lockdown (${kernel.lockdown}) closes, even to root.`);
  }
  if (listed === 'absent' && !isWhole(directories)) return refuse(NOT_CAPTURED, 'unknown');
  if (listed === 'absent') return refuse(`${FAIR_SERVER} is not there: debugfs is not mounted on /sys/kernel/debug.`);
  const settings = layout.isolated.map((cpu) => ({
    id: `kernel.fair_server@cpu${cpu}`,
    stage: 'values' as const,
    tunable: { kind: 'file' as const, path: `${FAIR_SERVER}/cpu${cpu}/runtime`, format: 'integer' as const },
    value: '0',
    why: 'A polling FIFO thread loses 50 ms of each second to the fair server, whatever sched_rt_runtime_us says.',
    ifRefused: 'skip' as const,
    disruption: 'none' as const,
  }));
  return { settings, refused: [] };
}
