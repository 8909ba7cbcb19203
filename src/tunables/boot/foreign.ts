import { canonicalArgument, type KernelArgument, parseCommandLine, printArgument } from './arguments.ts';
import { BLS_FOLDER, type BootFacts, DEFAULTS_FILE, HFT_DROP_IN, KERNEL_CMDLINE, TUNED_CMDLINE } from './facts.ts';
import type { BootLoader } from './loader.ts';
import { readOwnArguments, withOwnBlock } from './own-arguments.ts';

/** An argument for the next boot that somebody other than hft wrote. */
export interface ForeignArgument {
  readonly argument: KernelArgument;
  readonly file: string;
  /** 1-based */
  readonly line: number;
}

/** All arguments that the administrator's or a tool's own files set, with their places. */
export function findForeign(facts: BootFacts, loader: BootLoader): readonly ForeignArgument[] {
  const own =
    loader.kind === 'grub-mkconfig'
      ? new Set<string>()
      : new Set(readOwnArguments(facts, loader).map(canonicalArgument));
  return foreignFiles(facts, loader).flatMap(([file, text]) =>
    text.split('\n').flatMap((line, index) =>
      argumentsInLine(line)
        .filter((argument) => !own.has(canonicalArgument(argument)))
        .map((argument) => ({ argument, file, line: index + 1 })),
    ),
  );
}

/** `file:line sets isolcpus=2-3` */
export function describeForeign({ argument, file, line }: ForeignArgument): string {
  return `${file}:${line} sets ${printArgument(argument)}`;
}

/** A drop-in read after hft's that sets the variable anew and so drops hft's arguments. */
export function findOverride(facts: BootFacts, loader: BootLoader): { file: string; line: number } | undefined {
  if (loader.kind !== 'grub-mkconfig' || loader.source.form !== 'drop-in') return undefined;
  for (const [file, text] of facts.files) {
    if (!file.startsWith('/etc/default/grub.d/') || file <= HFT_DROP_IN) continue;
    const at = text
      .split('\n')
      .findIndex((line) => /^\s*GRUB_CMDLINE_LINUX_DEFAULT=(?!.*\$\{?GRUB_CMDLINE_LINUX_DEFAULT)/.test(line));
    if (at >= 0) return { file, line: at + 1 };
  }
  return undefined;
}

function foreignFiles(facts: BootFacts, loader: BootLoader): (readonly [string, string])[] {
  const isEntry = (path: string) => path.startsWith(`${BLS_FOLDER}/`) || path.includes('/loader/entries/');
  const wanted = (path: string) => {
    if (path === HFT_DROP_IN) return false;
    if (path === DEFAULTS_FILE || path.startsWith(`${DEFAULTS_FILE}.d/`)) return loader.kind !== 'systemd-boot';
    if (path === KERNEL_CMDLINE || isEntry(path)) return loader.kind === 'grub-bls' || loader.kind === 'systemd-boot';
    return path === TUNED_CMDLINE || (path.endsWith('/grubenv') && loader.kind === 'grub-bls');
  };
  return [...facts.files]
    .filter(([path]) => wanted(path))
    .map(([path, text]) => [path, path === DEFAULTS_FILE ? withOwnBlock(text, []) : text] as const);
}

/** Shell assignments, `options` lines and bare command lines alike: the words that look like arguments. */
function argumentsInLine(line: string): KernelArgument[] {
  if (/^\s*#/.test(line)) return [];
  const plain = line.replace(/["']/g, ' ').replace(/^\s*(?:export\s+)?[A-Z_]+\+?=/, ' ');
  return parseCommandLine(plain);
}
