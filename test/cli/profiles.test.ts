import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildWhenStale, cleanEnvironment, runShell, transcribe } from './run-hft.ts';

const environment = cleanEnvironment();
const cwd = environment.HOME as string;
const options = { environment, cwd };

/** What users write: a profile of their own on top of a shipped one, and one with the usual mistakes. */
const MINE = `description: ours
extends: base
layout:
  isolated: { cores: 2 }
memory:
  swappiness: 1 # less than the base
`;

const BASE = `memory:
  swappiness: 10
  thp: { enabled: never }
`;

const WRONG = `extends: mine
layuot:
  nic: auto
memory:
  swapiness: 1
  hugepages:
    2M: { pages: 1_000 }
  dirty: { limit: 64X }
kernel:
  watchdogs:
    cpus: isolatd
network:
  tcp_sack: no
  rmem_max: 128 MB/s
nic:
  eee: disabled
`;

beforeAll(() => {
  buildWhenStale();
  mkdirSync(join(cwd, 'etc/profiles'), { recursive: true });
  writeFileSync(join(cwd, 'etc/profiles/base.yaml'), BASE);
  writeFileSync(join(cwd, 'etc/profiles/mine.yaml'), MINE);
  writeFileSync(join(cwd, 'wrong.yaml'), WRONG);
  writeFileSync(join(cwd, 'binary.yaml'), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]));
  mkdirSync(join(cwd, 'folder.yaml'));
});

test('profiles are listed, shown and checked', async () => {
  const lines = [
    'hft profile list',
    'COLUMNS=200 hft profile list',
    'hft profile list --names',
    'hft profile list --json',
    'hft profile show mine',
    'hft profile show base --json',
    'hft profile validate mine',
    'hft profile validate colo --json',
  ];
  await expect(transcribe(lines, options)).toMatchFileSnapshot('transcripts/profiles.txt');
});

test('mistakes in profiles have their place, and what to do', async () => {
  const lines = [
    'hft profile validate wrong.yaml',
    'hft profile validate ./wrong.yaml --json',
    'hft profile show clo',
    'hft profile validate nothing.yaml',
    'hft profile validate binary.yaml',
    'hft profile validate folder.yaml',
  ];
  await expect(transcribe(lines, options)).toMatchFileSnapshot('transcripts/profile-mistakes.txt');
});

test('the JSON Schema knows the keys of every shipped profile', () => {
  const { stdout, exitCode } = runShell('hft profile schema', options);
  expect(exitCode).toBe(0);
  const schema = JSON.parse(stdout);
  expect(schema.additionalProperties).toBe(false);
  for (const name of runShell('hft profile list --names', options).stdout.trim().split('\n')) {
    const shown = JSON.parse(runShell(`hft profile show ${name} --json`, options).stdout);
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(shown.written)));
  }
});
