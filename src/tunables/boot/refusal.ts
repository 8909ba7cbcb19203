import type { KindRefusal } from '../kind.ts';
import { isNamed, pickArguments } from './arguments.ts';
import type { BootFacts } from './facts.ts';
import { describeForeign, type ForeignArgument, findForeign, findOverride } from './foreign.ts';
import { detectBootLoader } from './loader.ts';
import { isPlainArgument } from './own-arguments.ts';

/**
 * Why a kernel argument cannot or must not be set here; undefined when it can. `value` is the canonical text of the
 * arguments, null when they must not be there. The administrator's own argument is never overridden.
 */
export type BootArgumentJudge = (names: readonly string[], value: string | null) => KindRefusal | undefined;

/** What is the same for every argument is found out once. */
export function judgeBootArguments(facts: BootFacts): BootArgumentJudge {
  const loader = detectBootLoader(facts);
  if (loader.kind === 'none') {
    return (names, value) => {
      const wanted = value === null ? `without ${names.join(', ')}` : value;
      return { kind: 'unsupported', reason: `${loader.reason}. ${loader.byHand} Wanted: ${wanted}` };
    };
  }
  const foreign = findForeign(facts, loader);
  const override = findOverride(facts, loader);
  return (names, value) => {
    const words = value?.split(' ') ?? [];
    const named = foreign.filter(({ argument }) => isNamed(argument, names));
    return (
      refuseOdd(words) ??
      (loader.kind === 'systemd-boot' ? refuseMute(words) : undefined) ??
      refuseForeign(named, names, value) ??
      (named.length === 0 && value !== null ? refuseOverride(override) : undefined)
    );
  };
}

function refuseOdd(words: readonly string[]): KindRefusal | undefined {
  const odd = words.find((word) => !isPlainArgument(word));
  if (odd === undefined) return undefined;
  return {
    kind: 'refused',
    reason: `${odd} has characters that the shell or GRUB would read in their own way; give it by hand`,
  };
}

/** https://docs.kernel.org/admin-guide/kernel-parameters.html */
const HIDES_EFI_VARIABLES = /^(?:noefi|efi=(?:\S+,)?noruntime(?:,\S+)?)$/;

function refuseMute(words: readonly string[]): KindRefusal | undefined {
  const mute = words.find((word) => HIDES_EFI_VARIABLES.test(word));
  if (mute === undefined) return undefined;
  return {
    kind: 'refused',
    reason: `with ${mute} the kernel cannot reach systemd-boot's EFI variables: no trial boot could be promoted and nothing undone; give it by hand`,
  };
}

function refuseForeign(
  foreign: readonly ForeignArgument[],
  names: readonly string[],
  value: string | null,
): KindRefusal | undefined {
  const theirs = pickArguments(
    foreign.map(({ argument }) => argument),
    names,
  );
  if (theirs === null || theirs === value) return undefined;
  const places = [...new Set(foreign.map(describeForeign))].join(', ');
  return {
    kind: 'conflict',
    reason: `${places}; hft wants ${value ?? `no ${names.join(', ')}`}. Take it out there, or leave it out of the profile.`,
  };
}

function refuseOverride(override: ReturnType<typeof findOverride>): KindRefusal | undefined {
  if (override === undefined) return undefined;
  return {
    kind: 'conflict',
    reason: `${override.file}:${override.line} sets GRUB_CMDLINE_LINUX_DEFAULT anew after hft's drop-in. Append to it there ("$GRUB_CMDLINE_LINUX_DEFAULT …").`,
  };
}
