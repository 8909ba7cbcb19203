/** Compiles hft-probe (agents/probes) for this machine: one static program of the C library alone. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'agents/probes');
/** Of what was compiled before, by what it was made of. */
const kept = join(root, 'node_modules/.cache/hft-probe');

/** One for users, two for tests, each of this source and the one before. */
const MOST_KEPT = 6;

/** What the code is written for. */
const LANGUAGE = ['-std=c11', '-D_GNU_SOURCE', '-pthread'];
/** What users get. Warnings are for tests: another compiler's new ones must not keep anybody from building. */
const FOR_USERS = ['-O2', '-static', '-s', '-w'];

/** Where there is no compiler, no C library to link with, or code that it refuses. */
export class CannotCompile extends Error {}

/**
 * Puts hft-probe at `target`: compiled with the given flags besides those of the language, or copied when nothing that it is made of
 * has changed since it was compiled. Throws CannotCompile with what the compiler said.
 */
export function buildProbe(target: string, flags: readonly string[] = FOR_USERS): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const options = [...LANGUAGE, `-DHFT_VERSION="${version}"`, ...flags];
  const hash = createHash('sha256')
    .update(runCompiler(['--version']))
    .update(options.join(' '));
  for (const file of sourceFiles()) hash.update(file).update(readFileSync(file));
  const made = join(kept, hash.digest('hex'));
  if (!existsSync(made)) {
    mkdirSync(kept, { recursive: true });
    const fresh = `${made}.${process.pid}`;
    runCompiler([...options, ...sourceFiles().filter((file) => file.endsWith('.c')), '-o', fresh]);
    renameSync(fresh, made);
    forgetOldest();
  }
  copyFileSync(made, target);
}

function forgetOldest(): void {
  const files = readdirSync(kept).map((name) => join(kept, name));
  const newestFirst = files.map((file) => ({ file, ms: statSync(file).mtimeMs })).sort((a, b) => b.ms - a.ms);
  for (const { file } of newestFirst.slice(MOST_KEPT)) rmSync(file, { force: true });
}

function sourceFiles(): string[] {
  const names = readdirSync(folder).filter((name) => /\.[ch]$/.test(name));
  return names.sort().map((name) => join(folder, name));
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
