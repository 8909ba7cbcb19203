import type { TaskLook } from './look.ts';
import type { BypassLook } from './look-bypass.ts';

/** What a row of looks need not read each time. One for each row; it is changed by every look. */
export interface LookMemory {
  /** Threads of watched processes by their number, as the kernel last described them. */
  readonly tasks: Map<number, { readonly statText: string; readonly statusText: string; readonly task: TaskLook }>;
  /** Threads of the kernel that nobody may move and that belong to other CPUs: ms at which each was seen. */
  readonly bound: Map<number, number>;
  /** Where interrupts went, and their counts then. */
  readonly irqs: Map<
    number,
    {
      readonly atMs: number;
      readonly effective: readonly number[] | undefined;
      readonly counts: ReadonlyMap<number, number>;
    }
  >;
  /** Bytes by NUMA node of a process, when that was looked at, and how long the kernel took for it. */
  readonly nodes: Map<
    number,
    { readonly atMs: number; readonly costMs: number; readonly nodes: ReadonlyMap<number, number> | undefined }
  >;
  /** What processes had of the libraries before them, when that was looked at, and how long it took. */
  readonly bypass: Map<number, { readonly atMs: number; readonly costMs: number; readonly look: BypassLook }>;
}

export function newLookMemory(): LookMemory {
  return { tasks: new Map(), bound: new Map(), irqs: new Map(), nodes: new Map(), bypass: new Map() };
}
