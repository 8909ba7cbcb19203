import fs from 'node:fs';
import { join } from 'node:path';
import type { Script } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CompiledFiles, codeFolder, findCompiled, packCode, requireCompiled } from '../../../src/cli/compiled.ts';
import { makePlace } from '../host/place.ts';

/** What a built file ends with: here any 64 characters that depend on the text. */
const marked = (text: string) => `${text}//${Buffer.from(text).toString('hex').slice(-64).padStart(64, '0')}`;
const MAIN = marked("const { twice } = require('./part.cjs');\nexports.answer = () => twice(21);\n");
const PART = marked('exports.twice = (number) => number * 2;\n');

const warnings: Error[] = [];
const noteWarning = (warning: Error) => warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on('warning', noteWarning);
});
afterEach(() => {
  process.off('warning', noteWarning);
});

/** A dist/ of its own each time: Node keeps a module by its path. */
function writeDist(files: Record<string, string>): string {
  const dist = fs.mkdtempSync(join(makePlace(), 'dist'));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(dist, name), text);
  return dist;
}

function load(files: Pick<CompiledFiles, 'dist' | 'code'>) {
  const scripts = new Map<string, Script>();
  const loaded = requireCompiled({ ...files, onLoad: (name, script) => scripts.set(name, script) }, 'main.cjs');
  return { main: loaded as { answer(): number }, scripts };
}

/** The code of MAIN and PART as the build makes it: after they ran. */
function compile(): string {
  const dist = writeDist({ 'main.cjs': MAIN, 'part.cjs': PART });
  const { main, scripts } = load({ dist, code: join(dist, 'none') });
  main.answer();
  fs.mkdirSync(codeFolder(dist), { recursive: true });
  for (const [name, script] of scripts) {
    const source = fs.readFileSync(join(dist, name), 'latin1');
    fs.writeFileSync(join(codeFolder(dist), `${name}.bin`), packCode(script, source));
  }
  return codeFolder(dist);
}

describe('the code of this Node', () => {
  test('is used, for a file and for those that it requires', () => {
    const { main, scripts } = load({ dist: writeDist({ 'main.cjs': MAIN, 'part.cjs': PART }), code: compile() });
    expect(main.answer()).toBe(42);
    expect([...scripts].map(([name, { cachedDataRejected }]) => [name, cachedDataRejected])).toEqual([
      ['part.cjs', false],
      ['main.cjs', false],
    ]);
  });

  test('is found only where the build made it for this release and this machine', () => {
    const dist = writeDist({ 'main.cjs': MAIN });
    fs.mkdirSync(join(dist, 'code', 'v20.0.0-x64'), { recursive: true });
    expect(findCompiled(dist)).toBeUndefined();
    fs.mkdirSync(codeFolder(dist));
    expect(findCompiled(dist)).toEqual({ dist, code: join(dist, 'code', `${process.version}-${process.arch}`) });
  });
});

describe('compiled anew, without a word', () => {
  const used = (scripts: ReadonlyMap<string, Script>) => scripts.get('main.cjs')?.cachedDataRejected;
  afterEach(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });

  test('when there is no code', () => {
    const { main, scripts } = load({ dist: writeDist({ 'main.cjs': MAIN, 'part.cjs': PART }), code: '/nowhere' });
    expect(main.answer()).toBe(42);
    expect(used(scripts)).toBeUndefined();
  });

  test('when the file is another one of the same length, which V8 would not notice', () => {
    const other = marked(MAIN.slice(0, MAIN.lastIndexOf('//')).replace('21', '20'));
    expect(other).toHaveLength(MAIN.length);
    const { main, scripts } = load({ dist: writeDist({ 'main.cjs': other, 'part.cjs': PART }), code: compile() });
    expect(main.answer()).toBe(40);
    expect(used(scripts)).toBeUndefined();
  });

  test.each([
    ['cut off', (code: Buffer) => code.subarray(0, 40)],
    ['empty', () => Buffer.alloc(0)],
  ])('when the code is %s', (_how, damage) => {
    const code = compile();
    const file = join(code, 'main.cjs.bin');
    fs.writeFileSync(file, damage(fs.readFileSync(file)));
    const { main, scripts } = load({ dist: writeDist({ 'main.cjs': MAIN, 'part.cjs': PART }), code });
    expect(main.answer()).toBe(42);
    expect(used(scripts)).toBeUndefined();
  });

  test('when V8 refuses it: made by another release or with other flags', () => {
    const code = compile();
    const file = join(code, 'main.cjs.bin');
    const stored = fs.readFileSync(file);
    // The head of V8's own format: version and flags are in it.
    fs.writeFileSync(file, stored.fill(0xff, 0, 16));
    const { main, scripts } = load({ dist: writeDist({ 'main.cjs': MAIN, 'part.cjs': PART }), code });
    expect(main.answer()).toBe(42);
    expect(used(scripts)).toBe(true);
  });
});

test('a file that oclif requires by its path is the one that is loaded already', () => {
  const dist = writeDist({ 'main.cjs': MAIN, 'part.cjs': PART });
  const files = { dist, code: '/nowhere' };
  expect(requireCompiled(files, 'main.cjs')).toBe(requireCompiled(files, 'main.cjs'));
  const { main } = load(files);
  expect(main).toBe(requireCompiled(files, 'main.cjs'));
});
