/**
 * Makes out/hft_VERSION_amd64.deb and out/hft-VERSION-linux-x64.tar.xz: hft with a Node of its own, for hosts that have
 * none. Needs the build (npm ci), and dpkg-deb, strip, patchelf and xz (Debian: dpkg-dev binutils patchelf xz-utils).
 * `--fast` compresses little, for tests.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { copyLicenses } from './licenses.ts';

const root = join(import.meta.dirname, '..');
const out = join(root, 'out');
const fast = process.argv.includes('--fast');
const { version, description, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
  string,
  string
>;

interface Architecture {
  readonly node: string;
  readonly debian: string;
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: { node: 'x64', debian: 'amd64' },
  arm64: { node: 'arm64', debian: 'arm64' },
};

function run(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`${command} is not installed. On Debian: apt-get install dpkg-dev binutils patchelf xz-utils`);
  }
}

/** The program without anything of the workshop: what both packages hold. */
function stage(folder: string, architecture: Architecture): void {
  for (const name of ['hft-probe', 'hft-probe-zmq', 'hft-reference']) {
    if (!existsSync(join(root, 'dist', name))) throw new Error(`dist/${name} is missing: npm run build says why`);
  }
  for (const name of [
    'bin/hft',
    'bin/run.cjs',
    'dist',
    'profiles',
    'agents',
    'oclif.manifest.json',
    'LICENSE',
    'README.md',
  ]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  copyLicenses(root, folder);
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const kept = Object.fromEntries(
    ['name', 'version', 'description', 'license', 'oclif', 'bin'].map((key) => [key, pjson[key]]),
  );
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(kept, null, 2)}\n`);
  mkdirSync(join(folder, 'node/bin'), { recursive: true });
  const node = join(folder, 'node/bin/node');
  copyFileSync(join(root, `node_modules/node-linux-${architecture.node}/bin/node`), node);
  copyFileSync(join(root, `node_modules/node-linux-${architecture.node}/LICENSE`), join(folder, 'node/LICENSE'));
  chmodSync(node, 0o755);
  run('strip', [node]);
}

/** Libraries that a bare host may lack, beside the node of the tarball; a .deb depends on their packages instead. */
function addLibraries(folder: string): void {
  const node = join(folder, 'node/bin/node');
  const lib = join(folder, 'node/lib');
  mkdirSync(lib, { recursive: true });
  const needed = run('ldd', [node]).matchAll(/(lib(?:atomic|stdc\+\+|gcc_s)\.so\.\d+) => (\S+)/g);
  for (const [, name, path] of needed) copyFileSync(realpathSync(path as string), join(lib, name as string));
  run('patchelf', ['--set-rpath', '$ORIGIN/../lib', node]);
}

const PRERM = `#!/bin/sh
# What hft changed stays changed without hft: tell the administrator before the means to undo it is gone.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now --quiet hft-agent.service || true; fi
if [ "$1" = remove ] && [ -d /var/lib/hft/journal ]; then
  if /usr/lib/hft/bin/hft status 2>/dev/null | grep -q ' profile '; then
    echo "hft: a profile is still in force. 'hft rollback --all' before removing hft puts the host back as it was." >&2
  fi
fi
if [ "$1" = remove ] && [ -f /var/lib/hft/launch/order.json ]; then
  echo "hft: trading processes run by units of hft. 'hft stop' before removing hft ends them and takes the units away." >&2
fi
`;

const POSTRM = `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
rm -rf /var/cache/hft
if [ "$1" = purge ]; then rm -rf /var/lib/hft; fi
`;

function makeDeb(architecture: Architecture): string {
  const folder = join(out, 'deb');
  const program = join(folder, 'usr/lib/hft');
  stage(program, architecture);
  mkdirSync(join(folder, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/hft/bin/hft', join(folder, 'usr/bin/hft'));
  // Not started: without a key and somebody who may ask there is nothing to serve.
  const units = join(folder, 'usr/lib/systemd/system');
  mkdirSync(units, { recursive: true });
  copyFileSync(join(root, 'agents/hft-agent.service'), join(units, 'hft-agent.service'));
  mkdirSync(join(folder, 'DEBIAN'));
  const kib = Number(run('du', ['-sk', folder]).split('\t')[0]);
  writeFileSync(join(folder, 'DEBIAN/control'), control(architecture, kib));
  for (const [name, text] of [
    ['prerm', PRERM],
    ['postrm', POSTRM],
  ] as const) {
    writeFileSync(join(folder, 'DEBIAN', name), text, { mode: 0o755 });
  }
  const file = join(out, `hft_${version}_${architecture.debian}.deb`);
  run('dpkg-deb', ['--root-owner-group', ...(fast ? ['-Zgzip', '-z1'] : ['-Zxz']), '--build', folder, file]);
  rmSync(folder, { recursive: true });
  return file;
}

function control(architecture: Architecture, installedKib: number): string {
  return `Package: hft
Version: ${version}
Architecture: ${architecture.debian}
Maintainer: The hft authors <hft@localhost>
Section: admin
Priority: optional
Installed-Size: ${installedKib}
Depends: libc6 (>= 2.28), libstdc++6, libatomic1, util-linux
Recommends: ethtool, iproute2
Description: ${description}
 Plans, applies, verifies and undoes the tuning of a Linux host for low-latency
 trading, from YAML profiles. Brings its own Node. License: ${license}.
`;
}

function makeTarball(architecture: Architecture): string {
  const name = `hft-${version}-linux-${architecture.node}`;
  stage(join(out, name), architecture);
  addLibraries(join(out, name));
  const file = join(out, `${name}.tar.xz`);
  const xz = fast ? 'xz -0 -T0' : 'xz -6 -T0';
  run('tar', ['-C', out, '--owner=0', '--group=0', '--sort=name', '-I', xz, '-cf', file, name]);
  rmSync(join(out, name), { recursive: true });
  return file;
}

const architecture = ARCHITECTURES[process.arch];
if (!architecture) throw new Error(`no package is made on ${process.arch}: on x64 and arm64 only`);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const file of [makeDeb(architecture), makeTarball(architecture)]) console.log(file.slice(root.length + 1));
