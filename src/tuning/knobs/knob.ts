import type { FileFormat, FileTunable } from '../../tunables/tunable.ts';

/** A kernel release as [major, minor]. */
export type Version = readonly [number, number];

/** One file where a knob lives, and in which releases. */
export interface Place {
  readonly path: string;
  readonly format: FileFormat;
  /** The first release that has it here. */
  readonly since?: Version;
  /** The first release that has it here no more. */
  readonly until?: Version;
  readonly primer?: NonNullable<FileTunable['primer']>;
  /** What a person should know about this place: a rename, another meaning. */
  readonly note?: string;
}

/** One thing that a kernel lets itself be told, wherever this or that release keeps it. */
export interface Knob {
  /** As sysctl(8) and the documents spell it (`vm.swappiness`); `thp.enabled` and the like for files of /sys. */
  readonly name: string;
  readonly format: FileFormat;
  /** Oldest first. Without it the one place is the file under /proc/sys that the name says. */
  readonly places?: readonly Place[];
  /** One sentence for people: what it does to a trading host. */
  readonly about: string;
  readonly doc: string;
  /** Why a release after the last place has nothing like it. */
  readonly gone?: string;
  /** What a kernel must have for the file to be there. */
  readonly needs?: string;
  /** Kernels still have the file and do nothing with it, since when and what does the work now. */
  readonly inert?: string;
  /** The knob that the kernel zeroes when this one gets a value, and the other way round. */
  readonly companion?: string;
  /** The profile key that sets it; the free sysctl map of the kernel domain points there. */
  readonly key?: string;
}

/** The file of a sysctl: dots part folders, and a slash stands for a dot inside a name, as sysctl(8) has it. */
export function sysctlPath(name: string): string {
  const parts = name.split('.').map((part) => part.replaceAll('/', '.'));
  return `/proc/sys/${parts.join('/')}`;
}

export function placesOf(knob: Knob): readonly Place[] {
  return knob.places ?? [{ path: sysctlPath(knob.name), format: knob.format }];
}
