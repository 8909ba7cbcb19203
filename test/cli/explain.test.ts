import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildWhenStale, cleanEnvironment, transcribe } from './run-hft.ts';
import { writeSmallServer } from './small-server.ts';

const environment = cleanEnvironment();
const cwd = environment.HOME as string;

const ROLES = `layout:
  nic: none
  housekeeping: { coresPerNode: 1 }
  isolated: { cores: 2 }
  smt: siblings-offline
memory:
  swappiness: 0
kernel:
  scheduler: { latency_ns: 1000000 }
`;

const FILES: Record<string, string> = {
  'roles.yaml': ROLES,
  'too-many.yaml': 'extends: ./roles.yaml\nlayout:\n  isolated:\n    cores: 12\n',
  'not-there.yaml': 'extends: ./roles.yaml\nlayout:\n  isolated: 2-3,40\n',
  'irq-not-there.yaml': 'extends: ./roles.yaml\nirq:\n  default: housekeeping + 64\n',
  'no-nic.yaml': 'layout:\n  nic: eth9\n',
  'boot-cpu.yaml': 'layout:\n  nic: none\n  isolated: 0-3\n',
};

beforeAll(() => {
  buildWhenStale();
  writeSmallServer(join(cwd, 'box7'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(cwd, name), text);
});

test('a profile is explained for a host: which CPU has which role, why, and what is not done', async () => {
  const lines = [
    'hft profile explain roles.yaml --snapshot box7',
    'COLUMNS=200 hft profile explain roles.yaml --snapshot box7',
    'hft profile explain roles.yaml --snapshot box7 --json',
    'hft profile explain boot-cpu.yaml --snapshot box7',
  ];
  await expect(transcribe(lines, { environment, cwd })).toMatchFileSnapshot('transcripts/explain.txt');
});

test('a layout that the host cannot have is an error with its place in the profile', async () => {
  const lines = [
    'hft profile explain too-many.yaml --snapshot box7',
    'hft profile explain not-there.yaml --snapshot box7',
    'hft profile explain irq-not-there.yaml --snapshot box7',
    'hft profile explain no-nic.yaml --snapshot box7',
    'hft profile explain no-nic.yaml --snapshot box7 --json',
    'hft profile explain roles.yaml --snapshot roles.yaml',
  ];
  await expect(transcribe(lines, { environment, cwd })).toMatchFileSnapshot('transcripts/explain-mistakes.txt');
});
