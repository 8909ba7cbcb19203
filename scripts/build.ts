/** Builds dist/ and oclif.manifest.json from src/. Run by `npm ci` and by `npm run build`. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Plugin } from '@oclif/core';
import { type BuildOptions, build } from 'esbuild';

const root = join(import.meta.dirname, '..');

const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'warning',
};

/** One file each: nothing to resolve at start-up, and stack traces that name functions. */
async function bundle(): Promise<void> {
  await Promise.all([
    build({ ...shared, entryPoints: ['src/cli/start.ts'], outfile: 'dist/start.cjs' }),
    build({ ...shared, entryPoints: ['src/cli/index.ts'], outfile: 'dist/hft.cjs', keepNames: true }),
  ]);
}

/** oclif reads the list of commands from it instead of loading every command. */
async function writeManifest(): Promise<void> {
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const options = { root, pjson, isRoot: true, ignoreManifest: true, errorOnManifestCreate: true };
  const plugin = new Plugin({ ...options, respectNoCacheDefault: true });
  await plugin.load();
  const path = join(root, 'oclif.manifest.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(plugin.manifest)}\n`);
  renameSync(`${path}.new`, path);
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
await bundle();
await writeManifest();
