import { HostError } from '../../errors.ts';
import type { Host } from '../../host/host.ts';
import {
  canonicalArgument,
  isNamed,
  type KernelArgument,
  parseCommandLine,
  pickArguments,
  printArguments,
} from './arguments.ts';
import { appendWords, editBlsOptions, parseBlsEntry } from './bls.ts';
import { BootError } from './boot-error.ts';
import { listSystemdBootEntries } from './bootctl.ts';
import { checkLength, checkNewCommandLine, type WantedArguments } from './check-menu.ts';
import {
  BLS_FOLDER,
  type BootFacts,
  DEFAULTS_FILE,
  HFT_RECORD,
  KERNEL_CMDLINE,
  readBootFacts,
  systemdBootDefault,
} from './facts.ts';
import { defaultGrubEntry } from './grub-menu.ts';
import { editGrubenv, parseGrubenv } from './grubenv.ts';
import type { GrubBls, SystemdBoot } from './loader.ts';
import { printRecord, readOwnArguments, replaceOwn, withOwnBlock } from './own-arguments.ts';
import { grubMenu, grubNeighbour, readStagedCommandLine } from './staged.ts';
import { readNote } from './trial-entry.ts';

interface FileChange {
  readonly path: string;
  readonly text: string | undefined;
}

/** What a batch of writes replaces, and what it takes the place of. */
interface Edit {
  readonly own: readonly KernelArgument[];
  readonly wanted: readonly WantedArguments[];
}

/**
 * Sets hft's arguments where the boot loader reads entries from files (RHEL family, systemd-boot), and where the entries
 * of new kernels come from. Each file is replaced in one rename; a failure puts all of them back. grubby is not used: it
 * edits in place without syncing, and takes `panic=` for a part of `softlockup_panic=`. Rescue entries stay as they are.
 */
export async function writeThroughEntries(
  host: Host,
  facts: BootFacts,
  loader: GrubBls | SystemdBoot,
  wanted: readonly WantedArguments[],
): Promise<void> {
  const own = readOwnArguments(facts, loader);
  const next = replaceOwn(own, wanted);
  const claimed = [...own.filter((argument) => !contains(next, argument)), ...next];
  const changes = listChanges(facts, loader, { own, wanted });
  try {
    // Claimed before it is written: what a crash leaves behind is then known as hft's.
    await putFile(host, recordOf(facts, loader, claimed));
    for (const change of changes) await putFile(host, change);
    const after = readStagedCommandLine(await readBootFacts(host), loader);
    checkNewCommandLine('the boot entries', readStagedCommandLine(facts, loader), after, wanted);
    await putFile(host, recordOf(facts, loader, next));
  } catch (error) {
    const touched = [...changes.map(({ path }) => path), recordOf(facts, loader, next).path];
    for (const path of touched) await putBack(host, { path, text: facts.files.get(path) });
    throw error;
  }
}

function listChanges(facts: BootFacts, loader: GrubBls | SystemdBoot, edit: Edit): FileChange[] {
  const changes =
    loader.kind === 'systemd-boot'
      ? systemdBootEntries(facts, edit)
      : [...grubEntries(facts, loader, edit), ...kernelopts(facts, loader, edit)];
  const inherited = facts.files.get(KERNEL_CMDLINE);
  if (inherited !== undefined) changes.push({ path: KERNEL_CMDLINE, text: changeCommandLine(inherited, edit) });
  return changes;
}

/** The entries with the same root as the default one: others start another system. */
function systemdBootEntries(facts: BootFacts, edit: Edit): FileChange[] {
  const entries = listSystemdBootEntries(facts.bootctl ?? '');
  const usual = systemdBootDefault(facts)?.path;
  const root = rootIn(facts.files.get(usual ?? ''));
  return entries.flatMap(({ type, path }) => {
    const text = path === undefined ? undefined : facts.files.get(path);
    if (type !== 'type1' || path === undefined || text === undefined) return [];
    if (readNote(text) !== null || (path !== usual && rootIn(text) !== root)) return [];
    return [entryChange(path, text, edit)];
  });
}

function grubEntries(facts: BootFacts, loader: GrubBls, edit: Edit): FileChange[] {
  const usual = `${BLS_FOLDER}/${defaultGrubEntry(grubMenu(facts, loader, facts.files.get(loader.config) ?? ''))?.id}.conf`;
  const root = rootIn(facts.files.get(usual));
  return [...facts.files].flatMap(([path, text]) => {
    if (!path.startsWith(`${BLS_FOLDER}/`) || usesKernelopts(text)) return [];
    if (path !== usual && (rootIn(text) !== root || /-0-rescue\b/.test(path))) return [];
    return [entryChange(path, text, edit)];
  });
}

/** RHEL 8: the entries say `$kernelopts`, and the environment block has its value. */
function kernelopts(facts: BootFacts, loader: GrubBls, edit: Edit): FileChange[] {
  const isUsed = [...facts.files].some(([path, text]) => path.startsWith(`${BLS_FOLDER}/`) && usesKernelopts(text));
  const path = grubNeighbour(facts, loader, 'grubenv');
  const old = facts.files.get(path);
  const options = parseGrubenv(old).get('kernelopts');
  if (!isUsed || options === undefined) return [];
  const changed = changeCommandLine(options, edit);
  checkLength(path, changed);
  const block = editGrubenv(old, 'kernelopts', changed);
  if (block === undefined) throw new BootError(path, 'ENOSPC', 'no room in GRUB’s environment block of 1024 bytes');
  return [{ path, text: block }];
}

function usesKernelopts(text: string): boolean {
  return /\$\{?kernelopts\b/.test(parseBlsEntry('', text).options);
}

function entryChange(path: string, text: string, edit: Edit): FileChange {
  const kept = takeOut(parseBlsEntry(path, text).options, edit);
  const changed = editBlsOptions(text, (options) => takeOut(options, edit), wordsToAdd(kept, edit));
  const entry = parseBlsEntry(path, changed);
  checkLength(path, `BOOT_IMAGE=${entry.linux} ${entry.options}`);
  return { path, text: changed };
}

function changeCommandLine(text: string, edit: Edit): string {
  const kept = takeOut(text, edit);
  return appendWords(kept, wordsToAdd(kept, edit));
}

/** Takes out hft's own words that are replaced; the administrator's words and blanks stay. */
function takeOut(options: string, { own, wanted }: Edit): string {
  return options.replace(/(^|[ \t])(\S+)/g, (all, _blank: string, word: string) => {
    const [argument] = parseCommandLine(word);
    const isReplaced = argument && wanted.some(({ names }) => isNamed(argument, names)) && contains(own, argument);
    return isReplaced ? '' : all;
  });
}

/** What is there already (the administrator wants the same) is not given twice. */
function wordsToAdd(kept: string, { wanted }: Edit): string {
  const present = parseCommandLine(kept);
  const added = wanted.flatMap(({ names, value }) => {
    const given = parseCommandLine(value ?? '');
    const isPresent = pickArguments(present, names) === pickArguments(given, names);
    return isPresent ? [] : given;
  });
  return printArguments(added);
}

function recordOf(facts: BootFacts, loader: GrubBls | SystemdBoot, own: readonly KernelArgument[]): FileChange {
  if (loader.kind === 'systemd-boot') return { path: HFT_RECORD, text: printRecord(own) };
  const old = facts.files.get(DEFAULTS_FILE);
  const text = withOwnBlock(old ?? '', own);
  return { path: DEFAULTS_FILE, text: text === '' && own.length === 0 ? undefined : text };
}

function rootIn(text: string | undefined): string | undefined {
  return parseCommandLine(parseBlsEntry('', text ?? '').options).find(({ name }) => name === 'root')?.value;
}

function contains(given: readonly KernelArgument[], argument: KernelArgument): boolean {
  return given.some((each) => canonicalArgument(each) === canonicalArgument(argument));
}

async function putFile(host: Host, { path, text }: FileChange): Promise<void> {
  if ((await host.readText(path)) === text) return;
  if (text === undefined) await host.removeFile(path);
  else await host.replaceFile(path, text);
}

/** One file that cannot be put back must not keep the others from it. */
async function putBack(host: Host, change: FileChange): Promise<void> {
  try {
    await putFile(host, change);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}
