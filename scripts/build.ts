/** Builds dist/ and oclif.manifest.json from src/. Run by `npm ci` and by `npm run build`. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Plugin } from '@oclif/core';
import { type BuildOptions, build, type Plugin as EsbuildPlugin } from 'esbuild';
import { LocalHost } from '../src/host/local.ts';
import { prepareProfiles } from '../src/profile/prepare.ts';
import type { PreparedProfiles } from '../src/profile/prepared.ts';
import { domains } from '../src/tuning/index.ts';
import { buildProbe, buildReference, buildZmqProbe, CannotCompile } from './probe-program.ts';

const root = join(import.meta.dirname, '..');
const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Packages that not every command needs: a file each, so that the others do not even read them. */
const LATE_PACKAGES = Object.keys(pjson.dependencies).filter((name) => name !== '@oclif/core');

const latePackages: EsbuildPlugin = {
  name: 'late-packages',
  setup({ onResolve }) {
    const filter = new RegExp(`^(?:${LATE_PACKAGES.join('|')})$`);
    onResolve({ filter }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: `./${path}.cjs`, external: true },
    );
  },
};

/**
 * What oclif loads at start-up and hft never reaches: finding commands by file pattern (hft lists them), plugins by
 * pattern, configuration files of other names, Windows, measuring itself; and its debug log, which is off unless DEBUG
 * is set.
 */
const UNREACHED: Readonly<Record<string, string>> = {
  tinyglobby: 'module.exports = {};',
  minimatch: 'module.exports = {};',
  lilconfig: 'module.exports = {};',
  'wsl-utils': 'module.exports = { isWsl: false };',
  'node:child_process': 'module.exports = {};',
  'node:perf_hooks': 'module.exports = {};',
  debug: 'module.exports = () => Object.assign(() => {}, { enabled: false });',
};

const unreached: EsbuildPlugin = {
  name: 'unreached',
  setup({ onResolve, onLoad }) {
    const filter = new RegExp(`^(?:${Object.keys(UNREACHED).join('|')})$`);
    onResolve({ filter }, ({ path, importer }) =>
      importer.includes('/node_modules/') ? { path, namespace: 'unreached' } : undefined,
    );
    onLoad({ filter, namespace: 'unreached' }, ({ path }) => ({ contents: UNREACHED[path] ?? '' }));
  },
};

/** How oclif sorts its commands: by the language of whoever types, for which ICU's collation is loaded (6 ms). */
const COLLATED = 'a.id.localeCompare(b.id)';

/** The ids of commands are ASCII: their order is the same. */
const plainOrder: EsbuildPlugin = {
  name: 'plain-order',
  setup({ onLoad }) {
    onLoad({ filter: /@oclif\/core\/lib\/config\/plugin\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes(COLLATED)) throw new Error(`${path} has no ${COLLATED} any more: see if this is still needed`);
      return { contents: text.replace(COLLATED, '(a.id < b.id ? -1 : 1)') };
    });
  },
};

/** Identifiers are not shortened: stack traces in bug reports are read by people. */
const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // import() becomes require(), which src/cli/compiled.ts answers.
  supported: { 'dynamic-import': false },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  outExtension: { '.js': '.cjs' },
};

/** See src/profile/prepared.ts. */
async function prepareShipped(): Promise<PreparedProfiles> {
  return prepareProfiles({ searchPath: [join(root, 'profiles')], reader: new LocalHost(), domains });
}

/** The package looks for its addon among those of all platforms, by a manifest of 7 KB: here it lies beside the code. */
const addonBeside: EsbuildPlugin = {
  name: 'addon-beside',
  setup({ onLoad }) {
    onLoad({ filter: /zeromq\/lib\/load-addon\.js$/ }, () => ({
      contents:
        "exports.__esModule = true; exports.default = require(require('node:path').join(__dirname, 'zeromq.node'));",
    }));
  },
};

/** What ssh2 has in C beside its own JavaScript and node:crypto is not built, and not shipped: it passes over what is not there. */
const withoutNative: EsbuildPlugin = {
  name: 'without-native',
  setup({ onResolve }) {
    onResolve({ filter: /sshcrypto\.node$|^cpu-features$/ }, () => ({ path: './not-built', external: true }));
  },
};

/** Node-API, glibc 2.25: one file for every Node that hft runs on. */
function addAddon(outdir: string): void {
  const built = `build/linux/${process.arch}/node/glibc-127-Release/addon.node`;
  copyFileSync(join(root, 'node_modules/zeromq', built), join(outdir, 'zeromq.node'));
}

async function bundle(outdir: string): Promise<void> {
  const late = Object.fromEntries(LATE_PACKAGES.map((name) => [name, name]));
  await Promise.all([
    build({ ...shared, outdir, entryPoints: { start: 'src/cli/start.ts' } }),
    build({
      ...shared,
      outdir,
      entryPoints: { hft: 'src/cli/index.ts' },
      plugins: [latePackages, unreached, plainOrder],
      define: { PREPARED_PROFILES: JSON.stringify(JSON.stringify(await prepareShipped())) },
    }),
    build({ ...shared, outdir, entryPoints: late, plugins: [addonBeside, withoutNative] }),
  ]);
}

/** Ends each file with its own sum, by which src/cli/compiled.ts knows the code that was made of it. */
function markFiles(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    appendFileSync(file, `//${createHash('sha256').update(readFileSync(file)).digest('hex')}`);
  }
}

/** oclif reads the list of commands from it instead of loading every command. */
async function writeManifest(): Promise<void> {
  const options = { root, pjson, isRoot: true, ignoreManifest: true, errorOnManifestCreate: true };
  const plugin = new Plugin({ ...options, respectNoCacheDefault: true });
  await plugin.load();
  const path = join(root, 'oclif.manifest.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(plugin.manifest)}\n`);
  renameSync(`${path}.new`, path);
}

/** hft without its measuring program does all else: `hft verify latency` says what is missing. */
function addProbe(target: string): void {
  try {
    buildProbe(target);
    buildZmqProbe(`${target}-zmq`);
    buildReference(join(dirname(target), 'hft-reference'));
  } catch (error) {
    if (!(error instanceof CannotCompile)) throw error;
    console.warn(
      `hft-probe was not built: ${error.message}. For \`hft verify latency\` and \`hft launch\`: apt-get install gcc libc6-dev`,
    );
  }
}

/** A build that fails leaves the last good one in place. */
const fresh = join(root, `dist.${process.pid}`);
try {
  await bundle(fresh);
  markFiles(fresh);
  addAddon(fresh);
  addProbe(join(fresh, 'hft-probe'));
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  renameSync(fresh, join(root, 'dist'));
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
await writeManifest();
execFileSync(process.execPath, [join(root, 'scripts/compile.ts')], { stdio: 'inherit' });
