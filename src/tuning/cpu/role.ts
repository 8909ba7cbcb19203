import type { Layout } from '../../layout/layout.ts';
import type { FileFormat } from '../../tunables/tunable.ts';
import type { Refusal, Setting } from '../domain.ts';
import { NOT_CAPTURED } from '../knobs/directories.ts';

/** The CPUs of a role of the layout. */
export interface RoleCpus {
  readonly name: 'isolated' | 'irq' | 'housekeeping';
  readonly cpus: readonly number[];
}

/** Isolated first: where CPUs of two roles share a clock, the last wish for it is left out. */
export function listRoles(layout: Layout): readonly RoleCpus[] {
  return (['isolated', 'irq', 'housekeeping'] as const).map((name) => ({ name, cpus: layout[name] }));
}

/** What is not there, or, in a capture that does not hold everything, what is not known. */
export function refuseAbsent(id: string, reason: string, { isWhole }: { readonly isWhole: boolean }): Refusal {
  return isWhole ? { id, kind: 'unsupported', reason } : { id, kind: 'unknown', reason: NOT_CAPTURED };
}

interface FileWish {
  readonly id: string;
  readonly path: string;
  readonly value: string;
  readonly format: FileFormat;
  readonly why: string;
  readonly stage?: Setting['stage'];
  readonly ifRefused?: Setting['ifRefused'];
}

export function setFile({ id, path, value, format, why, stage, ifRefused }: FileWish): Setting {
  return {
    id,
    stage: stage ?? 'values',
    tunable: { kind: 'file', path, format },
    value,
    why,
    ifRefused: ifRefused ?? 'fail',
    disruption: 'none',
  };
}
