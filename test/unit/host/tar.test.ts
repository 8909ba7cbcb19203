import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TarEntry } from '../../../src/host/tar-entry.ts';
import { BadArchive, sumHeader, TAR_BLOCK } from '../../../src/host/tar-entry.ts';
import { looksLikeTar, readTar } from '../../../src/host/tar-read.ts';
import { writeTar } from '../../../src/host/tar-write.ts';
import { makePlace } from './place.ts';

const name = fc.oneof(
  fc.constantFrom('cpu0', 'sys', '0000:3b:00.0', 'é', 'a b', 'line\nbreak', 'x'.repeat(120), '...', '日本'),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..'),
);
const entryPath = fc.array(name, { minLength: 1, maxLength: 8 }).map((names) => names.join('/'));
const target = fc.oneof(entryPath, fc.constantFrom('../../devices/x', '/abs', '..')).filter((text) => text !== '');
const entry: fc.Arbitrary<TarEntry> = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    path: entryPath,
    content: fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({ kind: fc.constant('folder' as const), path: entryPath }),
  fc.record({ kind: fc.constant('link' as const), path: entryPath, target }),
);

function makeTarTree(place: string): void {
  fs.mkdirSync(path.join(place, 'm/sys/devices/é'), { recursive: true });
  fs.mkdirSync(path.join(place, 'm/sys/empty'));
  const long = path.join(place, 'm/sys', 'd'.repeat(90), 'e'.repeat(90));
  fs.mkdirSync(long, { recursive: true });
  fs.writeFileSync(path.join(long, 'f'.repeat(9)), 'long name');
  fs.writeFileSync(path.join(place, 'm/sys/devices/é/online'), '0-3\n');
  fs.writeFileSync(path.join(place, 'm/sys/nothing'), '');
  fs.writeFileSync(path.join(place, 'm/sys/block'), 'x'.repeat(1024));
  fs.linkSync(path.join(place, 'm/sys/block'), path.join(place, 'm/sys/second'));
  fs.symlinkSync(`../${'t'.repeat(150)}`, path.join(place, 'm/sys/link'));
}

describe('round trips', () => {
  test('what is written is read, whatever the names', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
        expect([...readTar(writeTar(entries))]).toEqual(entries);
      }),
    );
  });

  test.for([[], ['--format=gnu'], ['--format=ustar'], ['--format=pax'], ['--format=pax', './m']])(
    'archives of tar %j',
    (words) => {
      const place = makePlace();
      makeTarTree(place);
      const isUstar = words.includes('--format=ustar');
      // A ustar header holds 155 + 100 bytes of a path and 100 of a target.
      if (isUstar) fs.rmSync(path.join(place, 'm/sys/link'));
      const what = words.at(-1)?.startsWith('.') ? '.' : 'm';
      const options = words.filter((word) => word.startsWith('--'));
      const archive = execFileSync('tar', ['-cf', '-', ...options, '-C', place, what], { maxBuffer: 2 ** 24 });
      const entries = new Map([...readTar(archive)].map((each) => [each.path, each]));
      const text = (file: string) => {
        const found = entries.get(file);
        return found?.kind === 'file' ? found.content.toString() : found;
      };
      expect(text('m/sys/devices/é/online')).toBe('0-3\n');
      expect(text(`m/sys/${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(9)}`)).toBe('long name');
      expect(text('m/sys/nothing')).toBe('');
      expect(entries.get('m/sys/empty')).toEqual({ kind: 'folder', path: 'm/sys/empty' });
      const twins = [entries.get('m/sys/block'), entries.get('m/sys/second')].map((each) => each?.kind).sort();
      expect(twins).toEqual(['file', 'same-file']);
      if (!isUstar) expect(entries.get('m/sys/link')).toMatchObject({ target: `../${'t'.repeat(150)}` });
    },
  );

  test('tar reads what we write', () => {
    const place = makePlace();
    const long = `sys/${'n'.repeat(99)}/é`;
    const entries: TarEntry[] = [
      { kind: 'folder', path: 'sys/empty' },
      { kind: 'link', path: 'sys/link', target: `../${'t'.repeat(150)}` },
      { kind: 'file', path: long, content: Buffer.from('0-3\n') },
    ];
    execFileSync('tar', ['-xf', '-', '-C', place], { input: writeTar(entries) });
    expect(fs.readFileSync(path.join(place, long), 'utf8')).toBe('0-3\n');
    expect(fs.readlinkSync(path.join(place, 'sys/link'))).toBe(`../${'t'.repeat(150)}`);
    expect(fs.readdirSync(path.join(place, 'sys/empty'))).toEqual([]);
  });
});

/** An archive of one entry whose header was changed, with a right checksum. */
function tamper(change: (header: Buffer) => void): Buffer {
  const archive = writeTar([{ kind: 'file', path: 'sys/file', content: Buffer.from('x') }]);
  change(archive.subarray(0, TAR_BLOCK));
  archive.write(`${sumHeader(archive, 0).toString(8).padStart(7, '0')}\0`, 148, 'latin1');
  return archive;
}

function setName(text: string) {
  return (header: Buffer) => header.fill(0, 0, 100).write(text, 0, 'latin1');
}

describe('refused', () => {
  test.for([
    ['an absolute path', tamper(setName('/etc/passwd'))],
    ['leads out', tamper(setName('sys/../../etc/passwd'))],
    ['leads out', tamper(setName('..'))],
    ['device node', tamper((header) => header.write('3', 156))],
    ['device node', tamper((header) => header.write('4', 156))],
    ['named pipe', tamper((header) => header.write('6', 156))],
    ['sparse', tamper((header) => header.write('S', 156))],
    ['unknown type "Q"', tamper((header) => header.write('Q', 156))],
    ['impossible size', tamper((header) => header.write('-1', 124))],
    ['impossible size', tamper((header) => header.fill(0xff, 124, 136))],
    ['in the middle of a file', tamper((header) => header.write('77777777777', 124))],
    ['no end mark', writeTar([{ kind: 'folder', path: 'sys' }]).subarray(0, TAR_BLOCK)],
    ['path of 5000', writeTar([{ kind: 'folder', path: 'd/'.repeat(2500).slice(0, -1) }])],
    ['pax header', tamper((header) => header.write('x', 156))],
  ] as const)('%s', ([why, archive]) => {
    expect(() => [...readTar(archive)]).toThrow(why);
  });

  test('one changed byte in a header', () => {
    const archive = writeTar([{ kind: 'file', path: 'sys/file', content: Buffer.from('x') }]);
    archive[3] = (archive[3] as number) ^ 1;
    expect(() => [...readTar(archive)]).toThrow('damaged at byte 0');
    expect(looksLikeTar(archive)).toBe(false);
  });

  test('random bytes never give an entry that leads out, and never a bug', () => {
    const base = writeTar([{ kind: 'file', path: `a/${'b'.repeat(120)}`, content: Buffer.from('x') }]);
    const changes = fc.array(fc.tuple(fc.nat(base.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(changes, (list) => {
        const archive = Buffer.from(base);
        for (const [at, byte] of list) archive[at] = byte;
        for (const at of [0, 1024])
          archive.write(`${sumHeader(archive, at).toString(8).padStart(7, '0')}\0`, at + 148, 'latin1');
        try {
          for (const each of readTar(archive)) expect(each.path.split('/')).not.toContain('..');
        } catch (error) {
          expect(error).toBeInstanceOf(BadArchive);
        }
      }),
      { numRuns: 500 },
    );
  });
});
