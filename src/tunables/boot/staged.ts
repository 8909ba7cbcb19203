import { type KernelArgument, parseCommandLine } from './arguments.ts';
import { type BlsEntry, parseBlsEntry, sortBlsEntries } from './bls.ts';
import { BLS_FOLDER, type BootFacts, systemdBootDefault } from './facts.ts';
import { defaultGrubEntry, evaluateGrub, type GrubEntry, type GrubMenu } from './grub-menu.ts';
import { GrubSyntaxError } from './grub-script.ts';
import { parseGrubenv } from './grubenv.ts';
import type { BootLoader, GrubBls, GrubMkconfig } from './loader.ts';

/** The command line that the default entry gives at the next boot. */
export type Staged =
  | {
      readonly status: 'known';
      readonly arguments: readonly KernelArgument[];
      /** The kernel image and its arguments, as the boot loader will hand them over. */
      readonly commandLine: string;
      /** The entry and where it is kept. */
      readonly evidence: string;
    }
  | { readonly status: 'unreadable'; readonly code: string; readonly evidence: string }
  | { readonly status: 'none'; readonly evidence: string };

/** What the boot loader's generated files give, never what its source files would. */
export function readStagedCommandLine(facts: BootFacts, loader: BootLoader): Staged {
  switch (loader.kind) {
    case 'none':
      return { status: 'none', evidence: `${loader.reason}. ${loader.byHand}` };
    case 'systemd-boot':
      return stagedBySystemdBoot(facts);
    case 'grub-mkconfig':
    case 'grub-bls':
      return stagedByGrub(facts, loader);
  }
}

function stagedByGrub(facts: BootFacts, loader: GrubMkconfig | GrubBls): Staged {
  const unreadable = [loader.config, BLS_FOLDER].find((path) => facts.unreadable.has(path));
  if (unreadable) return cannotRead(facts, unreadable);
  const script = facts.files.get(loader.config) ?? '';
  try {
    return knownFromGrub(defaultGrubEntry(grubMenu(facts, loader, script)), loader.config);
  } catch (error) {
    if (!(error instanceof GrubSyntaxError)) throw error;
    return { status: 'unreadable', code: 'EINVAL', evidence: `${loader.config}: ${error.message}` };
  }
}

/** The menu that a grub.cfg gives on this machine. Throws GrubSyntaxError. */
export function grubMenu(
  facts: BootFacts,
  loader: GrubMkconfig | GrubBls,
  script: string,
  next?: ReadonlyMap<string, string>,
): GrubMenu {
  const environment = facts.files.get(grubNeighbour(facts, loader, 'grubenv'));
  const saved = new Map(environment === undefined ? [] : parseGrubenv(environment));
  // A one-time choice is not the default: it is asked for by `next` where a trial is judged.
  saved.delete('next_entry');
  for (const [name, value] of next ?? []) saved.set(name, value);
  return evaluateGrub({
    script,
    environment: environment === undefined && next === undefined ? undefined : saved,
    custom: facts.files.get(grubNeighbour(facts, loader, 'custom.cfg')),
    blsEntries: sortBlsEntries(blsEntries(facts)),
  });
}

/** A file next to grub.cfg, links followed. */
export function grubNeighbour(facts: BootFacts, loader: GrubMkconfig | GrubBls, name: string): string {
  const path = `${loader.config.slice(0, loader.config.lastIndexOf('/'))}/${name}`;
  return facts.links.get(path) ?? path;
}

export function knownFromGrub(entry: GrubEntry | undefined, where: string): Staged {
  if (!entry?.linux) {
    const named = entry ? `the default entry "${entry.title}" starts no Linux kernel` : 'no menu entry';
    return { status: 'unreadable', code: 'ENOENT', evidence: `${where}: ${named}` };
  }
  return {
    status: 'known',
    arguments: parseCommandLine(entry.linux.arguments),
    commandLine: `BOOT_IMAGE=${entry.linux.path} ${entry.linux.arguments}`,
    evidence: `${where}, default entry "${entry.title}"`,
  };
}

export function blsEntries(facts: BootFacts): readonly BlsEntry[] {
  return [...facts.files]
    .filter(([path]) => path.startsWith(`${BLS_FOLDER}/`))
    .map(([path, text]) => parseBlsEntry(path, text));
}

function stagedBySystemdBoot(facts: BootFacts): Staged {
  const chosen = systemdBootDefault(facts);
  const path = chosen?.path;
  const text = path === undefined ? undefined : facts.files.get(path);
  if (path === undefined || text === undefined) {
    return { status: 'unreadable', code: 'ENOENT', evidence: `the entry ${chosen?.id ?? '?'} of systemd-boot` };
  }
  const { options, title } = parseBlsEntry(path, text);
  return {
    status: 'known',
    arguments: parseCommandLine(options),
    commandLine: options,
    evidence: `${path}, default entry "${title ?? chosen?.id}"`,
  };
}

function cannotRead(facts: BootFacts, path: string): Staged {
  const code = facts.unreadable.get(path) as string;
  return { status: 'unreadable', code, evidence: `${path}: ${code}` };
}
