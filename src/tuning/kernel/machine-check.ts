import { compareNaturally } from '../../topology/natural-order.ts';
import type { Desired, Setting } from '../domain.ts';
import { type Directories, isWhole, NOT_CAPTURED } from '../knobs/directories.ts';
import type { KernelWanted } from './schema.ts';

/** https://docs.kernel.org/arch/x86/x86_64/machinecheck.html */
export const MACHINE_CHECK = '/sys/devices/system/machinecheck';

const WHY = {
  ignore_ce:
    'Corrected memory errors are neither polled for nor signalled: both interrupt a CPU that trades. They go unseen.',
  check_interval: 'Polling for corrected errors runs on every CPU; 0 stops it.',
} as const;

/**
 * Every CPU shows the same two values: they are the kernel's, not the CPU's, so one folder stands for all and writing the
 * others would find them changed already.
 */
export function desireMachineCheck(
  wanted: NonNullable<KernelWanted['machineCheck']>,
  directories: Directories,
): Desired {
  const keys = (['check_interval', 'ignore_ce'] as const).filter((key) => wanted[key] !== undefined);
  const listed = directories[MACHINE_CHECK];
  const folders = Array.isArray(listed) ? listed.filter((name: string) => /^machinecheck\d+$/.test(name)) : [];
  const first = [...folders].sort(compareNaturally)[0];
  if (first === undefined) {
    const reason = `${MACHINE_CHECK} has no CPUs: guests and other architectures than x86 often have no machine checks.`;
    const refusal = isWhole(directories)
      ? ({ kind: 'unsupported', reason } as const)
      : ({ kind: 'unknown', reason: NOT_CAPTURED } as const);
    return { settings: [], refused: keys.map((key) => ({ id: idOf(key), ...refusal })) };
  }
  const settings = keys.map(
    (key): Setting => ({
      id: idOf(key),
      stage: 'values',
      tunable: { kind: 'file', path: `${MACHINE_CHECK}/${first}/${key}`, format: 'integer' },
      value: String(wanted[key]),
      why: WHY[key],
      ifRefused: 'skip',
      disruption: 'none',
    }),
  );
  return { settings, refused: [] };
}

function idOf(key: string): string {
  return `kernel.machine_check@${key}`;
}
