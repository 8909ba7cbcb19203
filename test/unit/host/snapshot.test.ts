import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { openArchiveTree } from '../../../src/host/archive.ts';
import type { HostReader } from '../../../src/host/host.ts';
import { openSnapshot } from '../../../src/host/snapshot.ts';
import type { TarEntry } from '../../../src/host/tar-entry.ts';
import { writeTar } from '../../../src/host/tar-write.ts';
import { asOrdinaryUser, makePlace } from './place.ts';

/** Names that end with a slash are folders, values that start with `-> ` are links. */
type Tree = Readonly<Record<string, string>>;

const MACHINE: Tree = {
  'proc/cpuinfo': 'processor : 0\n',
  'sys/class/net/eth0': '-> ../../devices/pci0000:00/net/eth0',
  'sys/class/net/up': '-> ../../../../../../sys/class/net/eth0',
  'sys/devices/pci0000:00/net/eth0/mtu': '1500\n',
  'sys/absolute': '-> /proc/cpuinfo',
  'sys/loop': '-> loop2',
  'sys/loop2': '-> loop',
  'sys/dangling': '-> nowhere',
  'sys/out': '-> ../../../../../../etc/hostname',
  'sys/through': '-> /proc/cpuinfo/..',
  'sys/empty/': '',
  'commands/a.txt': '$ ["ethtool","-g","eth0"]\nexit 0\n\nRX: 4096\n',
  'commands/b.txt': '$ ["false"]\nexit 1\nstderr "no\\n"\n\n',
  'commands/c.txt': '$ ["tuned-adm"]\nnot found\n\n',
  'commands/d.txt': '$ ["slow"]\nerror ETIMEDOUT\n\n',
};

function plant(place: string, tree: Tree): string {
  for (const [name, text] of Object.entries(tree)) {
    const file = path.join(place, name);
    fs.mkdirSync(name.endsWith('/') ? file : path.dirname(file), { recursive: true });
    if (text.startsWith('-> ')) fs.symlinkSync(text.slice(3), file);
    else if (!name.endsWith('/')) fs.writeFileSync(file, text);
  }
  return place;
}

function toEntries(tree: Tree): TarEntry[] {
  return Object.entries(tree).map(([name, text]) => {
    if (name.endsWith('/')) return { kind: 'folder', path: name.slice(0, -1) };
    if (text.startsWith('-> ')) return { kind: 'link', path: name, target: text.slice(3) };
    return { kind: 'file', path: name, content: Buffer.from(text) };
  });
}

function writeArchive(entries: readonly TarEntry[], pack: (tar: Buffer) => Buffer = (tar) => tar): string {
  const file = path.join(makePlace(), 'machine.tar');
  fs.writeFileSync(file, pack(writeTar(entries)));
  return file;
}

function linkTo(target: string): string {
  const link = path.join(makePlace(), 'link');
  fs.symlinkSync(target, link);
  return link;
}

function pipe(program: string, tar: Buffer): Buffer {
  return execFileSync(program, { input: tar });
}

const FORMS: readonly (readonly [string, () => string])[] = [
  ['folder', () => plant(makePlace(), MACHINE)],
  [
    'folder three levels down',
    () => path.dirname(path.dirname(path.dirname(plant(path.join(makePlace(), 'a/b/c'), MACHINE)))),
  ],
  ['tar', () => writeArchive(toEntries(MACHINE))],
  ['link to a folder', () => linkTo(plant(makePlace(), MACHINE))],
  ['gzip', () => writeArchive(toEntries(MACHINE), zlib.gzipSync)],
  ['zstd', () => writeArchive(toEntries(MACHINE), zlib.zstdCompressSync)],
  ['bzip2', () => writeArchive(toEntries(MACHINE), (tar) => pipe('bzip2', tar))],
  ['xz', () => writeArchive(toEntries(MACHINE), (tar) => pipe('xz', tar))],
  [
    'tar with a folder around',
    () => writeArchive(toEntries(MACHINE).map((entry) => ({ ...entry, path: `box7/${entry.path}` }))),
  ],
];

describe.for(FORMS)('a snapshot as %s', ([, make]) => {
  test('answers as the machine did', async () => {
    const file = make();
    const snapshot = await openSnapshot(file);
    expect(snapshot.label).toBe(file);
    expect(await snapshot.readText('/proc/cpuinfo')).toBe('processor : 0\n');
    for (const name of ['eth0', 'up']) {
      expect(await snapshot.readText(`/sys/class/net/${name}/mtu`)).toBe('1500\n');
      expect(await snapshot.list(`/sys/class/net/${name}/`)).toEqual(['mtu']);
    }
    expect(await snapshot.readLink('/sys/class/net/eth0')).toBe('../../devices/pci0000:00/net/eth0');
    expect(await snapshot.readLink('/sys/devices')).toBeUndefined();
    expect(await snapshot.list('/sys/empty')).toEqual([]);
    expect(await snapshot.list('/')).toEqual(['proc', 'sys']);
    expect(await snapshot.list('/commands')).toBeUndefined();
    await snapshot.close();
  });

  test('links stay inside, absolute ones start at its root, loops are errors', async () => {
    const snapshot = await openSnapshot(make());
    expect(await snapshot.readText('/sys/absolute')).toBe('processor : 0\n');
    for (const missing of [
      '/sys/dangling',
      '/sys/out',
      '/sys/through',
      '/../etc/hostname',
      '/proc/cpuinfo/x',
      '/proc/cpuinfo/..',
    ]) {
      expect([missing, await snapshot.readText(missing), await snapshot.list(missing)]).toEqual([
        missing,
        undefined,
        undefined,
      ]);
    }
    expect(await snapshot.readText('/../proc/../proc/./cpuinfo')).toBe('processor : 0\n');
    await expect(snapshot.readText('/sys/loop')).rejects.toMatchObject({ name: 'HostError', code: 'ELOOP' });
    await expect(snapshot.list('/sys/loop/x')).rejects.toMatchObject({ code: 'ELOOP' });
    expect(await snapshot.readLink('/sys/loop')).toBe('loop2');
    await expect(snapshot.readText('/sys')).rejects.toMatchObject({ code: 'EISDIR' });
    await snapshot.close();
  });

  test('commands answer as recorded, others are not found', async () => {
    const snapshot = await openSnapshot(make());
    const answer = { found: true, exitCode: 0, stdout: 'RX: 4096\n', stderr: '' };
    expect(await snapshot.query(['ethtool', '-g', 'eth0'])).toEqual(answer);
    expect(await snapshot.query(['false'])).toEqual({ found: true, exitCode: 1, stdout: '', stderr: 'no\n' });
    expect(await snapshot.query(['tuned-adm'])).toEqual({ found: false });
    expect(await snapshot.query(['ethtool', '-g eth0'])).toEqual({ found: false });
    await expect(snapshot.query(['slow'])).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await snapshot.close();
  });
});

type Refused = readonly [name: string, make: () => string, what: string];

async function refusal(file: string): Promise<UsageError> {
  const error = await openSnapshot(file).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UsageError);
  expect(error).toMatchObject({ exitCode: 2 });
  expect((error as UsageError).message).toContain(file);
  expect((error as UsageError).next.length).toBeGreaterThan(0);
  return error as UsageError;
}

describe('what is no snapshot', () => {
  const refused: readonly Refused[] = [
    ['nothing there', () => path.join(makePlace(), 'gone'), 'ENOENT'],
    [
      'an empty folder',
      () => makePlace(),
      'expected a folder with proc or sys in it, at the top or up to 3 levels down; found nothing',
    ],
    ['another folder', () => plant(makePlace(), { 'etc/hosts': '', 'usr/bin/x': '' }), 'found etc, usr'],
    ['a machine too far down', () => plant(makePlace(), { 'a/b/c/d/proc/x': '' }), 'found a.'],
    ['files called proc and sys', () => plant(makePlace(), { proc: '', sys: '-> /sys' }), 'found proc, sys'],
    [
      'several machines',
      () => plant(makePlace(), { 'box1/proc/x': '', 'box2/sys/x': '' }),
      'holds 2 machines: box1, box2',
    ],
    ['a text', () => path.join(plant(makePlace(), { text: 'hello' }), 'text'), 'no tar archive'],
    ['an empty file', () => path.join(plant(makePlace(), { text: '' }), 'text'), 'no tar archive'],
    ['a packed text', () => writeArchive([], () => zlib.gzipSync('hello')), 'packed in it with gzip is no tar archive'],
    ['a device', () => '/dev/null', 'neither a folder nor a file'],
    ['a tar of something else', () => writeArchive([{ kind: 'folder', path: 'etc' }]), 'found etc'],
    ['half a gzip', () => writeArchive(toEntries(MACHINE), (tar) => zlib.gzipSync(tar).subarray(0, 200)), 'damaged'],
    ['half a bzip2', () => writeArchive(toEntries(MACHINE), (tar) => pipe('bzip2', tar).subarray(0, 300)), 'damaged'],
    ['half an xz', () => writeArchive(toEntries(MACHINE), (tar) => pipe('xz', tar).subarray(0, 300)), 'damaged'],
    ['half a tar', () => writeArchive(toEntries(MACHINE), (tar) => tar.subarray(0, 1100)), 'incomplete'],
    [
      'a file behind a link',
      () =>
        writeArchive([
          { kind: 'link', path: 'sys', target: '/etc' },
          { kind: 'file', path: 'sys/passwd', content: Buffer.from('x') },
        ]),
      'is a folder and something else',
    ],
    [
      'a hard link to outside',
      () => writeArchive([{ kind: 'same-file', path: 'sys/x', target: 'etc/shadow' }]),
      'which is no file',
    ],
    [
      'a broken command',
      () => plant(makePlace(), { 'proc/x': '', 'hft-snapshot.jsonl': '{"format":"hft-snapshot","version":2}' }),
      'newer hft',
    ],
  ];

  test.for(refused)('%s', async ([, make, what]) => {
    expect((await refusal(make())).message).toContain(what);
  });

  test('a folder and a file that may not be read', async () => {
    const place = plant(makePlace(), { 'machine.tar': 'x', 'inside/': '', 'closed/a/': '' });
    fs.chmodSync(path.join(place, 'machine.tar'), 0o000);
    fs.chmodSync(path.join(place, 'closed'), 0o000);
    await asOrdinaryUser(async () => {
      for (const name of ['machine.tar', 'closed', '.']) {
        const error = await refusal(path.join(place, name));
        expect(error.message).toContain('EACCES');
        expect(error.next[0]).toContain('as root');
      }
    });
    fs.chmodSync(path.join(place, 'closed'), 0o755);
  });

  test('an archive that unpacks to more than allowed is refused before it is in memory', async () => {
    const bomb = Buffer.concat([writeTar([{ kind: 'folder', path: 'proc' }]), Buffer.alloc(8 * 2 ** 20)]);
    const packers: ((tar: Buffer) => Buffer)[] = [
      zlib.gzipSync,
      zlib.zstdCompressSync,
      (tar) => pipe('bzip2', tar),
      (tar) => pipe('xz', tar),
      (tar) => tar,
    ];
    for (const pack of packers) {
      const file = writeArchive([], () => pack(bomb));
      await expect(openArchiveTree(file, 2 ** 20)).rejects.toThrow('more than 1 MiB');
    }
  });

  test.for([
    ['$ ethtool -g\nexit 0\n\n', 'line 1'],
    ['$ ["ethtool"]\nexit zero\n\n', 'line 2'],
    ['$ ["ethtool"]\nexit 0\nstdout\n\n', 'line 3'],
    ['$ []\nexit 0\n\n', 'line 1'],
    ['', 'line 1'],
  ])('a recorded command with a mistake says where: %j', async ([text, where]) => {
    const snapshot = await openSnapshot(plant(makePlace(), { 'proc/x': '', 'commands/one.txt': text as string }));
    await expect(snapshot.query(['ethtool'])).rejects.toThrow(`commands/one.txt: expected`);
    await expect(snapshot.query(['ethtool'])).rejects.toThrow(where as string);
  });
});

const DUMPS = process.env.HFT_MACHINE_DUMPS ?? path.resolve(import.meta.dirname, '../../../../shared/machines');

async function walk(snapshot: HostReader, folder: string, visit: (path: string) => Promise<void>): Promise<void> {
  for (const name of (await snapshot.list(folder)) ?? []) {
    const file = `${folder}/${name}`;
    await visit(file);
    if ((await snapshot.readLink(file)) === undefined) await walk(snapshot, file, visit);
  }
}

async function describePath(snapshot: HostReader, file: string): Promise<unknown[]> {
  const text = await snapshot.readText(file).catch((error: { code: string }) => error.code);
  return [
    file,
    text,
    await snapshot.list(file).catch((error: { code: string }) => error.code),
    await snapshot.readLink(file),
  ];
}

describe('dumps of real machines', () => {
  const dumps = fs.existsSync(DUMPS) ? fs.readdirSync(DUMPS).filter((name) => name.includes('.tar')) : [];
  if (dumps.length === 0) console.log(`No dumps of real machines in ${DUMPS}; set HFT_MACHINE_DUMPS to try some.`);

  test('each of them opens and has CPUs', async () => {
    for (const name of dumps) {
      const snapshot = await openSnapshot(path.join(DUMPS, name));
      const cpus = (await snapshot.list('/sys/devices/system/cpu'))?.filter((cpu) => /^cpu\d+$/.test(cpu));
      expect([name, cpus?.length]).toEqual([name, expect.any(Number)]);
      expect(cpus?.length).toBeGreaterThan(0);
    }
  });

  test('the same answers from the archive and from what tar unpacks', { timeout: 120_000 }, async () => {
    for (const name of dumps.filter((dump) => fs.statSync(path.join(DUMPS, dump)).size < 13_000)) {
      const place = makePlace();
      execFileSync('tar', ['-xf', path.join(DUMPS, name), '-C', place]);
      const [packed, unpacked] = [await openSnapshot(path.join(DUMPS, name)), await openSnapshot(place)];
      const answers: [unknown, unknown][] = [];
      await walk(unpacked, '', async (file) => {
        answers.push([await describePath(packed, file), await describePath(unpacked, file)]);
      });
      expect(answers.length).toBeGreaterThan(100);
      expect(answers.map(([fromPacked]) => fromPacked)).toEqual(answers.map(([, fromUnpacked]) => fromUnpacked));
    }
  });
});
