import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import { asOrdinaryUser, makePlace } from './place.ts';

const host = new LocalHost();

describe('reading', () => {
  test('a file of /proc is read whole although its size says 0', async () => {
    const text = await host.readText('/proc/self/maps');
    expect(fs.statSync('/proc/self/maps').size).toBe(0);
    expect(text?.split('\n').length).toBeGreaterThan(50);
    expect(text?.endsWith('\n')).toBe(true);
  });

  test('a text of several buffers comes whole, with bytes that are no UTF-8 replaced and a byte order mark kept', async () => {
    const file = path.join(makePlace(), 'big');
    const content = Buffer.concat([Buffer.from('\uFEFF'), Buffer.alloc(300_001, 'é'), Buffer.from([0xff, 0x00])]);
    fs.writeFileSync(file, content);
    expect(await host.readText(file)).toBe(content.toString('utf8'));
  });

  test.for([
    ['no such file', '/proc/nothing-here'],
    ['a file in place of a folder', '/proc/version/under'],
    ['a process that ended', '/proc/4194305/stat'],
  ])('missing is a value: %s', async ([, file]) => {
    expect(await host.readText(file as string)).toBeUndefined();
    expect(await host.list(file as string)).toBeUndefined();
    expect(await host.readLink(file as string)).toBeUndefined();
  });

  test.for([
    ['EINVAL', '/sys/class/net/lo/speed'],
    ['EIO', '/proc/self/mem'],
    ['EISDIR', '/proc/self'],
  ])('%s surfaces with code and path', async ([code, file]) => {
    await expect(host.readText(file as string)).rejects.toMatchObject({
      name: 'HostError',
      code,
      path: file,
      exitCode: 3,
    });
  });

  test('a loop of links is ELOOP', async () => {
    const place = makePlace();
    fs.symlinkSync('b', path.join(place, 'a'));
    fs.symlinkSync('a', path.join(place, 'b'));
    await expect(host.readText(path.join(place, 'a'))).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(host.list(path.join(place, 'a'))).rejects.toMatchObject({ code: 'ELOOP' });
    expect(await host.readLink(path.join(place, 'a'))).toBe('b');
  });

  test('without the right to read: EACCES and the advice to be root', async () => {
    const place = makePlace();
    fs.writeFileSync(path.join(place, 'secret'), 'x', { mode: 0o000 });
    fs.mkdirSync(path.join(place, 'closed'), { mode: 0o000 });
    const refused = { code: 'EACCES', next: [expect.stringContaining('as root')] };
    await asOrdinaryUser(async () => {
      await expect(host.readText(path.join(place, 'secret'))).rejects.toMatchObject(refused);
      await expect(host.list(path.join(place, 'closed'))).rejects.toMatchObject(refused);
      await expect(host.readLink(path.join(place, 'closed/link'))).rejects.toMatchObject(refused);
    });
    fs.chmodSync(path.join(place, 'closed'), 0o700);
  });

  test('names are sorted, links are told as they are stored', async () => {
    const place = makePlace();
    for (const name of ['cpu10', 'cpu2', 'cpu1']) fs.writeFileSync(path.join(place, name), '');
    fs.symlinkSync('../../devices/nowhere', path.join(place, 'link'));
    expect(await host.list(place)).toEqual(['cpu1', 'cpu10', 'cpu2', 'link']);
    expect(await host.readLink(path.join(place, 'link'))).toBe('../../devices/nowhere');
    expect(await host.readLink(path.join(place, 'cpu1'))).toBeUndefined();
  });
});

describe('writeText', () => {
  test('writes without truncating first and never makes a file', async () => {
    const place = makePlace();
    const file = path.join(place, 'knob');
    fs.writeFileSync(file, 'powersave');
    await host.writeText(file, 'perf');
    expect(fs.readFileSync(file, 'utf8')).toBe('perfrsave');
    await expect(host.writeText(path.join(place, 'new'), '1')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(fs.readdirSync(place)).toEqual(['knob']);
  });

  test.for([
    ['ENOSPC', '/dev/full'],
    ['EISDIR', '/proc'],
    // A kernel file refuses what it cannot understand; this one belongs to the writing process alone.
    ['EINVAL', '/proc/self/oom_score_adj'],
  ])('%s surfaces', async ([code, file]) => {
    await expect(host.writeText(file as string, 'word')).rejects.toMatchObject({ code, path: file });
  });

  test('EACCES surfaces', async () => {
    const file = path.join(makePlace(), 'knob');
    fs.writeFileSync(file, '0', { mode: 0o444 });
    await asOrdinaryUser(() => expect(host.writeText(file, '1')).rejects.toMatchObject({ code: 'EACCES' }));
  });
});

describe('replaceFile', () => {
  test('keeps mode and owner of a file that is there, 0644 for a new one in new folders', async () => {
    const place = makePlace();
    const old = path.join(place, 'old');
    fs.writeFileSync(old, 'before');
    fs.chmodSync(old, 0o2640);
    if (process.geteuid?.() === 0) fs.chownSync(old, 1, 2);
    fs.chmodSync(old, 0o2640);
    const { uid, gid } = fs.statSync(old);
    await host.replaceFile(old, 'after');
    expect(fs.readFileSync(old, 'utf8')).toBe('after');
    expect(fs.statSync(old)).toMatchObject({ uid, gid, mode: 0o102640 });
    const made = path.join(place, 'a/b/new');
    const umask = process.umask(0o077);
    await host.replaceFile(made, 'text').finally(() => process.umask(umask));
    expect(fs.statSync(made).mode & 0o777).toBe(0o644);
    expect(fs.statSync(path.join(place, 'a/b')).mode & 0o777).toBe(0o755);
    await host.replaceFile(made, 'text', 0o600);
    expect(fs.statSync(made).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(place)).toEqual(['a', 'old']);
  });

  test('a symbolic link stays one and its target is replaced, also when the target is not there yet', async () => {
    const place = makePlace();
    fs.mkdirSync(path.join(place, 'real'));
    fs.symlinkSync('real/grub', path.join(place, 'second'));
    fs.symlinkSync(path.join(place, 'second'), path.join(place, 'grub'));
    for (const text of ['one', 'two']) {
      await host.replaceFile(path.join(place, 'grub'), text);
      expect(fs.readFileSync(path.join(place, 'real/grub'), 'utf8')).toBe(text);
    }
    expect(fs.readlinkSync(path.join(place, 'grub'))).toBe(path.join(place, 'second'));
    expect(fs.readlinkSync(path.join(place, 'second'))).toBe('real/grub');
  });

  test.for([
    ['EISDIR', (file: string) => fs.mkdirSync(file)],
    ['ELOOP', (file: string) => fs.symlinkSync(path.basename(file), file)],
    ['ENOTDIR', (file: string) => fs.writeFileSync(path.dirname(file), '')],
  ] as const)('%s: nothing is replaced and nothing is left', async ([code, prepare]) => {
    const place = makePlace();
    const file = path.join(place, code === 'ENOTDIR' ? 'x/file' : 'file');
    prepare(file);
    const before = fs.readdirSync(place);
    await expect(host.replaceFile(file, 'text')).rejects.toMatchObject({ code });
    expect(fs.readdirSync(place)).toEqual(before);
  });

  test('EACCES: the old file is as it was', async () => {
    const place = makePlace();
    const file = path.join(place, 'file');
    fs.writeFileSync(file, 'before');
    await asOrdinaryUser(() => expect(host.replaceFile(file, 'after')).rejects.toMatchObject({ code: 'EACCES' }));
    expect(fs.readFileSync(file, 'utf8')).toBe('before');
    expect(fs.readdirSync(place)).toEqual(['file']);
  });

  test('the file is synced before and after its rename, and then the folder', async () => {
    const place = makePlace();
    const steps: string[] = [];
    const { fsyncSync, renameSync } = fs;
    vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
      steps.push(`fsync ${path.relative(place, fs.readlinkSync(`/proc/self/fd/${fd}`))}`);
      fsyncSync(fd);
    });
    vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      steps.push('rename');
      renameSync(from, to);
    });
    await host.replaceFile(path.join(place, 'entry.conf'), 'text').finally(() => vi.restoreAllMocks());
    expect(steps).toEqual(['fsync .entry.conf.hft-new', 'rename', 'fsync entry.conf', 'fsync ']);
  });

  test('what a killed run left does not stop the next', async () => {
    const place = makePlace();
    const file = path.join(place, 'sysctl.conf');
    fs.writeFileSync(path.join(place, '.sysctl.conf.hft-new'), 'half', { mode: 0o000 });
    await host.replaceFile(file, 'whole');
    expect(fs.readdirSync(place)).toEqual(['sysctl.conf']);
    expect(fs.readFileSync(file, 'utf8')).toBe('whole');
  });
});

describe('folders and removal', () => {
  test('making and removing twice is no error', async () => {
    const folder = path.join(makePlace(), 'cgroup/trading');
    for (let turn = 0; turn < 2; turn++) await host.makeFolder(folder);
    expect(fs.statSync(folder).isDirectory()).toBe(true);
    for (let turn = 0; turn < 2; turn++) await host.removeFolder(folder);
    expect(fs.existsSync(folder)).toBe(false);
    const file = path.join(makePlace(), 'file');
    fs.writeFileSync(file, '');
    for (let turn = 0; turn < 2; turn++) await host.removeFile(file);
    expect(fs.existsSync(file)).toBe(false);
  });

  test('a folder that is not empty, or is a file, is left alone', async () => {
    const place = makePlace();
    fs.writeFileSync(path.join(place, 'file'), '');
    await expect(host.removeFolder(place)).rejects.toMatchObject({ code: 'ENOTEMPTY' });
    await expect(host.removeFile(place)).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(host.makeFolder(path.join(place, 'file'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    expect(fs.readdirSync(place)).toEqual(['file']);
  });

  test('removing a link leaves its target', async () => {
    const place = makePlace();
    fs.writeFileSync(path.join(place, 'target'), 'x');
    fs.symlinkSync('target', path.join(place, 'link'));
    await host.removeFile(path.join(place, 'link'));
    expect(fs.readdirSync(place)).toEqual(['target']);
  });
});
