import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildWhenStale, cleanEnvironment, runShell, transcribe } from './run-hft.ts';
import { writeSmallServer } from './small-server.ts';

const environment = cleanEnvironment();
const cwd = environment.HOME as string;
const options = { environment, cwd };

/** Four cores of two hardware threads: CPU 0 and its sibling are housekeeping. */
const ROLES = 'layout: {nic: none, isolated: {cores: most}}\n';

const DESK = `description: Market data and a strategy
profile: ./roles.yaml
processes:
  market-data:
    command: [/opt/trading/md, --fast]
    user: trading
    cpus: { count: 2 }
    threads:
      md-rx: { policy: fifo, priority: 60 }
      md-decode: own
      "*": { cpus: housekeeping, nice: 5 }
    limits: { rtprio: 60 }
    memory: { lock: on }
  strategy:
    why: One whole core, so that nothing shares its caches.
    command: [/opt/trading/strategy]
    cpus: { cores: 1 }
    requires: [market-data]
  log:
    command: [/opt/trading/log]
    cpus: housekeeping
`;

const FILES: Record<string, string> = {
  'roles.yaml': ROLES,
  'desk.yaml': DESK,
  'second-desk.yaml': 'extends: ./desk.yaml\nprocesses:\n  strategy: { cpus: { cores: 3 } }\n',
  'taken.yaml':
    'profile: ./roles.yaml\nprocesses:\n  md:\n    command: [/opt/md]\n    threads: { rx: 2, tx: 2, log: 64 }\n  risk:\n    command: [/opt/risk]\n    threads: { check: 2 }\n',
  'twice.yaml':
    'profile: ./roles.yaml\nprocesses:\n  md:\n    command: [/opt/md]\n    threads: { rx: 2, tx: 2 }\n  risk:\n    command: [/opt/risk]\n    threads: { check: 2 }\n',
  'wrong.yaml':
    'procesess: {}\nprocesses:\n  md:\n    command: /opt/md\n    user: trading\n    cpus: 2\n    threads:\n      rx: { policy: fifo, priority: 99 }\n      tx: { polcy: rr }\n    restart: { when: sometimes }\n',
  'late.yaml':
    'processes:\n  md:\n    command: [/opt/md]\n    user: trading\n    threads:\n      rx: { policy: fifo, priority: 40 }\n    requires: [rsik]\n  risk:\n    command: [/opt/risk]\n',
  'no-profile.yaml': 'profile: clo\nprocesses: {md: {command: [/opt/md]}}\n',
};

beforeAll(() => {
  buildWhenStale();
  writeSmallServer(join(cwd, 'box7'));
  mkdirSync(join(cwd, 'etc/deployments'), { recursive: true });
  writeFileSync(join(cwd, 'etc/deployments/mine.yaml'), 'extends: single-host\ndescription: ours\n');
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(cwd, name), text);
});

test('a deployment is placed: which thread where and why', async () => {
  const lines = [
    'hft place desk.yaml --snapshot box7',
    'COLUMNS=200 hft place desk.yaml --snapshot box7',
    'hft place desk.yaml --snapshot box7 --json',
    'hft place second-desk.yaml --snapshot box7',
    'hft place taken.yaml --snapshot box7',
    'hft place twice.yaml --snapshot box7',
    'hft place twice.yaml --snapshot box7 --json',
    'hft place single-host --snapshot box7',
    'hft place no-profile.yaml --snapshot box7',
    'hft place nothing --snapshot box7',
  ];
  await expect(transcribe(lines, options)).toMatchFileSnapshot('transcripts/place.txt');
});

test('deployments are listed and checked', async () => {
  const lines = [
    'hft deployment list',
    'COLUMNS=200 hft deployment list',
    'hft deployment list --json',
    'hft deployment validate desk.yaml',
    'hft deployment validate mine --json',
    'hft deployment validate wrong.yaml',
    'hft deployment validate wrong.yaml --json',
    'hft deployment validate late.yaml',
    'hft deployment validate nothing.yaml',
  ];
  await expect(transcribe(lines, options)).toMatchFileSnapshot('transcripts/deployments.txt');
});

test('the picture has the threads on their CPUs', () => {
  expect(runShell('hft place desk.yaml --snapshot box7 --svg place.svg', options).exitCode).toBe(0);
  const svg = readFileSync(join(cwd, 'place.svg'), 'utf8');
  expect(svg).toContain('CPU 1: market-data/md-rx');
  expect(svg).toContain('>md-rx → CPU 1</text>');
});

test('this machine: programs that are missing are said, and nothing is started', () => {
  writeFileSync(
    join(cwd, 'here.yaml'),
    'processes: {md: {command: [/opt/not/there]}, ok: {command: [/bin/true], user: nobody}}\n',
  );
  const { stdout, exitCode } = runShell('hft place here.yaml --json', options);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout).missing).toEqual([
    {
      where: 'here.yaml:1:28',
      message: 'processes.md.command.0: there is no program /opt/not/there',
      hint: 'Install it, or correct the path.',
    },
  ]);
});

test('what is missing is shown with its place', () => {
  writeFileSync(join(cwd, 'gone.yaml'), 'processes: {md: {command: [/opt/not/there]}}\n');
  const { stdout } = runShell('hft place gone.yaml', options);
  expect(stdout).toContain(
    'Missing here: hft launch starts nothing\n  ! gone.yaml:1:28 processes.md.command.0: there is no program /opt/not/there\n      Install it, or correct the path.\n',
  );
});

test('the JSON Schema knows the keys of the shipped deployments', () => {
  const schema = JSON.parse(runShell('hft deployment schema', options).stdout);
  const process = schema.properties.processes.anyOf?.[0] ?? schema.properties.processes;
  expect(Object.keys(process.additionalProperties.properties)).toEqual(
    expect.arrayContaining([
      'command',
      'user',
      'environment',
      'directory',
      'cpus',
      'threads',
      'memory',
      'limits',
      'requires',
      'health',
      'restart',
    ]),
  );
});
