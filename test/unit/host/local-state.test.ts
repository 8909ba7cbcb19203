import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalStateDirectory } from '../../../src/host/local-state.ts';
import { asOrdinaryUser, makePlace } from './place.ts';

const APPEND = path.join(import.meta.dirname, 'children/append.ts');

/** Appends lines of 100 bytes in a child until the system refuses; `setUp` is shell text that makes the obstacle. */
function appendUntilRefused(command: string[], setUp: string, place: string): { lines: number; code: string } {
  const [program, ...words] = [...command, 'sh', '-c', `${setUp} && exec "$@"`, 'sh', process.execPath, APPEND, place];
  return JSON.parse(execFileSync(program as string, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

function canMountPrivately(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('files of the state directory', () => {
  test('nothing is made before the first write, and missing is a value', async () => {
    const place = path.join(makePlace(), 'state');
    const state = new LocalStateDirectory(place);
    expect(await state.list('journal')).toEqual([]);
    expect(await state.readText('profile')).toBeUndefined();
    await state.remove('profile');
    expect(fs.existsSync(place)).toBe(false);
  });

  test('append adds, replace replaces, list sorts, everybody may read whatever the umask', async () => {
    const state = new LocalStateDirectory(path.join(makePlace(), 'state'));
    const umask = process.umask(0o077);
    try {
      await state.append('journal/b.jsonl', 'one\n', true);
      await state.append('journal/b.jsonl', 'two\n', false);
      await state.append('journal/a.jsonl', 'x\n', false);
      await state.replace('journal/a.jsonl', 'y\n');
    } finally {
      process.umask(umask);
    }
    expect(await state.list('journal')).toEqual(['a.jsonl', 'b.jsonl']);
    expect(await state.readText('journal/b.jsonl')).toBe('one\ntwo\n');
    const modes = ['', 'journal', 'journal/a.jsonl', 'journal/b.jsonl'].map((name) =>
      fs.statSync(path.join(state.path, name)),
    );
    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['755', '755', '644', '644']);
    await state.remove('journal/a.jsonl');
    expect(await state.list('journal')).toEqual(['b.jsonl']);
  });

  test('temporary files and the lock are not listed', async () => {
    const state = new LocalStateDirectory(makePlace());
    const lock = await state.lock('test');
    fs.writeFileSync(path.join(state.path, '.profile.hft-new'), '');
    await state.replace('locked-up', 'x');
    expect(await state.list('')).toEqual(['locked-up']);
    await lock.release();
    expect(fs.readdirSync(state.path).sort()).toEqual(['.profile.hft-new', 'locked-up']);
  });

  test('a name never leads out', async () => {
    const state = new LocalStateDirectory(path.join(makePlace(), 'state'));
    await expect(state.append('../outside', 'x', false)).rejects.toThrow('outside');
    await expect(state.readText('a/../../b')).rejects.toThrow('outside');
  });

  test('without the right to write: HostError that says to be root', async () => {
    const state = new LocalStateDirectory(makePlace());
    await state.append('journal', 'one\n', true);
    const refused = { name: 'HostError', code: 'EACCES', next: [expect.stringContaining('as root')] };
    await asOrdinaryUser(async () => {
      expect(await state.readText('journal')).toBe('one\n');
      await expect(state.append('journal', 'two\n', true)).rejects.toMatchObject(refused);
      await expect(state.replace('journal', 'two\n')).rejects.toMatchObject(refused);
      await expect(state.lock('test')).rejects.toMatchObject(refused);
    });
    expect(fs.readdirSync(state.path)).toEqual(['journal']);
  });
});

describe('a disk that takes only part', () => {
  test('a file size limit in the middle of a line: EFBIG, and the file ends with the line before', () => {
    const place = makePlace();
    // 4096 bytes are 40 lines and a part.
    expect(appendUntilRefused([], 'ulimit -f 8', place)).toEqual({ lines: 40, code: 'EFBIG' });
    expect(fs.readFileSync(path.join(place, 'journal'), 'utf8')).toBe(`${'x'.repeat(99)}\n`.repeat(40));
  });

  test('a full disk: ENOSPC, whole lines only', async () => {
    const place = makePlace();
    if (canMountPrivately()) {
      const setUp = `mount -t tmpfs -o size=16k tmpfs ${place}`;
      const { lines, code } = appendUntilRefused(['unshare', '-m'], setUp, place);
      expect(code).toBe('ENOSPC');
      expect(lines).toBeGreaterThan(80);
    } else {
      // Without the right to mount there is the device that is always full.
      fs.symlinkSync('/dev/full', path.join(place, 'journal'));
      const append = new LocalStateDirectory(place).append('journal', 'x\n', true);
      await expect(append).rejects.toMatchObject({
        code: 'ENOSPC',
        next: [expect.stringContaining('Free some space')],
      });
    }
  });
});
