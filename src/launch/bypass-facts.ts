import { HostError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { type ProgramFile, readProgramFile } from './program-file.ts';
import type { ProcessWanted } from './schema.ts';

export type BypassLibrary = 'onload' | 'vma';

/** What of a host decides whether a library can be loaded before a process. */
export interface BypassFacts {
  /** What runs: the program, or that of its `#!` line; undefined: it cannot be read. */
  readonly program: { readonly path: string; readonly file: ProgramFile } | undefined;
  /** Why the kernel runs it in secure mode, in which the dynamic linker ignores LD_PRELOAD; undefined: it does not. */
  readonly secure: string | undefined;
  /** Whether that could be asked (test(1) and getcap(8)). */
  readonly isSecureKnown: boolean;
  /** Of the program's own kind, by absolute path; null: there is none; undefined: it could not be asked. */
  readonly library: string | null | undefined;
  /** What was looked through: `ldconfig -p`, or the path that was given. */
  readonly lookedIn: string;
  /** Onload alone: its command. */
  readonly wrapper: 'there' | 'missing' | undefined;
  /** Onload alone: whether its kernel module is loaded; undefined: of a captured machine, which says nothing of it. */
  readonly hasModule: boolean | undefined;
}

export const ONLOAD_COMMAND = '/usr/bin/onload';

/** `libvma.so`, `libvma.so.9`, `libonload.so`, in any folder. */
export function isLibrary(library: BypassLibrary, path: string): boolean {
  return new RegExp(`/lib${library}\\.so(?:\\.\\d+)*$`).test(path);
}

/** Asks the host; changes nothing. Nothing when the process asks for no such library. */
export async function readBypassFacts(
  reader: HostReader,
  { command, bypass }: Pick<ProcessWanted, 'command' | 'bypass'>,
): Promise<BypassFacts | undefined> {
  if (bypass === undefined) return undefined;
  const program = await findProgram(reader, command[0]);
  const secure = program === undefined ? undefined : await findSecure(reader, [command[0], program.path]);
  const isOnload = bypass.library === 'onload';
  return {
    program,
    secure: secure?.reason,
    isSecureKnown: secure?.isKnown === true,
    ...(await findLibrary(reader, bypass, program?.file)),
    wrapper: isOnload ? await findWrapper(reader) : undefined,
    hasModule:
      isOnload && program !== undefined ? (await listed(reader, '/sys/module/onload')) !== undefined : undefined,
  };
}

/** A script that a script runs is the kernel's most (BINPRM_MAX_RECURSION is 5). */
const MOST_SCRIPTS = 4;

async function findProgram(reader: HostReader, command: string): Promise<BypassFacts['program']> {
  let path = command;
  for (let nth = 0; nth <= MOST_SCRIPTS; nth++) {
    const file = await readProgramFile(reader, path);
    if (file?.kind !== 'script') return file === undefined ? undefined : { path, file };
    path = file.interpreter;
  }
  return undefined;
}

/** ld.so(8), secure-execution mode: set-user-ID, set-group-ID, and capabilities of the file. Those of a script count for nothing. */
async function findSecure(
  reader: HostReader,
  [command, program]: readonly [string, string],
): Promise<{ readonly reason: string | undefined; readonly isKnown: boolean }> {
  const [user, group] = [await says(reader, ['test', '-u', program]), await says(reader, ['test', '-g', program])];
  const capabilities = await ask(reader, ['getcap', program]);
  const isKnown = user !== undefined && group !== undefined && capabilities !== undefined;
  const through = command === program ? program : `${program}, which runs ${command},`;
  if (user === true) return { reason: `${through} is set-user-ID`, isKnown };
  if (group === true) return { reason: `${through} is set-group-ID`, isKnown };
  const gives = capabilities?.trim().slice(program.length).trim() ?? '';
  if (gives === '') return { reason: undefined, isKnown };
  return { reason: `${through} has file capabilities (${gives})`, isKnown };
}

async function findLibrary(
  reader: HostReader,
  { library, path }: NonNullable<ProcessWanted['bypass']>,
  program: ProgramFile | undefined,
): Promise<Pick<BypassFacts, 'library' | 'lookedIn'>> {
  if (path !== undefined) return { lookedIn: path, library: (await fits(reader, path, program)) ? path : null };
  const lookedIn = 'ldconfig -p';
  const cache = (await ask(reader, ['ldconfig', '-p'])) ?? (await ask(reader, ['/sbin/ldconfig', '-p']));
  if (cache === undefined) return { lookedIn, library: undefined };
  for (const found of parseLinkerCache(cache)) {
    if (isLibrary(library, found) && (await fits(reader, found, program))) return { lookedIn, library: found };
  }
  return { lookedIn, library: null };
}

/** Whether it is a library that this program can have: another class or machine is ignored by the dynamic linker. */
async function fits(reader: HostReader, path: string, program: ProgramFile | undefined): Promise<boolean> {
  const file = await readProgramFile(reader, path);
  if (file?.kind !== 'elf') return false;
  return program?.kind !== 'elf' || (program.bits === file.bits && program.machine === file.machine);
}

/** The paths of `ldconfig -p`: `<tab>libvma.so.9 (libc6,x86-64) => /lib/x86_64-linux-gnu/libvma.so.9`. */
export function parseLinkerCache(text: string): string[] {
  return [...text.matchAll(/^\t\S+ \([^)\n]*\) => (\/\S+)$/gm)].map(([, path]) => path as string);
}

async function findWrapper(reader: HostReader): Promise<BypassFacts['wrapper']> {
  const isThere = await says(reader, ['test', '-x', ONLOAD_COMMAND]);
  if (isThere === undefined) return undefined;
  return isThere ? 'there' : 'missing';
}

async function listed(reader: HostReader, path: string): Promise<readonly string[] | undefined> {
  try {
    return await reader.list(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** test(1) says it with its exit code, which is its purpose; another one than 0 and 1 is no answer. */
async function says(reader: HostReader, argv: readonly string[]): Promise<boolean | undefined> {
  const result = await reader.query(argv);
  return !result.found || result.exitCode > 1 ? undefined : result.exitCode === 0;
}

async function ask(reader: HostReader, argv: readonly string[]): Promise<string | undefined> {
  const result = await reader.query(argv);
  return result.found && result.exitCode === 0 ? result.stdout : undefined;
}
