import type { Layout } from '../../layout/layout.ts';
import type { FileFormat } from '../../tunables/tunable.ts';
import type { Setting } from '../domain.ts';

/** The CPUs of a role of the layout. */
export interface RoleCpus {
  readonly name: 'isolated' | 'irq' | 'housekeeping';
  readonly cpus: readonly number[];
}

/** Isolated first: where CPUs of two roles share a clock, the last wish for it is left out. */
export function listRoles(layout: Layout): readonly RoleCpus[] {
  return (['isolated', 'irq', 'housekeeping'] as const).map((name) => ({ name, cpus: layout[name] }));
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
