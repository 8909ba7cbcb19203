import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/errors.ts';
import type { HostReader, QueryResult } from '../../../src/host/host.ts';
import { LocalHost } from '../../../src/host/local.ts';
import { rememberingReader } from '../../../src/host/memo.ts';
import { MemoryTree } from '../../../src/host/memory-tree.ts';
import { RecordingHost } from '../../../src/host/recording.ts';
import { openSnapshot } from '../../../src/host/snapshot.ts';
import { SnapshotReader } from '../../../src/host/snapshot-reader.ts';
import { packSnapshot, writeSnapshot } from '../../../src/host/snapshot-write.ts';
import { BadArchive } from '../../../src/host/tar-entry.ts';
import { makePlace } from './place.ts';

type Question =
  | { readonly ask: 'readText' | 'list' | 'readLink'; readonly path: string }
  | { readonly argv: readonly string[] };

async function answerTo(reader: HostReader, question: Question): Promise<unknown> {
  try {
    return 'argv' in question ? await reader.query(question.argv) : await reader[question.ask](question.path);
  } catch (error) {
    if (error instanceof HostError) return { error: error.code };
    throw error;
  }
}

/** Asks a reader, snapshots it and gives the answers of both. */
async function throughSnapshot(reader: HostReader, questions: readonly Question[]): Promise<[unknown[], unknown[]]> {
  const recorder = new RecordingHost(reader);
  const answers: unknown[] = [];
  for (const question of questions) answers.push(await answerTo(recorder, question));
  const file = path.join(fs.mkdtempSync(path.join(makePlace(), 's')), 'snapshot.tar.gz');
  await writeSnapshot(recorder.finish(), file);
  const snapshot = await openSnapshot(file);
  const again: unknown[] = [];
  for (const question of questions) again.push(await answerTo(snapshot, question));
  return [answers, again];
}

const name = fc.constantFrom(
  'a',
  'b',
  'sys',
  'proc',
  'commands',
  'hft-snapshot.jsonl',
  '..',
  '.',
  'é',
  '0000:3b:00.0',
  'x'.repeat(110),
);
const anyPath = fc.array(name, { maxLength: 5 }).map((names) => `/${names.join('/')}`);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '0-3\n', 'x'.repeat(600), '\uD800', '\n\nexit 0'),
);
const wellFormed = text.map((value) => value.toWellFormed());
const asked = fc.record({
  ask: fc.constantFrom('readText' as const, 'list' as const, 'readLink' as const),
  path: anyPath,
});
const argv = fc.array(fc.oneof(wellFormed, fc.constantFrom('ethtool', '-g', 'a/b', 'A/B')), {
  minLength: 1,
  maxLength: 4,
});

describe('a snapshot gives the answers that were recorded', () => {
  test('of any file tree, with links that lead anywhere', async () => {
    const plainName = name.filter((each) => !each.startsWith('.') && !each.startsWith('hft-'));
    const entryPath = fc.array(plainName, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    const target = fc.oneof(
      anyPath,
      anyPath.map((each) => each.slice(1)).filter((each) => each !== ''),
    );
    const entries = fc.array(fc.record({ path: entryPath, text: fc.option(wellFormed), target: fc.option(target) }), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(entries, fc.array(asked, { maxLength: 25 }), async (list, questions) => {
        const tree = new MemoryTree();
        for (const entry of list) {
          try {
            if (entry.target !== null) tree.add({ kind: 'link', path: entry.path, target: entry.target });
            else if (entry.text === null) tree.add({ kind: 'folder', path: entry.path });
            else tree.add({ kind: 'file', path: entry.path, content: Buffer.from(entry.text) });
          } catch (error) {
            if (!(error instanceof BadArchive)) throw error;
          }
        }
        const [answers, again] = await throughSnapshot(new SnapshotReader('machine', tree), questions);
        expect(again).toEqual(answers);
      }),
      { numRuns: 60 },
    );
  });

  test('of a machine that contradicts itself, as one does that changes while it is read', async () => {
    const answer = fc.oneof(
      fc.record({ text }),
      fc.record({ names: fc.uniqueArray(text, { maxLength: 4 }) }),
      fc.record({ error: fc.constantFrom('EACCES', 'EIO', 'EINVAL', 'ENODATA', 'EISDIR', 'ELOOP') }),
      fc.constant('missing' as const),
    );
    const query: fc.Arbitrary<QueryResult | 'ETIMEDOUT'> = fc.oneof(
      fc.record({ found: fc.constant(true as const), exitCode: fc.nat(255), stdout: wellFormed, stderr: text }),
      fc.constant({ found: false as const }),
      fc.constant('ETIMEDOUT' as const),
    );
    const lines = fc.array(fc.oneof(fc.tuple(asked, answer), fc.tuple(fc.record({ argv }), query)), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(lines, async (list) => {
        const known = new Map(list.map(([question, given]) => [JSON.stringify(question), given]));
        const look = (question: Question): unknown => known.get(JSON.stringify(question)) ?? 'missing';
        const file = (question: Question, key: 'text' | 'names') => {
          const given = look(question) as Record<string, unknown>;
          if (typeof given === 'object' && 'error' in given) throw new HostError('read', 'x', given.error as string);
          return typeof given === 'object' ? given[key] : undefined;
        };
        const machine: HostReader = {
          label: 'box7',
          readText: async (each) => file({ ask: 'readText', path: each }, 'text') as string | undefined,
          list: async (each) => file({ ask: 'list', path: each }, 'names') as string[] | undefined,
          readLink: async (each) => file({ ask: 'readLink', path: each }, 'text') as string | undefined,
          query: async (words) => {
            const given = look({ argv: words });
            if (given === 'ETIMEDOUT') throw new HostError('run', words.join(' '), 'ETIMEDOUT');
            return given === 'missing' ? { found: false } : (given as QueryResult);
          },
        };
        const [answers, again] = await throughSnapshot(
          machine,
          list.map(([question]) => question),
        );
        expect(again).toEqual(answers);
      }),
      { numRuns: 150 },
    );
  });

  test('of this machine', async () => {
    const questions: Question[] = [
      ...[
        '/proc/cpuinfo',
        '/proc/cmdline',
        '/proc/net/route',
        '/sys/class/net/lo/speed',
        '/sys/class/net/lo/mtu',
        '/sys',
        '/nothing',
      ].map((each) => ({ ask: 'readText', path: each }) as const),
      ...['/sys/class/net', '/sys/class/net/lo/', '/proc/sys/vm', '/nothing'].map(
        (each) => ({ ask: 'list', path: each }) as const,
      ),
      ...['/sys/class/net/lo', '/sys/class', '/proc/self'].map((each) => ({ ask: 'readLink', path: each }) as const),
      { argv: ['uname', '-r'] },
      { argv: ['hft-no-such-command'] },
    ];
    const [answers, again] = await throughSnapshot(rememberingReader(new LocalHost()), questions);
    expect(again).toEqual(answers);
    expect(answers[3]).toEqual({ error: 'EINVAL' });
  });
});

describe('the file', () => {
  async function record(): Promise<RecordingHost> {
    const recorder = new RecordingHost(new LocalHost());
    await recorder.readText('/sys/class/net/lo/mtu');
    await recorder.readText('/proc/sys/vm/swappiness');
    await recorder.list('/sys/class/net');
    await recorder.query(['printf', 'a\\nb']);
    return recorder;
  }

  test('unpacked by tar it is a file tree with its links, and a snapshot too, also without empty folders', async () => {
    const place = makePlace();
    const recorder = await record();
    fs.mkdirSync(path.join(place, 'bare'));
    await recorder.list(path.join(place, 'bare'));
    await writeSnapshot(recorder.finish(), path.join(place, 's.tar.gz'));
    execFileSync('tar', ['-xzf', path.join(place, 's.tar.gz'), '-C', place]);
    const top = path.join(place, 'machine');
    expect(fs.readFileSync(path.join(top, 'sys/class/net/lo/mtu'), 'utf8')).toBe('65536\n');
    expect(fs.readlinkSync(path.join(top, 'sys/class/net/lo'))).toBe('../../devices/virtual/net/lo');
    expect(fs.readFileSync(path.join(top, 'commands/printf_a_nb.txt'), 'utf8')).toBe(
      '$ ["printf","a\\\\nb"]\nexit 0\n\na\nb',
    );
    fs.rmdirSync(path.join(top, place, 'bare'));
    const snapshot = await openSnapshot(top);
    expect(await snapshot.list(path.join(place, 'bare'))).toEqual([]);
    expect(await snapshot.list('/sys/class/net')).toEqual(await new LocalHost().list('/sys/class/net'));
    expect(fs.statSync(path.join(place, 's.tar.gz')).mode & 0o777).toBe(0o600);
  });

  test('the same recording gives the same bytes, in whatever order it was asked', async () => {
    const recorder = await record();
    const other = new RecordingHost(new LocalHost());
    await other.query(['printf', 'a\\nb']);
    await Promise.all([
      other.list('/sys/class/net'),
      other.readText('/proc/sys/vm/swappiness'),
      other.readText('/sys/class/net/lo/mtu'),
    ]);
    expect((await packSnapshot(other.finish())).equals(await packSnapshot(recorder.finish()))).toBe(true);
  });
});

describe('rememberingReader', () => {
  test('asks once, for errors too', async () => {
    const asked: string[] = [];
    const counting: HostReader = {
      label: 'counting',
      readText: async (each) => void asked.push(`read ${each}`) as undefined,
      list: async (each) => {
        asked.push(`list ${each}`);
        throw new HostError('list', each, 'EACCES');
      },
      readLink: async (each) => `${asked.push(`link ${each}`)}`,
      query: async (words) => {
        asked.push(words.join(' '));
        return { found: false };
      },
    };
    const reader = rememberingReader(counting);
    for (let turn = 0; turn < 2; turn++) {
      expect(await reader.readText('/a')).toBeUndefined();
      await expect(reader.list('/a')).rejects.toMatchObject({ code: 'EACCES' });
      expect(await reader.readLink('/a')).toBe('3');
      expect(await reader.query(['a', 'b'])).toEqual({ found: false });
      expect(await reader.query(['a b'])).toEqual({ found: false });
    }
    expect(asked).toEqual(['read /a', 'list /a', 'link /a', 'a b', 'a b']);
    expect(reader.label).toBe('counting');
  });
});
