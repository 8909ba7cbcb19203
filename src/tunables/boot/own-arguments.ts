/** The arguments that hft itself keeps for the next boot, as text in its own file or block. Pure. */
import { isNamed, type KernelArgument, parseCommandLine, printArguments } from './arguments.ts';
import { type BootFacts, DEFAULTS_FILE, HFT_RECORD } from './facts.ts';
import type { BootLoader } from './loader.ts';

const VARIABLE = 'GRUB_CMDLINE_LINUX_DEFAULT';
const BEGIN = '# hft begin: kernel arguments of hft, taken out by `hft rollback`';
const END = '# hft end';
const LINE = new RegExp(`^${VARIABLE}="\\$${VARIABLE} (?<own>.*)"$`, 'm');
const BLOCK = new RegExp(`\\n?${literally(BEGIN)}\\n[^]*?${literally(END)}\\n`);

/** Letters that neither the shell, GRUB's script nor the kernel reads in a special way. */
const PLAIN = /^[A-Za-z0-9_.,:@%+=/-]+$/;

/** Whether an argument can be written without quotes everywhere. */
export function isPlainArgument(text: string): boolean {
  return PLAIN.test(text);
}

/** The arguments that hft keeps for the next boot, or was about to when it was cut off. */
export function readOwnArguments(facts: BootFacts, loader: BootLoader): KernelArgument[] {
  switch (loader.kind) {
    case 'grub-mkconfig':
      return parseOwnDefaults(facts.files.get(loader.source.path));
    case 'grub-bls':
      return parseOwnDefaults(facts.files.get(DEFAULTS_FILE));
    case 'systemd-boot':
      return parseRecord(facts.files.get(HFT_RECORD));
    case 'none':
      return [];
  }
}

/** hft's own arguments out of its drop-in or of its block in /etc/default/grub. */
export function parseOwnDefaults(text: string | undefined): KernelArgument[] {
  return parseCommandLine(LINE.exec(text ?? '')?.groups?.own ?? '');
}

/** The whole drop-in; undefined when hft has no arguments left, and so no file. */
export function printDropIn(own: readonly KernelArgument[]): string | undefined {
  if (own.length === 0) return undefined;
  return [
    '# Kernel arguments of hft. Read by grub-mkconfig after /etc/default/grub; taken out by `hft rollback`.',
    '# The recovery entries do not get them.',
    defaultsLine(own),
    '',
  ].join('\n');
}

/** /etc/default/grub with hft's block as its last lines, or without the block when nothing is left. */
export function withOwnBlock(text: string, own: readonly KernelArgument[]): string {
  const rest = text.replace(BLOCK, '');
  if (own.length === 0) return rest;
  return `${rest.endsWith('\n') || rest === '' ? rest : `${rest}\n`}\n${BEGIN}\n${defaultsLine(own)}\n${END}\n`;
}

/** The record for boot loaders without a drop-in: one argument a line. */
function parseRecord(text: string | undefined): KernelArgument[] {
  return parseCommandLine((text ?? '').replace(/^#.*$/gm, '').replaceAll('\n', ' '));
}

export function printRecord(own: readonly KernelArgument[]): string | undefined {
  if (own.length === 0) return undefined;
  return `# Kernel arguments that hft put into the boot entries. All others are the administrator's.\n${own.map((argument) => printArguments([argument])).join('\n')}\n`;
}

/** The own arguments after some writes: a group of names is replaced as one, at the end. */
export function replaceOwn(
  own: readonly KernelArgument[],
  writes: readonly { readonly names: readonly string[]; readonly value: string | null }[],
): KernelArgument[] {
  let result = [...own];
  for (const { names, value } of writes) {
    result = result.filter((argument) => !isNamed(argument, names));
    if (value !== null) result.push(...parseCommandLine(value));
  }
  return result;
}

function defaultsLine(own: readonly KernelArgument[]): string {
  return `${VARIABLE}="$${VARIABLE} ${printArguments(own)}"`;
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
