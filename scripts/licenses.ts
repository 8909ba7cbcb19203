import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const LICENSE = /^(?:licen[cs]e|copying|notice)/i;

/** The licence texts of every package that is bundled, as licenses/NAME/: MIT, ISC and MPL-2.0 ask that they go along. */
export function copyLicenses(root: string, folder: string): void {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  for (const [path, { dev, optional }] of Object.entries(packages)) {
    const from = join(root, path);
    if (path === '' || dev || optional || !existsSync(from)) continue;
    const to = join(folder, 'licenses', path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    for (const name of readdirSync(from).filter((each) => LICENSE.test(each))) {
      mkdirSync(to, { recursive: true });
      cpSync(join(from, name), join(to, name), { recursive: true });
    }
  }
}
