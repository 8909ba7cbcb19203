import { basename } from 'node:path';
import { UsageError } from '../../errors.ts';

/** One of what `npm run package` makes. */
export interface PackageFile {
  readonly path: string;
  readonly kind: 'deb' | 'tarball';
  readonly version: string;
  readonly architecture: Architecture;
}

export type Architecture = 'x64' | 'arm64';

/** As Debian names them. */
const DEBIAN: Readonly<Record<string, Architecture>> = { amd64: 'x64', arm64: 'arm64' };
/** As uname(2) does. */
const MACHINES: Readonly<Record<string, Architecture>> = { x86_64: 'x64', aarch64: 'arm64' };

export function architectureOf(machine: string): Architecture | undefined {
  return MACHINES[machine];
}

/** `hft_0.1.0_amd64.deb`, `hft-0.1.0-linux-x64.tar.xz`. Throws UsageError for another name. */
export function parsePackageFile(path: string): PackageFile {
  const name = basename(path);
  const deb = /^hft_(?<version>[0-9][\w.+~-]*)_(?<debian>amd64|arm64)\.deb$/.exec(name)?.groups;
  if (deb)
    return {
      path,
      kind: 'deb',
      version: deb.version as string,
      architecture: DEBIAN[deb.debian as string] as Architecture,
    };
  const tar = /^hft-(?<version>[0-9][\w.+~-]*)-linux-(?<architecture>x64|arm64)\.tar\.xz$/.exec(name)?.groups;
  if (tar)
    return { path, kind: 'tarball', version: tar.version as string, architecture: tar.architecture as Architecture };
  throw new UsageError(
    `--package: expected hft_VERSION_ARCHITECTURE.deb or hft-VERSION-linux-ARCHITECTURE.tar.xz, got ${name}.`,
    { next: ['`npm run package` makes both, in out/.'] },
  );
}
