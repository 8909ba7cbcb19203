import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { defaultSystemdBootEntry, listSystemdBootEntries, type SystemdBootEntry } from './bootctl.ts';

/** All that is read about how this machine boots. What it means is decided elsewhere. */
export interface BootFacts {
  /** Files that exist and could be read, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Files that exist and could not be read, with the errno. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** Symbolic links among them, with the path they lead to. */
  readonly links: ReadonlyMap<string, string>;
  /** Paths of the boot loaders' programs that are installed. */
  readonly programs: ReadonlySet<string>;
  /** What `bootctl list --json` printed, where systemd-boot started this machine. */
  readonly bootctl: string | undefined;
  /** UEFI firmware started this machine, and the kernel shows none of its variables. */
  readonly hidesEfiVariables: boolean;
}

export const HFT_DROP_IN = '/etc/default/grub.d/90-hft.cfg';
/** The arguments that hft put where there is no drop-in; all others are the administrator's. */
export const HFT_RECORD = '/etc/hft/boot-arguments';
export const BLS_FOLDER = '/boot/loader/entries';
export const DEFAULTS_FILE = '/etc/default/grub';
export const KERNEL_CMDLINE = '/etc/kernel/cmdline';
export const TUNED_CMDLINE = '/etc/tuned/bootcmdline';
const DEFAULTS_FOLDER = '/etc/default/grub.d';
/** Not there on a BIOS machine. Empty where the kernel calls no firmware: PREEMPT_RT without efi=runtime, efi=noruntime. */
const EFI_VARIABLES = '/sys/firmware/efi/efivars';
/** Written by the boot loader, UTF-16. https://systemd.io/BOOT_LOADER_INTERFACE/ */
export const LOADER_INFO = '/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

/** The entry that systemd-boot takes once, the one that it takes always, the one that it took last; UTF-16. */
export const LOADER_ONE_SHOT = '/sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
const LOADER_DEFAULT = '/sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
const LOADER_LAST = '/sys/firmware/efi/efivars/LoaderEntryLastBooted-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';

const CONTAINER_MARKS = ['/run/systemd/container', '/.dockerenv', '/run/.containerenv'];
export const GRUB_CONFIGS = ['/boot/grub/grub.cfg', '/boot/grub2/grub.cfg', '/etc/grub2-efi.cfg'];
const SINGLE_FILES = [
  '/proc/cmdline',
  ...CONTAINER_MARKS,
  '/run/ostree-booted',
  LOADER_INFO,
  LOADER_ONE_SHOT,
  LOADER_DEFAULT,
  LOADER_LAST,
  '/proc/self/mountinfo',
  DEFAULTS_FILE,
  HFT_RECORD,
  KERNEL_CMDLINE,
  TUNED_CMDLINE,
];
const PROGRAM_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const PROGRAMS = ['grub-mkconfig', 'grub2-mkconfig', 'grub-script-check', 'grub2-script-check'];

/** Reads everything that tells how this machine boots. Never throws for a missing or unreadable file. */
export async function readBootFacts(reader: HostReader): Promise<BootFacts> {
  return reader.remember?.(gatherBootFacts) ?? gatherBootFacts(reader);
}

async function gatherBootFacts(reader: HostReader): Promise<BootFacts> {
  const gathered = new Gathering(reader);
  for (const path of SINGLE_FILES) await gathered.file(path);
  for (const path of GRUB_CONFIGS) await gathered.grubConfig(path);
  for (const path of await gathered.names(DEFAULTS_FOLDER, '.cfg')) await gathered.file(path);
  for (const path of await gathered.names(BLS_FOLDER, '.conf')) await gathered.file(path);
  for (const folder of PROGRAM_FOLDERS) await gathered.installed(folder);
  for (const program of gathered.programs) if (program.endsWith('mkconfig')) await gathered.file(program);
  const bootctl = await listWithBootctl(reader, gathered);
  for (const path of entryPaths(bootctl)) await gathered.file(path);
  const hidesEfiVariables = await gathered.isEmpty(EFI_VARIABLES);
  const { files, unreadable, links, programs } = gathered;
  return { files, unreadable, links, programs, bootctl, hidesEfiVariables };
}

class Gathering {
  readonly files = new Map<string, string>();
  readonly unreadable = new Map<string, string>();
  readonly links = new Map<string, string>();
  readonly programs = new Set<string>();
  private readonly reader: HostReader;

  constructor(reader: HostReader) {
    this.reader = reader;
  }

  async file(path: string): Promise<void> {
    try {
      const text = await this.reader.readText(path);
      if (text !== undefined) this.files.set(path, text);
    } catch (error) {
      this.noteUnreadable(path, error);
    }
  }

  /** grub.cfg, the environment block and custom.cfg next to it; a link is followed to the file that is to be replaced. */
  async grubConfig(path: string): Promise<void> {
    const target = await this.follow(path);
    await this.file(target);
    const folder = target.slice(0, target.lastIndexOf('/'));
    await this.file(await this.follow(`${folder}/grubenv`));
    await this.file(await this.follow(`${folder}/custom.cfg`));
  }

  async names(folder: string, ending: string): Promise<string[]> {
    const names = (await this.list(folder)) ?? [];
    return names.filter((name) => name.endsWith(ending)).map((name) => `${folder}/${name}`);
  }

  /** Whether a folder is there and has nothing in it. */
  async isEmpty(folder: string): Promise<boolean> {
    return (await this.list(folder))?.length === 0;
  }

  async installed(folder: string): Promise<void> {
    const paths = PROGRAMS.map((program) => `${folder}/${program}`);
    for (const path of await this.names(folder, '')) if (paths.includes(path)) this.programs.add(path);
  }

  private async follow(path: string): Promise<string> {
    let at = path;
    for (let hops = 0; hops < 8; hops++) {
      const target = await this.reader.readLink(at);
      if (target === undefined) break;
      at = resolvePath(at, target);
    }
    if (at !== path) this.links.set(path, at);
    return at;
  }

  private async list(folder: string): Promise<readonly string[] | undefined> {
    try {
      return await this.reader.list(folder);
    } catch (error) {
      this.noteUnreadable(folder, error);
      return undefined;
    }
  }

  private noteUnreadable(path: string, error: unknown): void {
    if (!(error instanceof HostError)) throw error;
    this.unreadable.set(path, error.code);
  }
}

async function listWithBootctl(reader: HostReader, { files }: Gathering): Promise<string | undefined> {
  if (!loaderInfo(files.get(LOADER_INFO)).startsWith('systemd-boot')) return undefined;
  const result = await reader.query(['bootctl', 'list', '--json=short', '--no-pager']);
  return result.found && result.exitCode === 0 ? result.stdout : undefined;
}

/** The entry files that bootctl tells of: they can lie on the EFI partition, wherever that is mounted. */
function entryPaths(bootctl: string | undefined): readonly string[] {
  const entries = listSystemdBootEntries(bootctl ?? '');
  const roots = new Set(entries.flatMap((entry) => entry.root ?? []));
  return [...entries.flatMap((entry) => entry.path ?? []), ...[...roots].map(loaderConf)].filter((path) =>
    path.endsWith('.conf'),
  );
}

/** The entry that systemd-boot takes by default, by what was read. */
export function systemdBootDefault(facts: BootFacts): SystemdBootEntry | undefined {
  const entries = listSystemdBootEntries(facts.bootctl ?? '');
  const configs = entries.flatMap(({ root }) => (root === undefined ? [] : (facts.files.get(loaderConf(root)) ?? [])));
  const chosen = loaderInfo(facts.files.get(LOADER_DEFAULT));
  return defaultSystemdBootEntry({
    entries,
    chosen,
    lastBooted: loaderInfo(facts.files.get(LOADER_LAST)),
    config: configs[0],
  });
}

function loaderConf(root: string): string {
  return `${root === '/' ? '' : root}/loader/loader.conf`;
}

/** The text of an EFI variable (`systemd-boot 252.39`): four bytes of attributes, then UTF-16. */
export function loaderInfo(text: string | undefined): string {
  return (text ?? '').replace(/[^\x20-\x7e]/g, '').trim();
}

function resolvePath(link: string, target: string): string {
  const start = target.startsWith('/') ? [] : link.split('/').slice(1, -1);
  const parts: string[] = [...start];
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
