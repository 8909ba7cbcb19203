import { createRequire, enableCompileCache } from 'node:module';
import { join } from 'node:path';
import pjson from '../../package.json' with { type: 'json' };
import { compileCacheFolder } from './compile-cache-folder.ts';

/** Where hft is installed and what was typed. */
export interface Invocation {
  /** The folder with package.json, profiles/ and dist/. */
  readonly root: string;
  readonly argv: readonly string[];
}

/**
 * What runs before anything large is loaded: the version, which is asked for often, and the code cache, which halves
 * the time of everything else. Built into a file of its own; dist/hft.cjs has the rest.
 */
export function start({ root, argv }: Invocation): void {
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(
      `${pjson.name}/${pjson.version} ${process.platform}-${process.arch} node-${process.version}\n`,
    );
    return;
  }
  const folder = compileCacheFolder(process.env, process.getuid?.());
  if (folder !== undefined) enableCompileCache?.(folder);
  // oclif would read its own package.json and parse version ranges with semver; bin/run.cjs has checked the version.
  process.env.OCLIF_DISABLE_ENGINE_WARNING = '1';
  createRequire(join(root, 'dist/'))('./hft.cjs').main({ root, argv });
}
