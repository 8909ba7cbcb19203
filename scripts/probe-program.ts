/** Compiles hft-probe (agents/probes) for this machine: one static program of the C library alone. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'agents/probes');
/** Of what was compiled before, by what it was made of. */
const kept = join(root, 'node_modules/.cache/hft-probe');

/** What the code is written for. */
const LANGUAGE = ['-std=c11', '-D_GNU_SOURCE', '-pthread'];
/** What users get. Warnings are for tests: another compiler's new ones must not keep anybody from building. */
const FOR_USERS = ['-O2', '-static', '-s', '-w'];

/** Where there is no compiler, no C library to link with, or code that it refuses. */
export class CannotCompile extends Error {}

/** Compiles with the given flags besides those of the language. Throws CannotCompile with what the compiler said. */
export function compileProbe(target: string, flags: readonly string[]): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const sources = sourceFiles().filter((file) => file.endsWith('.c'));
  runCompiler([...LANGUAGE, `-DHFT_VERSION="${version}"`, ...flags, ...sources, '-o', target]);
}

/** Puts hft-probe at `target`: compiled, or copied when nothing has changed since. Throws CannotCompile. */
export function buildProbe(target: string): void {
  const hash = createHash('sha256').update(runCompiler(['--version']));
  for (const file of ['package.json', 'scripts/probe-program.ts']) hash.update(readFileSync(join(root, file)));
  for (const file of sourceFiles()) hash.update(file).update(readFileSync(file));
  const made = join(kept, hash.digest('hex'));
  if (!existsSync(made)) {
    rmSync(kept, { recursive: true, force: true });
    mkdirSync(kept, { recursive: true });
    compileProbe(`${made}.new`, FOR_USERS);
    renameSync(`${made}.new`, made);
  }
  copyFileSync(made, target);
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
