/**
 * Compiles hft-probe (agents/probes) for this machine, one static program of the C library alone, and hft-probe-zmq, which is linked
 * dynamically, because it loads libzmq at run time; and hft-reference, the stand-in for a trading process.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'agents/probes');
/** Those of hft-probe that hft-probe-zmq has others for, or must not have. */
const NOT_OF_ZMQ = ['main.c', 'zeromq.c'];
/** Of what was compiled before, by what it was made of. */
const kept = join(root, 'node_modules/.cache/hft-probe');

/** Three programs, each for users and twice for tests, of this source and the one before. */
const MOST_KEPT = 18;

/** What the code is written for. */
const LANGUAGE = ['-std=c11', '-D_GNU_SOURCE', '-pthread'];
/** What users get. Warnings are for tests: another compiler's new ones must not keep anybody from building. */
const FOR_USERS = ['-O2', '-s', '-w'];

/** Where there is no compiler, no C library to link with, or code that it refuses. */
export class CannotCompile extends Error {}

/**
 * Puts hft-probe at `target`: compiled with the given flags besides those of the language, or copied when nothing that it is made of
 * has changed since it was compiled. Throws CannotCompile with what the compiler said.
 */
export function buildProbe(target: string, flags: readonly string[] = [...FOR_USERS, '-static']): void {
  compile({ target, flags, files: sourceFiles(folder) });
}

/** Puts hft-probe-zmq at `target`, whose name hft-probe knows: its own with `-zmq`. Throws as buildProbe does. */
export function buildZmqProbe(target: string, flags: readonly string[] = FOR_USERS): void {
  const shared = sourceFiles(folder).filter((file) => !NOT_OF_ZMQ.includes(basename(file)));
  compile({ target, flags: [...flags, '-ldl'], files: [...shared, ...sourceFiles(join(folder, 'zmq'))] });
}

/** Puts hft-reference, which stands in for a trading process, at `target`. Throws as buildProbe does. */
export function buildReference(target: string, flags: readonly string[] = [...FOR_USERS, '-static']): void {
  compile({ target, flags, files: [join(folder, 'attributes.h'), ...sourceFiles(join(folder, 'reference'))] });
}

interface Compilation {
  readonly target: string;
  readonly flags: readonly string[];
  readonly files: readonly string[];
}

function compile({ target, flags, files }: Compilation): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const options = [...LANGUAGE, `-DHFT_VERSION="${version}"`, ...flags];
  const hash = createHash('sha256')
    .update(runCompiler(['--version']))
    .update(options.join(' '));
  for (const file of files) hash.update(file).update(readFileSync(file));
  const made = join(kept, hash.digest('hex'));
  if (!existsSync(made)) {
    mkdirSync(kept, { recursive: true });
    const fresh = `${made}.${process.pid}`;
    // Libraries after what needs them.
    const programs = files.filter((file) => file.endsWith('.c'));
    runCompiler([
      ...options.filter(isNoLibrary),
      ...programs,
      ...options.filter((flag) => !isNoLibrary(flag)),
      '-o',
      fresh,
    ]);
    renameSync(fresh, made);
    forgetOldest();
  }
  copyFileSync(made, target);
}

function isNoLibrary(flag: string): boolean {
  return !flag.startsWith('-l');
}

function forgetOldest(): void {
  const files = readdirSync(kept).map((name) => join(kept, name));
  const newestFirst = files.map((file) => ({ file, ms: statSync(file).mtimeMs })).sort((a, b) => b.ms - a.ms);
  for (const { file } of newestFirst.slice(MOST_KEPT)) rmSync(file, { force: true });
}

function sourceFiles(of: string): string[] {
  const names = readdirSync(of).filter((name) => /\.[ch]$/.test(name));
  return names.sort().map((name) => join(of, name));
}

function runCompiler(argv: readonly string[]): string {
  try {
    return execFileSync('cc', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    throw new CannotCompile(code === 'ENOENT' ? 'there is no C compiler (cc)' : `cc: ${stderr?.trim()}`, {
      cause: error,
    });
  }
}
