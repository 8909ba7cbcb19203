import { createRequire, enableCompileCache } from 'node:module';
import { join } from 'node:path';
import pjson from '../../package.json' with { type: 'json' };
import { compileCacheFolder } from './compile-cache-folder.ts';
import { findCompiled, requireCompiled } from './compiled.ts';

/** Where hft is installed and what was typed. */
export interface Invocation {
  /** The folder with package.json, profiles/ and dist/. */
  readonly root: string;
  readonly argv: readonly string[];
}

/**
 * What runs before anything large is loaded: the version, which is asked for often, and the compiled code, which
 * halves the time of everything else. Built into a file of its own; dist/hft.cjs has the rest.
 */
export function start({ root, argv }: Invocation): void {
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(
      `${pjson.name}/${pjson.version} ${process.platform}-${process.arch} node-${process.version}\n`,
    );
    return;
  }
  // oclif would read its own package.json and parse version ranges with semver; bin/run.cjs has checked the version.
  process.env.OCLIF_DISABLE_ENGINE_WARNING = '1';
  loadHft(join(root, 'dist')).main({ root, argv });
}

/** With the code that the build compiled for this Node; on another Node with what that one keeps between runs. */
function loadHft(dist: string): { main(invocation: Invocation): void } {
  const compiled = findCompiled(dist);
  if (compiled !== undefined) return requireCompiled(compiled, 'hft.cjs') as ReturnType<typeof loadHft>;
  const folder = compileCacheFolder(process.env, process.getuid?.());
  if (folder !== undefined) enableCompileCache?.(folder);
  return createRequire(join(dist, '/'))('./hft.cjs');
}
