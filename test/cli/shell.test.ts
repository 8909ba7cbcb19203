import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../../src/commands/index.ts';
import { buildWhenStale, cleanEnvironment, HFT, ROOT, runShell, transcribe } from './run-hft.ts';

beforeAll(buildWhenStale);

test('help', async () => {
  const lines = [
    'hft',
    'hft --version',
    'hft profile',
    'hft help profile validate',
    'COLUMNS=200 hft profile list --help',
  ];
  await expect(transcribe(lines)).toMatchFileSnapshot('transcripts/help.txt');
});

test('mistakes on the command line', async () => {
  const lines = [
    'hft plam',
    'hft profil list',
    'hft profile lits',
    'hft profile list --jsn',
    'hft profile list --jsn --json',
    'hft profile show',
    'hft profile show --json',
    'hft profile show colo twice',
    'hft completion tcsh',
    'hft help plam',
    'hft profile explain colo --snapshot /nowhere',
    'hft profile explain colo --snapshot',
    'hft profile list --names=yes',
  ];
  await expect(transcribe(lines)).toMatchFileSnapshot('transcripts/mistakes.txt');
});

describe('output', () => {
  test('a reader that goes away is no error', () => {
    const { stdout, stderr, exitCode } = runShell('set -o pipefail; hft profile schema | head -n 1');
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '{\n', stderr: '', exitCode: 0 });
  });

  test('large output arrives whole in a pipe', () => {
    expect(() => JSON.parse(runShell('hft profile schema | (sleep 0.5; cat)').stdout)).not.toThrow();
  });

  test('output that cannot be written is told', () => {
    const { stderr, exitCode } = runShell('hft profile schema > /dev/full');
    expect({ stderr, exitCode }).toEqual({ stderr: 'hft: cannot write the output: ENOSPC\n', exitCode: 2 });
  });

  test.each([
    ['a terminal has colours and its own width', 'hft profile list', true],
    ['NO_COLOR', 'NO_COLOR=1 hft profile list', false],
    ['--no-color', 'hft profile list --no-color', false],
    ['a dumb terminal', 'TERM=dumb hft profile list', false],
  ])('%s', (_name, line, isColored) => {
    const { stdout } = runShell(`TERM=xterm script -qec 'stty cols 130; ${line}' /dev/null`);
    expect(stdout.includes('\u001B[1mcolo')).toBe(isColored);
    expect(stdout).toContain('full isolation of the trading cores');
  });

  test('a pipe has no colours, unless they are forced', () => {
    expect(runShell('hft profile list').stdout).not.toContain('\u001B');
    expect(runShell('FORCE_COLOR=1 hft profile list').stdout).toContain('\u001B[1mcolo');
  });
});

describe('bin/hft', () => {
  test('is found through symbolic links, absolute and relative, from anywhere', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hft-bin-'));
    symlinkSync(HFT, join(folder, 'absolute'));
    symlinkSync('absolute', join(folder, 'relative'));
    mkdirSync(join(folder, 'deep'));
    symlinkSync('../relative', join(folder, 'deep/hft'));
    expect(runShell('./deep/hft --version', { cwd: folder }).stdout).toMatch(/^hft\/\d/);
    expect(runShell('sh hft --version', { cwd: join(ROOT, 'bin') }).stdout).toMatch(/^hft\/\d/);
  });

  test('uses the Node in node_modules, not the one on PATH', () => {
    expect(runShell('hft --version').stdout).toMatch(/node-v26\./);
  });

  test('says what to do when it was not built, and when there is no Node', () => {
    const root = mkdtempSync(join(tmpdir(), 'hft-root-'));
    cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true });
    const environment = { ...cleanEnvironment(), PATH: '/nowhere' };
    const run = () => runShell(`${root}/bin/hft --version`, { environment, cwd: root });
    expect(run()).toEqual({
      stdout: '',
      stderr: `hft: ${root}/dist/hft.cjs is missing: hft was not built.\n  Run in ${root}: npm ci\n`,
      exitCode: 69,
    });
    mkdirSync(join(root, 'dist'));
    writeFileSync(join(root, 'dist/hft.cjs'), '');
    expect(run()).toMatchObject({ exitCode: 69, stderr: expect.stringContaining('there is no Node') });
  });

  test('refuses a Node that is too old', () => {
    const preload = join(mkdtempSync(join(tmpdir(), 'hft-old-')), 'old.cjs');
    writeFileSync(preload, "Object.defineProperty(process.versions, 'node', { value: '18.19.0' });");
    const { stderr, exitCode } = runShell(`${process.execPath} -r ${preload} bin/run.cjs status`);
    expect({ stderr, exitCode }).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining('Node 18.19.0 is too old'),
    });
  });

  test('runs the sources without a build', () => {
    expect(runShell(`${process.execPath} bin/dev.ts profile list --names`).stdout).toContain('colo\n');
  });
});

test('the list of commands is the folder of commands', () => {
  const files = readdirSync(join(ROOT, 'src/commands'), { recursive: true, encoding: 'utf8' });
  const ids = files.filter((file) => file.endsWith('.ts') && file !== 'base.ts' && file !== 'index.ts');
  expect(Object.keys(commands).sort()).toEqual(
    ids.map((file) => file.replace(/\.ts$/, '').replaceAll('/', ':')).sort(),
  );
});

test.each(Object.entries(commands))('%s has a summary, examples, and at most 60 lines', (id, command) => {
  expect(command.summary).toMatch(/^[A-Z].*[^.]$/);
  expect(command.examples.length).toBeGreaterThan(0);
  const text = readFileSync(join(ROOT, 'src/commands', `${id.replaceAll(':', '/')}.ts`), 'utf8');
  expect(text.split('\n').length).toBeLessThanOrEqual(61);
});
