/** The text of a second boot entry that differs from the default one by its arguments. Pure. */
import { isNamed, type KernelArgument, parseCommandLine, printArguments } from './arguments.ts';
import type { BlsEntry } from './bls.ts';
import type { GrubEntry } from './grub-menu.ts';
import { isPlainArgument } from './own-arguments.ts';

/**
 * What a trial adds to the default entry's arguments: `isolcpus=domain,2-3 -nohz_full`. A word with a dash in front takes
 * out the arguments of that name; a name that is given replaces the default entry's, since of some the kernel obeys the
 * first one.
 */
export interface EntryChanges {
  readonly added: readonly KernelArgument[];
  readonly removed: readonly string[];
}

export const TRIAL_ENTRY = 'hft-trial';
const BEGIN = '# hft begin: trial boot entry, taken out by hft';
const END = '# hft end';
const NOTE = '# hft arguments: ';
const BLOCK = new RegExp(`\\n?${BEGIN}\\n[^]*?${END}\\n`);

export function parseChanges(value: string): EntryChanges {
  const words = parseCommandLine(value);
  return {
    added: words.filter(({ name }) => !name.startsWith('-')),
    removed: words.filter(({ name }) => name.startsWith('-')).map(({ name }) => name.slice(1)),
  };
}

/** The first argument that cannot stand in a boot entry as it is; undefined when all can. */
export function findOddArgument({ added }: EntryChanges): KernelArgument | undefined {
  return added.find((argument) => !isPlainArgument(printArguments([argument])));
}

/** custom.cfg with the trial entry as its last lines; without one when `entry` is undefined. */
export function withTrialBlock(custom: string | undefined, entry: string | undefined): string | undefined {
  const rest = (custom ?? '').replace(BLOCK, '');
  if (entry !== undefined)
    return `${rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`}\n${BEGIN}\n${entry}${END}\n`;
  return rest === '' ? undefined : rest;
}

/** The changes that an entry was written with, out of custom.cfg or an entry file; null when there is no trial entry. */
export function readNote(text: string | undefined): string | null {
  return new RegExp(`^${NOTE}(.*)$`, 'm').exec(text ?? '')?.[1] ?? null;
}

/** A GRUB menu entry like the default one, with other arguments. It never makes itself the default. */
export function printGrubTrial(base: GrubEntry, value: string): string {
  const changes = parseChanges(value);
  const options = base.options.map((word) => (/^[\w-]+$/.test(word) ? word : `'${word}'`)).join(' ');
  const body = base.source === undefined ? bodyFromParts(base, changes) : bodyFromSource(base.source, changes);
  return `${NOTE}${value}\nmenuentry 'hft trial' ${options} --id ${TRIAL_ENTRY} {\n${body}}\n`;
}

function bodyFromSource(source: string, changes: EntryChanges): string {
  return source
    .replace(/^\n/, '')
    .split('\n')
    .filter((line) => !/^\s*(?:savedefault|recordfail)\s*$/.test(line))
    .map((line) =>
      line.replace(
        /^(\s*linux(?:16|efi)?\s+\S+)(.*)$/,
        (_, head: string, rest: string) => head + changeWords(rest, changes),
      ),
    )
    .join('\n');
}

/** Works on the words as they stand, so that GRUB's variables in them stay. */
function changeWords(words: string, { added, removed }: EntryChanges): string {
  const names = [...added.map(({ name }) => name), ...removed];
  const kept = words
    .split(/\s+/)
    .filter((word) => word !== '' && !isNamed({ name: word.split('=')[0] ?? '', value: undefined }, names));
  return ` ${[...kept, ...added.map((argument) => printArguments([argument]))].join(' ')}`;
}

function bodyFromParts({ linux, initrd }: GrubEntry, changes: EntryChanges): string {
  const quoted = parseCommandLine(changedOptions(linux?.arguments ?? '', changes)).map((argument) => {
    const text = printArguments([argument]);
    return isPlainArgument(text) ? text : `'${text}'`;
  });
  const lines = ['set gfxpayload=keep', 'insmod gzio', `linux ${linux?.path} ${quoted.join(' ')}`];
  if (initrd.length > 0) lines.push(`initrd ${initrd.join(' ')}`);
  return lines.map((line) => `\t${line}\n`).join('');
}

/** An entry file like the default one, with other arguments, and sorted behind all others. */
export function printBlsTrial(base: BlsEntry, text: string, value: string): string {
  const kept = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*(?:title|version|options|#)/.test(line));
  const options = changedOptions(base.options, parseChanges(value));
  return [`${NOTE}${value}`, 'title hft trial', 'version 0', ...kept, `options ${options}`, ''].join('\n');
}

function changedOptions(options: string, { added, removed }: EntryChanges): string {
  const names = [...added.map(({ name }) => name), ...removed];
  return printArguments([...parseCommandLine(options).filter((argument) => !isNamed(argument, names)), ...added]);
}
