/**
 * Writes dist/code/: the compiled code of what the usual commands run, for the Node that runs this (src/cli/compiled.ts
 * says what for). scripts/build.ts starts it in a process of its own. The commands only read: this machine, a small
 * made-up one in an archive, and a captured server.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Script } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { codeFolder, packCode, requireCompiled } from '../src/cli/compiled.ts';
import { writeTar } from '../src/host/tar-write.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

const MACHINE = {
  'proc/cpuinfo': 'processor\t: 0\nflags\t\t: fpu\n\nprocessor\t: 1\nflags\t\t: fpu\n',
  'proc/cmdline': 'quiet\n',
  'proc/sys/kernel/osrelease': '6.1.0-amd64\n',
  'sys/devices/system/cpu/present': '0-1\n',
  'sys/devices/system/cpu/possible': '0-1\n',
  'sys/devices/system/cpu/online': '0-1\n',
};

/** Every file of dist/ that the commands load, run as far as they do. */
async function runUsualCommands(folder: string): Promise<ReadonlyMap<string, Script>> {
  const archive = join(folder, 'machine.tar.gz');
  const entries = Object.entries(MACHINE).map(
    ([path, text]) => ({ kind: 'file', path, content: Buffer.from(text) }) as const,
  );
  writeFileSync(archive, gzipSync(writeTar(entries)));
  // The shipped profiles need neither YAML nor the schemas, people's own do.
  const own = join(folder, 'own.yaml');
  writeFileSync(own, 'extends: colo\n');
  const scripts = new Map<string, Script>();
  const files = {
    dist,
    code: join(folder, 'none'),
    onLoad: (name: string, script: Script) => scripts.set(name, script),
  };
  const { main } = requireCompiled(files, 'hft.cjs') as {
    main(invocation: { root: string; argv: readonly string[] }): Promise<void>;
  };
  for (const argv of [
    ['status'],
    ['status', '--json'],
    ['profile', 'list'],
    ['plan', '--profile', 'colo'],
    ['plan', '--profile', 'colo', '--json', '--snapshot', archive],
    ['plan', '--profile', own, '--snapshot', archive],
    // A server: what has no place on the machine that builds is run too.
    ['plan', '--profile', 'colo', '--snapshot', join(root, 'test/machines/two-socket')],
    ['verify', 'settings', '--profile', 'workstation', '--snapshot', archive],
  ]) {
    await main({ root, argv });
  }
  return scripts;
}

const folder = mkdtempSync(join(tmpdir(), 'hft-compile-'));
const { write } = process.stdout;
try {
  process.env.HFT_STATE_DIR = join(folder, 'state');
  process.env.OCLIF_DISABLE_ENGINE_WARNING = '1';
  process.stdout.write = () => true;
  process.stderr.write = () => true;
  // V8 drops code that was not run for a while, which here is code to keep. It also refuses code that was made with
  // other flags, so the flag is back before the code is taken.
  setFlagsFromString('--no-flush-bytecode');
  const scripts = await runUsualCommands(folder);
  setFlagsFromString('--flush-bytecode');
  mkdirSync(codeFolder(dist), { recursive: true });
  for (const [name, script] of scripts) {
    const code = packCode(script, readFileSync(join(dist, name), 'latin1'));
    writeFileSync(join(codeFolder(dist), `${name}.bin`), code);
  }
} finally {
  process.stdout.write = write;
  rmSync(folder, { recursive: true });
  // What the commands found of this machine is no verdict about the build.
  process.exitCode = 0;
}
