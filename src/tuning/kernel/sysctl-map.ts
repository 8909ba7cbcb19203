import { UsageError } from '../../errors.ts';
import { findNearest } from '../../profile/nearest.ts';
import type { FileFormat } from '../../tunables/tunable.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';
import { catalogue, lookUpKnob } from '../knobs/catalogue.ts';
import { type Directories, findPresence, isWhole, NOT_CAPTURED } from '../knobs/directories.ts';
import { sysctlPath } from '../knobs/knob.ts';
import { listSysctlFolders, listSysctlNames } from '../knobs/sysctl-names.ts';
import { joinDesired, type KnobFacts, type KnobWish, wishKnobs } from '../knobs/wish.ts';

/**
 * Limits of which the kernel zeroes the one when the other is written, beside those of the catalogue.
 * https://docs.kernel.org/admin-guide/sysctl/vm.html#overcommit-kbytes
 */
const COMPANIONS: Readonly<Record<string, string>> = {
  'vm.overcommit_kbytes': 'vm.overcommit_ratio',
  'vm.overcommit_ratio': 'vm.overcommit_kbytes',
};

/** The folders in which the names of a map can be looked up. */
export function sysctlFolders(): readonly string[] {
  return listSysctlFolders().map(sysctlPath);
}

/**
 * Settings for a map of sysctls. A name that no kernel is known to have and that is not on this host is a mistake of the
 * profile: UsageError with the nearest name. A known name that is not on this host is reported as unsupported.
 */
export function desireSysctls(map: Readonly<Record<string, string>>, facts: KnobFacts): Desired {
  const entries = Object.entries(map);
  const wishes = entries.filter(([name]) => lookUpKnob(name) !== undefined).map(wishOf);
  const plain = entries.filter(([name]) => lookUpKnob(name) === undefined);
  const wrong = plain.map(([name]) => name).filter((name) => isUnknown(name, facts.directories));
  if (wrong.length > 0) throw unknownSysctls(wrong);
  return joinDesired(wishKnobs(wishes, facts), desirePlain(withCompanions(plain), facts.directories));
}

/** What the kernel zeroes along is a setting too, right after the one that does it, so that an undo finds its old value. */
function withCompanions(entries: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  const asked = new Set(entries.map(([name]) => name));
  return entries.flatMap(([name, text]) => {
    const companion = COMPANIONS[name];
    if (companion === undefined || asked.has(companion) || text === '0') return [[name, text] as const];
    return [[name, text] as const, [companion, '0'] as const];
  });
}

function wishOf([knob, text]: readonly [string, string]): KnobWish {
  return { domain: 'kernel', knob, value: text };
}

function isUnknown(name: string, directories: Directories): boolean {
  return !listSysctlNames().includes(name) && isAbsent(name, directories);
}

/** Its folder was listed and it is not in there. A folder that is not there at all proves nothing about a name. */
function isAbsent(name: string, directories: Directories): boolean {
  const path = sysctlPath(name);
  const listed = Array.isArray(directories[path.slice(0, path.lastIndexOf('/'))]);
  return listed && findPresence(directories, path) === 'absent';
}

function desirePlain(entries: readonly (readonly [string, string])[], directories: Directories): Desired {
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  for (const [name, text] of entries) {
    const id = `kernel.sysctl@${name}`;
    const path = sysctlPath(name);
    if (!isWhole(directories)) {
      refused.push({ id, kind: 'unknown', reason: NOT_CAPTURED });
      continue;
    }
    if (isAbsent(name, directories)) {
      refused.push({ id, kind: 'unsupported', reason: `${path} is not there.` });
      continue;
    }
    const companion = COMPANIONS[name];
    settings.push({
      id,
      stage: 'values',
      tunable: {
        kind: 'file',
        path,
        format: guessFormat(text),
        ...(companion && { companion: sysctlPath(companion) }),
      },
      value: text,
      why:
        companion !== undefined && text === '0'
          ? `Follows ${companion}: the kernel keeps one of the two and zeroes the other.`
          : `The profile asks for it. hft knows of ${name} only that kernels have it.`,
      ifRefused: 'fail',
      disruption: 'none',
    });
  }
  return { settings, refused };
}

function guessFormat(text: string): FileFormat {
  if (/^[+-]?\d+$/.test(text)) return 'integer';
  return text.includes(' ') ? 'words' : 'word';
}

function unknownSysctls(names: readonly string[]): UsageError {
  const known = [...listSysctlNames(), ...catalogue.map((knob) => knob.name)];
  const next = names.map((name) => {
    const near = findNearest(name, known);
    const hint = near === undefined ? 'Take it out of kernel.sysctl.' : `Did you mean ${near}?`;
    return names.length === 1 ? hint : `${name}: ${hint}`;
  });
  const list = names.join(', ');
  return new UsageError(
    `kernel.sysctl: no kernel is known to have ${list}, and this host has no ${names.map(sysctlPath).join(', ')}.`,
    { next },
  );
}
