import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EVENTS, isJournal, type LogFormat, type LogLevel, openLog } from '../../../src/agent/daemon/log.ts';

function logged(format: LogFormat, level: LogLevel): string[] {
  const lines: string[] = [];
  const now = () => new Date('2026-11-22T05:00:00Z');
  const log = openLog({ format, level, now, write: (line) => lines.push(line) });
  log('request', { by: 'alice', text: 'two\nlines' });
  log('malformed', { count: 1 });
  log('bug', { stack: 'Error' });
  return lines;
}

describe('a line of the log', () => {
  test('is one object with time, level and event first, whatever is in it', () => {
    expect(logged('json', 'info')[0]).toBe(
      '{"time":"2026-11-22T05:00:00.000Z","level":"info","event":"request","by":"alice","text":"two\\nlines"}\n',
    );
  });

  test('begins with its priority for the journal', () => {
    expect(logged('journal', 'info').map((line) => line.slice(0, 4))).toEqual(['<6>{', '<4>{', '<3>{']);
  });

  test.each<[LogLevel, number]>([
    ['debug', 3],
    ['info', 3],
    ['warning', 2],
    ['error', 1],
  ])('is there from its level on: %s', (level, count) => {
    expect(logged('json', level)).toHaveLength(count);
  });
});

test('standard output is a stream of the journal when its device and inode are those that systemd names', () => {
  expect(isJournal('8:4711', { dev: 8, ino: 4711 })).toBe(true);
  expect(isJournal('8:4712', { dev: 8, ino: 4711 })).toBe(false);
  expect(isJournal(undefined, { dev: 8, ino: 4711 })).toBe(false);
});

test('the documentation has each event, with its level', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/observability.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(?<event>[A-Za-z-]+)` \| (?<level>error|warning|info) \|/gm)].map(
    ({ groups }) => [groups?.event, groups?.level],
  );
  expect(Object.fromEntries(rows)).toEqual(EVENTS);
});
