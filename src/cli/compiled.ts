import fs from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';

/**
 * The files of dist/ with their machine code for one release of Node beside them, made by the build
 * (scripts/compile.ts) after it had run the usual commands. Node's own compile cache keeps only what the first command
 * after an installation happened to run, and a host that has just booted for the first time has none.
 */
export interface CompiledFiles {
  /** The folder of the built files, absolute. */
  readonly dist: string;
  /** The folder of their code, `<file>.bin` each. */
  readonly code: string;
  /** Told of every file that was loaded. The build asks for it, to know what to keep. */
  readonly onLoad?: (file: string, script: Script) => void;
}

/** Where the code for the running Node is kept. V8 refuses code of another release. */
export function codeFolder(dist: string): string {
  return join(dist, 'code', `${process.version}-${process.arch}`);
}

/** undefined when the build made none for this Node. */
export function findCompiled(dist: string): CompiledFiles | undefined {
  const code = codeFolder(dist);
  return fs.existsSync(code) ? { dist, code } : undefined;
}

/** `require` for a file of dist/, and for those that it requires by `./name`. Code that V8 refuses is compiled anew. */
export function requireCompiled(files: CompiledFiles, name: string): unknown {
  const file = join(files.dist, name);
  const native = createRequire(file);
  const known = native.cache[file];
  if (known !== undefined) return known.exports;
  const script = new Script(Module.wrap(readSource(file)), {
    filename: file,
    ...readCode(join(files.code, `${name}.bin`)),
  });
  const module = new Module(file);
  module.filename = file;
  // oclif requires dist/hft.cjs by its path and must get this one.
  native.cache[file] = module;
  const requireFrom = (id: string) => (id.startsWith('./') ? requireCompiled(files, id.slice(2)) : native(id));
  script.runInThisContext()(module.exports, Object.assign(requireFrom, native), module, file, files.dist);
  module.loaded = true;
  files.onLoad?.(name, script);
  return module.exports;
}

/** The build writes ASCII alone: read as Latin-1 it needs no decoding and half the memory. */
function readSource(file: string): string {
  return fs.readFileSync(file, 'latin1');
}

function readCode(file: string): { readonly cachedData?: Buffer } {
  return fs.existsSync(file) ? { cachedData: fs.readFileSync(file) } : {};
}
