import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProbe, buildZmqProbe } from '../../../scripts/probe-program.ts';
import { parseCpulist } from '../../../src/topology/cpulist.ts';

/** A folder of compiled programs, which anybody may run. */
export function makeFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'hft-probe-'));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

const STRICT = ['-Wall', '-Wextra', '-Wshadow', '-Wpointer-arith', '-Wstrict-prototypes', '-Werror', '-g'];

const SANITIZED = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', ...STRICT];

/** As users get it, and with every warning an error. */
export const STRICTLY = ['-O2', '-static', ...STRICT];

export function compileStrictly(folder: string): string {
  const target = join(folder, 'hft-probe');
  buildProbe(target, STRICTLY);
  return target;
}

/** Ends with an error at the first wrong access or undefined operation. */
export function compileSanitized(folder: string): string {
  const target = join(folder, 'hft-probe-sanitized');
  buildProbe(target, SANITIZED);
  return target;
}

/** hft-probe-zmq beside a program that one of these made. */
export function addZmqProbe(program: string): void {
  const flags = program.endsWith('-sanitized') ? SANITIZED : ['-O2', ...STRICT];
  buildZmqProbe(`${program}-zmq`, flags);
}

/** A program of the tests, of one file. Static ones run on other machines too. */
export function compileTestProgram(name: string, folder: string, flags: readonly string[] = []): string {
  const target = join(folder, name);
  const source = join(import.meta.dirname, 'programs', `${name}.c`);
  execFileSync('cc', [
    '-std=c11',
    '-D_GNU_SOURCE',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-pthread',
    ...flags,
    source,
    '-o',
    target,
  ]);
  return target;
}

/** CPUs that this process may use. */
export const CPUS = parseCpulist(
  /^Cpus_allowed_list:\s*(?<list>.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.groups?.list ?? '',
);
