import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AgentProcess } from './agent-process.ts';
import { Fleet } from './fleet-rig.ts';
import { buildWhenStale, ROOT, runShell } from './run-hft.ts';

const TIME_LIMIT_MS = 600_000;
const TUNE = 'tune --profile workstation --only memory FLEET --yes --json';
let fleet: Fleet;

beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);
beforeEach(() => {
  fleet = new Fleet();
});
afterEach(() => fleet.end(), TIME_LIMIT_MS);

const outcomes = (stdout: string) => JSON.parse(stdout).hosts.map(({ outcome }: { outcome: string }) => outcome);

describe('many hosts', { timeout: TIME_LIMIT_MS }, () => {
  test('answer together; one that cannot be reached has a line, and the others go on', async () => {
    await fleet.start(3);
    await fleet.host('h2').kill();
    const { stdout, stderr, exitCode } = await fleet.hft('plan --profile workstation --only memory FLEET --json');
    expect([exitCode, stderr]).toEqual([3, '']);
    const { hosts, cohorts } = JSON.parse(stdout);
    expect(hosts.map(({ host, exitCode: own }: { host: string; exitCode: number }) => [host, own])).toEqual([
      ['h1', 1],
      ['h2', 3],
      ['h3', 1],
    ]);
    expect(hosts[0].result.changes).toHaveLength(10);
    expect(hosts[1]).toMatchObject({
      result: null,
      error: { message: 'h2: the agent cannot be reached: nothing listens there.' },
    });
    expect(cohorts.map((cohort: { hosts: string[] }) => cohort.hosts)).toEqual([['h2'], ['h1', 'h3']]);
    const people = await fleet.hft('status FLEET');
    expect(people.stderr.split('\n').filter((line) => line.startsWith('h2: '))).toEqual([
      expect.stringMatching(/^h2: the agent cannot be reached: nothing listens there\. {2}See on /),
    ]);
    expect(people.stdout).toContain('== h1, h3\n');
    expect(people.stdout).toContain('2 of 3  no profile in force\n    h1, h3');
    const limited = await fleet.hft("status FLEET --limit 'all:!h2' --json");
    expect([limited.exitCode, JSON.parse(limited.stdout).hosts.length]).toEqual([0, 2]);
  });

  test('mistakes of the inventory and of a limit have their place, and nobody is asked', async () => {
    await fleet.start(1);
    const mistaken = await fleet.hft("status FLEET --limit 'h1:!h9'");
    expect([mistaken.exitCode, mistaken.stderr.split('\n')[0]]).toEqual([
      2,
      '--limit: there is no host and no group h9.',
    ]);
    const both = await fleet.hft('status FLEET --host h1');
    expect([both.exitCode, both.stderr]).toEqual([2, expect.stringContaining('--inventory')]);
    const alone = await fleet.hft('tune --profile workstation --canary 1 --host 127.0.0.1:1 --yes');
    expect([alone.exitCode, alone.stderr.split('\n')[0]]).toEqual([2, '--canary is for many hosts, and this is one.']);
  });
});

describe('a rollout', { timeout: TIME_LIMIT_MS }, () => {
  test('goes from the canary in waves to all, and finds nothing to do after', async () => {
    await fleet.start(4);
    const first = await fleet.hft(`${TUNE} --canary 1 --wave 50%`);
    const answer = JSON.parse(first.stdout);
    expect([first.exitCode, answer.waves]).toEqual([0, [['h1'], ['h2', 'h3'], ['h4']]]);
    expect(answer).toMatchObject({ result: 'finished', stopped: null });
    expect([outcomes(first.stdout), fleet.states]).toEqual([Array(4).fill('done'), 'new new new new']);
    const second = await fleet.hft(TUNE);
    expect([second.exitCode, outcomes(second.stdout)]).toEqual([0, Array(4).fill('done')]);
    const rolledBack = await fleet.hft('rollback FLEET --json');
    expect([rolledBack.exitCode, fleet.states]).toEqual([0, 'old old old old']);
  });

  test('begins nothing when a host cannot be planned, and asks nobody who cannot answer', async () => {
    await fleet.start(3);
    const unasked = await fleet.hft('tune --profile workstation --only memory FLEET');
    expect([unasked.exitCode, unasked.stderr]).toEqual([2, expect.stringContaining('Add `--yes`')]);
    await fleet.host('h3').kill();
    const { exitCode, stdout } = await fleet.hft(TUNE);
    expect([exitCode, JSON.parse(stdout).result, fleet.states]).toEqual([3, 'not-planned', 'old old old']);
  });

  test('stops when an agent dies in the middle; --resume finishes', async () => {
    await fleet.start(4);
    const box = fleet.host('h2');
    await box.kill();
    await box.start('knob-4');
    const { ended } = fleet.begin(`${TUNE} --canary 1 --wave 1`);
    expect(await box.line()).toBe('stopped');
    await box.kill();
    const { code, stdout } = await ended;
    expect([code, outcomes(stdout)]).toEqual([4, ['done', 'unknown', 'not-started', 'not-started']]);
    expect(fleet.states).toMatch(/^new [01]+ old old$/);
    await box.start();
    const resumed = await fleet.hft('tune --resume last --json');
    expect([resumed.exitCode, outcomes(resumed.stdout)]).toEqual([0, Array(4).fill('done')]);
    expect(fleet.states).toBe('new new new new');
  });

  test('killed in the middle: the host goes on to its end, and --resume applies nothing twice', async () => {
    await fleet.start(3);
    const box = fleet.host('h2');
    await box.kill();
    await box.start('slow');
    const { child, ended } = fleet.begin(`${TUNE} --canary 1 --wave 1`);
    while (box.state === 'old') await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await ended;
    const resumed = await fleet.hft('tune --resume last --json');
    expect([resumed.exitCode, outcomes(resumed.stdout)]).toEqual([0, Array(3).fill('done')]);
    expect(fleet.states).toBe('new new new');
    const runs = readdirSync(join(box.folder, 'state/journal')).filter((name) => name.endsWith('.jsonl'));
    expect(runs).toHaveLength(1);
  });

  test('Ctrl-C: no host is between, and each is what it is said to be', async () => {
    await fleet.start(3);
    const box = fleet.host('h2');
    await box.kill();
    await box.start('slow');
    const { child, ended } = fleet.begin(`${TUNE} --canary 1 --wave 1`);
    while (box.state === 'old') await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const { stdout } = await ended;
    const said = outcomes(stdout);
    // The agent may have been done before it heard of it.
    const expected = said[1] === 'done' ? 'new new old' : 'new old old';
    expect([said[0], said[2], fleet.states]).toEqual(['done', 'not-started', expected]);
    expect(JSON.parse(stdout).stopped).toBe('it was interrupted');
    const resumed = await fleet.hft('tune --resume last --json');
    expect([resumed.exitCode, fleet.states]).toEqual([0, 'new new new']);
  });

  test('there is none to resume', async () => {
    const { exitCode, stderr } = await fleet.hft('tune --resume last');
    expect([exitCode, stderr.split('\n')[0]]).toEqual([2, '--resume: there is no rollout last.']);
  });
});

test('agents of this very machine, each `hft agent run`: asked together, and compared', {
  timeout: TIME_LIMIT_MS,
}, async () => {
  const [one, other] = [new AgentProcess(), new AgentProcess()];
  try {
    await one.introduce('viewer');
    const { publicKey } = JSON.parse((await one.asController('hft agent keygen --controller --show --json')).stdout);
    const key = JSON.parse((await other.onHost('hft agent keygen --json')).stdout).publicKey;
    await other.onHost(`hft agent authorize ${publicKey} --role viewer --name alice`);
    await other.start();
    await one.asController(`hft agent trust ${other.name} ${key}`);
    const both = `--host ${one.name} --host ${other.name}`;
    const greeted = await one.asController(`hft agent status ${both} --json`);
    expect([greeted.exitCode, JSON.parse(greeted.stdout).cohorts[0].hosts]).toEqual([0, [one.name, other.name]]);
    const diff = JSON.parse((await one.asController(`hft fleet diff ${both} --profile workstation --json`)).stdout);
    expect([diff.hosts, diff.failed]).toEqual([[one.name, other.name], []]);
    expect(diff.compared).toBeGreaterThan(20);
    const differing = diff.differences.map(({ feature }: { feature: string }) => feature);
    expect(differing.filter((feature: string) => /^(kernel|BIOS|CPU|microcode|NIC)/.test(feature))).toEqual([]);
    const refused = await one.asController(`hft tune --profile workstation --only memory ${both} --yes --json`);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stdout).toContain('alice is a viewer there');
  } finally {
    await Promise.all([one.end('SIGKILL'), other.end('SIGKILL')]);
  }
});

describe('hft fleet diff', { timeout: TIME_LIMIT_MS }, () => {
  const machines = join(ROOT, 'test/machines');

  test('captured machines: what differs, and that one of two is not called odd', () => {
    const { stdout, exitCode } = runShell(
      `hft fleet diff --snapshot ${machines}/two-socket --snapshot ${machines}/preempt-rt --profile workstation --json`,
    );
    const { differences, odd, hosts } = JSON.parse(stdout);
    expect([exitCode, hosts.length, odd]).toEqual([1, 2, []]);
    const features = differences.map(({ feature }: { feature: string }) => feature);
    expect(features).toContain('kernel');
    expect(features.some((feature: string) => feature.startsWith('setting '))).toBe(true);
  });

  test('a copy is equal', () => {
    const line = `cp -r ${machines}/two-socket "$HOME/copy" && hft fleet diff --snapshot ${machines}/two-socket --snapshot "$HOME/copy"`;
    const { stdout, exitCode } = runShell(line);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^2 hosts, \d+ things compared: all are equal\.\n$/)]);
  });

  test('it takes two', () => {
    const { exitCode, stderr } = runShell('hft fleet diff --host box7');
    expect([exitCode, stderr.split('\n')[0]]).toEqual([2, 'It takes two hosts to compare.']);
  });
});
