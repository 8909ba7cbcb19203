import type { HostReader } from '../host/host.ts';
import { canonicalArgument, cpusOfArgument, isNamed, parseCommandLine, pickArguments } from './boot/arguments.ts';
import { BootError } from './boot/boot-error.ts';
import type { WantedArguments } from './boot/check-menu.ts';
import { writeThroughEntries } from './boot/entry-files.ts';
import { type BootFacts, readBootFacts } from './boot/facts.ts';
import { writeThroughMkconfig } from './boot/grub-mkconfig.ts';
import { type BootLoader, detectBootLoader } from './boot/loader.ts';
import { readOwnArguments } from './boot/own-arguments.ts';
import { type BootArgumentJudge, judgeBootArguments } from './boot/refusal.ts';
import { readStagedCommandLine, type Staged } from './boot/staged.ts';
import { unreadable } from './file.ts';
import { canonicalFormat, parseFormat } from './formats.ts';
import type { TunableKind } from './kind.ts';
import type { BootArgTunable, Reading } from './tunable.ts';

const CMDLINE = '/proc/cmdline';

/**
 * Kernel arguments, through the boot loader that starts this machine. In effect is what the running kernel took,
 * staged is what the boot loader's default entry gives next time; the text of the source files counts for neither.
 */
export const bootArgKind: TunableKind<BootArgTunable> = {
  persistent: true,

  async read(reader, tunable) {
    try {
      const cmdline = await reader.readText(CMDLINE);
      if (cmdline === undefined) return { status: 'missing', evidence: `${CMDLINE}: not there` };
      const given = pickArguments(parseCommandLine(cmdline), tunable.names);
      const evidence = `${CMDLINE}: ${given ?? `no ${tunable.names.join(', ')}`}`;
      if (given === null || tunable.effect === undefined) return { status: 'value', value: given, evidence };
      return await judgeEffect(reader, tunable.effect, { given, evidence });
    } catch (error) {
      return unreadable(error, CMDLINE);
    }
  },

  async readStaged(reader, tunable) {
    const { facts, loader, staged } = await (reader.remember?.(readNextBoot) ?? readNextBoot(reader));
    if (staged.status === 'none') return { status: 'missing', evidence: staged.evidence };
    if (staged.status === 'unreadable') return staged;
    const value = pickArguments(staged.arguments, tunable.names);
    const evidence = `${staged.evidence}: ${value ?? `no ${tunable.names.join(', ')}`}`;
    const pending = unfinished(facts, loader, tunable.names, staged);
    if (pending !== undefined) return { status: 'value', value: pending, evidence: `${evidence}; ${pending}` };
    return { status: 'value', value, evidence };
  },

  canonical({ names }, value) {
    const given = parseCommandLine(value);
    if (given.length === 0 || !given.every((argument) => isNamed(argument, names))) {
      throw new Error(`expected ${names.map((name) => `${name}=…`).join(' ')}, got ${JSON.stringify(value)}`);
    }
    return names.length === 1 && given.length === 1
      ? given.map(canonicalArgument).join(' ')
      : (pickArguments(given, names) as string);
  },

  batchKey: () => 'boot-arg',

  async refuse(reader, tunable, value) {
    const { refuse } = await (reader.remember?.(readNextBoot) ?? readNextBoot(reader));
    return refuse(tunable.names, value);
  },

  async write(host, writes) {
    const facts = await readBootFacts(host);
    const loader = detectBootLoader(facts);
    const wanted = writes.map(({ tunable, value }) => ({ names: tunable.names, value }));
    refuseConflicts(facts, wanted);
    switch (loader.kind) {
      case 'grub-mkconfig':
        return writeThroughMkconfig(host, facts, loader, wanted);
      case 'grub-bls':
      case 'systemd-boot':
        return writeThroughEntries(host, facts, loader, wanted);
      case 'none':
        throw new BootError('/boot', 'ENOTSUP', `${loader.reason}. ${loader.byHand}`);
    }
  },
};

interface NextBoot {
  readonly facts: BootFacts;
  readonly loader: BootLoader;
  readonly staged: Staged;
  readonly refuse: BootArgumentJudge;
}

/** The same for every argument: the whole menu of the boot loader is parsed for it. */
async function readNextBoot(reader: HostReader): Promise<NextBoot> {
  const facts = await readBootFacts(reader);
  const loader = detectBootLoader(facts);
  return { facts, loader, staged: readStagedCommandLine(facts, loader), refuse: judgeBootArguments(facts) };
}

/** The sysfs file decides: what the kernel was given and did not take is not in effect. */
async function judgeEffect(
  reader: HostReader,
  effect: NonNullable<BootArgTunable['effect']>,
  { given, evidence }: { given: string; evidence: string },
): Promise<Reading> {
  const text = await reader.readText(effect.path);
  if (text === undefined) return notTaken(given, `${evidence}; ${effect.path}: not there`, 'nothing');
  // The kernel prints an empty nohz_full as "(null)".
  const shown = text.trim().replace(/^\(null\)$/, '');
  const both = `${evidence}; ${effect.path}: ${shown}`;
  const inEffect = parseOrKeep(effect.format, shown);
  const isTaken = inEffect === canonicalFormat(effect.format, effect.value) || inEffect === cpusOfArgument(given);
  return isTaken ? { status: 'value', value: given, evidence: both } : notTaken(given, both, shown);
}

function notTaken(given: string, evidence: string, inEffect: string): Reading {
  return {
    status: 'value',
    value: `${given} (not taken: the kernel has ${inEffect === '' ? 'none' : inEffect})`,
    evidence,
    notTaken: given,
  };
}

function parseOrKeep(format: NonNullable<BootArgTunable['effect']>['format'], text: string): string {
  try {
    return parseFormat(format, text);
  } catch {
    return text;
  }
}

/**
 * A run that was cut off between hft's own file and the boot loader's: the next kernel package would bring in what is
 * only half done. Neither the old value nor the new one, so that it is seen and put right.
 */
function unfinished(
  facts: BootFacts,
  loader: BootLoader,
  names: readonly string[],
  staged: Staged & { status: 'known' },
): string | undefined {
  const given = new Set(staged.arguments.map(canonicalArgument));
  const absent = readOwnArguments(facts, loader).filter(
    (argument) => isNamed(argument, names) && !given.has(canonicalArgument(argument)),
  );
  if (absent.length === 0) return undefined;
  return `${pickArguments(staged.arguments, names) ?? 'none'} (cut off: hft was about to set ${absent.map(canonicalArgument).join(' ')})`;
}

function refuseConflicts(facts: BootFacts, wanted: readonly WantedArguments[]): void {
  const refuse = judgeBootArguments(facts);
  for (const { names, value } of wanted) {
    const refusal = refuse(names, value);
    if (refusal) throw new BootError('/boot', refusal.kind === 'conflict' ? 'EEXIST' : 'ENOTSUP', refusal.reason);
  }
}
