import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const HFT = join(ROOT, 'bin/hft');

/** A home and a configuration folder with nothing in them. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const home = mkdtempSync(join(tmpdir(), 'hft-cli-'));
  const { PATH } = process.env;
  return { PATH, HOME: home, HFT_CONFIG_DIR: join(home, 'etc'), HFT_STATE_DIR: join(home, 'state'), LANG: 'C.UTF-8' };
}

/** Builds dist/ when a source is newer, so that the transcripts are of what is there now. */
export function buildWhenStale(): void {
  const built = statSync(join(ROOT, 'dist/hft.cjs'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newest = Math.max(...['src', 'scripts'].map((folder) => findNewest(join(ROOT, folder))));
  if (newest > built) execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { stdio: 'inherit' });
}

function findNewest(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true });
  return Math.max(
    0,
    ...entries.map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? findNewest(path) : statSync(path).mtimeMs;
    }),
  );
}

export interface RunOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** One command line of bash with `hft` on its PATH. */
export function runShell(line: string, { environment = cleanEnvironment(), cwd = ROOT }: RunOptions = {}): Run {
  const env = { ...environment, PATH: `${join(ROOT, 'bin')}:${environment.PATH}` };
  const { stdout, stderr, status } = spawnSync('/bin/bash', ['-c', line], { env, cwd, encoding: 'utf8' });
  return { stdout, stderr, exitCode: status };
}

/** The same while other tests go on. */
export async function awaitShell(
  line: string,
  { environment = cleanEnvironment(), cwd = ROOT }: RunOptions = {},
): Promise<Run> {
  const env = { ...environment, PATH: `${join(ROOT, 'bin')}:${environment.PATH}` };
  const child = spawn('/bin/bash', ['-c', line], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { stdout: stdout(), stderr: stderr(), exitCode };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString();
}

/** The command lines with what they print, in the form in which a reader of a terminal would see it. */
export function transcribe(lines: readonly string[], options: RunOptions = {}): string {
  const environment = options.environment ?? cleanEnvironment();
  const parts = lines.map((line) => {
    const { stdout, stderr, exitCode } = runShell(line, { ...options, environment });
    const errors = stderr === '' ? '' : `[stderr]\n${stderr}`;
    return `$ ${line}\n${stdout}${errors}[exit ${exitCode}]\n`;
  });
  return parts
    .join('\n')
    .replaceAll(environment.HOME as string, '~')
    .replaceAll(ROOT, '/opt/hft')
    .replaceAll(/hft\/\d+\.\d+\.\d+ linux-\w+ node-v[\d.]+/g, 'hft/VERSION linux-ARCH node-vNODE');
}
