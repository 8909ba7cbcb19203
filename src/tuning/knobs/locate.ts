import type { Kernel } from '../../topology/machine.ts';
import type { Refusal } from '../domain.ts';
import { type Directories, findPresence, isWhole, NOT_CAPTURED } from './directories.ts';
import { type Knob, type Place, placesOf, type Version } from './knob.ts';

const DEBUGFS = '/sys/kernel/debug/';

/** Where a knob lives on this machine, or why it cannot be set here. */
export type Located =
  | { readonly found: true; readonly place: Place }
  | { readonly found: false; readonly kind: Refusal['kind']; readonly reason: string };

/**
 * Finds the place of a knob. What is there counts for more than the release number, because distributions carry changes
 * back; the number decides when a folder could not be read and explains when nothing is there.
 */
export function locateKnob(knob: Knob, kernel: Kernel, directories: Directories): Located {
  if (knob.inert !== undefined) return { found: false, kind: 'refused', reason: knob.inert };
  const places = placesOf(knob);
  const present = places.find((place) => findPresence(directories, place.path) === 'present');
  const due = present === undefined ? places.filter((place) => isDue(place, kernel.version)) : [present];
  const first = due.at(-1);
  if (first === undefined && !isReleaseKnown(kernel)) return { found: false, kind: 'unknown', reason: NOT_CAPTURED };
  if (first === undefined) return unsupported(knob.gone ?? `${knob.name} is not in Linux ${kernel.version.join('.')}.`);
  if (first.path.startsWith(DEBUGFS) && isLockedDown(kernel)) {
    return unsupported(`${first.path} is in debugfs, which kernel lockdown (${kernel.lockdown}) closes, even to root.`);
  }
  if (present !== undefined) return { found: true, place: present };
  const readable = due.filter((place) => findPresence(directories, place.path) !== 'absent');
  const place = readable.at(-1);
  if (place !== undefined) return { found: true, place };
  if (!isWhole(directories)) return { found: false, kind: 'unknown', reason: NOT_CAPTURED };
  return unsupported(explainAbsence(knob, first, directories));
}

/** Lockdown `integrity` and `confidentiality` both close debugfs files that can be written. kernel_lockdown(7). */
function isLockedDown({ lockdown }: Kernel): boolean {
  return lockdown === 'integrity' || lockdown === 'confidentiality';
}

/** A capture without /proc/version or kernel/osrelease has the release 0.0. */
export function isReleaseKnown({ version }: Kernel): boolean {
  return version[0] > 0;
}

function isDue(place: Place, version: Version): boolean {
  if (place.since !== undefined && isBefore(version, place.since)) return false;
  return place.until === undefined || isBefore(version, place.until);
}

export function isBefore(left: Version, right: Version): boolean {
  return left[0] < right[0] || (left[0] === right[0] && left[1] < right[1]);
}

function explainAbsence(knob: Knob, place: Place, directories: Directories): string {
  const folder = place.path.slice(0, place.path.lastIndexOf('/'));
  if (place.path.startsWith(DEBUGFS) && directories[folder] === 'absent') {
    return `${place.path} is not there: debugfs is not mounted on /sys/kernel/debug, or the kernel has no ${folder}.`;
  }
  const needs = knob.needs === undefined ? '' : ` It needs ${knob.needs}.`;
  return `${place.path} is not there.${needs}`;
}

function unsupported(reason: string): Located {
  return { found: false, kind: 'unsupported', reason };
}
