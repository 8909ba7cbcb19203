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
  const source = readSource(file);
  const script = new Script(Module.wrap(source), {
    filename: file,
    ...readCode(join(files.code, `${name}.bin`), source),
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

/** Code of another text is not used: V8 itself compares the lengths of the texts alone. */
function readCode(file: string, source: string): { readonly cachedData?: Buffer } {
  if (!fs.existsSync(file)) return {};
  const stored = fs.readFileSync(file);
  const isOfSource = stored.toString('latin1', stored.length - MARK_LENGTH) === markOf(source);
  return isOfSource ? { cachedData: stored.subarray(0, stored.length - MARK_LENGTH) } : {};
}

/** The code of a script as it is kept, once it has run: what ran is in it. `source` is the text of its file. */
export function packCode(script: Script, source: string): Buffer {
  return Buffer.concat([script.createCachedData(), Buffer.from(markOf(source), 'latin1')]);
}

/** A SHA-256 in hex: how a built file ends (scripts/build.ts), the sum of all before it. */
const MARK_LENGTH = 64;

function markOf(source: string): string {
  return source.slice(-MARK_LENGTH);
}
