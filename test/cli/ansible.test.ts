import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Fleet } from './fleet-rig.ts';
import { buildWhenStale, HFT, ROOT } from './run-hft.ts';
import { makeSmallPackages, SshBed, whyNoSshBed } from './ssh-bed.ts';

const TIME_LIMIT_MS = 900_000;
const FOLDER = join(ROOT, 'ansible');
const PLAYBOOKS = ['bootstrap', 'kernel-tuning', 'dpdk-setup', 'monitoring'];
const isThere = (program: string) => spawnSync('which', [program]).status === 0;
const hasAnsible = isThere('ansible-playbook');
/** A command, since it is no package of Debian's that is current everywhere. */
const LINT = process.env.HFT_ANSIBLE_LINT ?? 'ansible-lint';
const hasLint = isThere(LINT);
const whyNoBed = whyNoSshBed();
for (const [is, what] of [
  [hasAnsible, 'the playbooks are not run here: there is no ansible-playbook (Debian: ansible-core)'],
  [hasLint, 'the playbooks are not linted here: there is no ansible-lint, nor HFT_ANSIBLE_LINT'],
  [whyNoBed === undefined, `the bootstrap playbook is not run here: ${whyNoBed}`],
] as const)
  if (!is) process.stdout.write(`${what}\n`);

interface Played {
  readonly code: number | null;
  readonly said: string;
  /** By host, of the recap. */
  readonly changed: Readonly<Record<string, number>>;
}

/** Ansible as somebody types it in `ansible/`, with the keys of the controller. */
async function play(name: string, more: readonly string[], environment: NodeJS.ProcessEnv): Promise<Played> {
  const env = { ...environment, ANSIBLE_NOCOLOR: '1', ANSIBLE_LOCAL_TEMP: join(environment.HOME as string, 'tmp') };
  const argv = [`playbooks/${name}.yml`, '-e', `hft_agent_hft=${HFT}`, ...more];
  const child = spawn('ansible-playbook', argv, { cwd: FOLDER, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = [textOf(child.stdout), textOf(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  const said = `${await out}${await err}`;
  const recap = [...said.matchAll(/^(?<host>\S+)\s+: ok=\d+\s+changed=(?<changed>\d+)/gm)];
  const changed = Object.fromEntries(recap.map(({ groups }) => [groups?.host, Number(groups?.changed)]));
  return { code, said, changed };
}

describe.runIf(hasAnsible)('the playbooks', { timeout: TIME_LIMIT_MS }, () => {
  test.each(PLAYBOOKS)('%s is taken by Ansible with each inventory', (name) => {
    for (const site of ['singapore', 'tokyo', 'us-east']) {
      const argv = ['--syntax-check', '-i', `inventory/${site}.ini`, `playbooks/${name}.yml`];
      const { status, stderr } = spawnSync('ansible-playbook', argv, { cwd: FOLDER, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
    }
  });

  test.runIf(hasLint)('pass ansible-lint in its production profile', () => {
    const argv = ['--offline', '--profile', 'production', '-p', '--nocolor', 'playbooks', 'roles'];
    const { status, stdout, stderr } = spawnSync(LINT, argv, { cwd: FOLDER, encoding: 'utf8' });
    expect([status, stdout], stderr).toEqual([0, '']);
  });
});

describe.runIf(hasAnsible)('kernel-tuning', { timeout: TIME_LIMIT_MS }, () => {
  const fleet = new Fleet();
  beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);
  afterEach(() => fleet.end(), TIME_LIMIT_MS);

  test('shows it in check mode, does it, and does nothing the second time; what fails is told', async () => {
    await fleet.start(2);
    const settings = JSON.stringify({ hft_profile: 'workstation', hft_agent_only: ['memory'] });
    const words = ['-i', fleet.inventory, '-e', settings];
    const checked = await play('kernel-tuning', [...words, '--check', '--diff'], fleet.environment);
    expect([checked.code, checked.changed, fleet.states]).toEqual([0, { h1: 1, h2: 1 }, 'old old']);
    expect(checked.said).toMatch(/^-memory\.knob@0 = 0$/m);
    expect(checked.said).toMatch(/^\+memory\.knob@0 = 1$/m);
    const first = await play('kernel-tuning', words, fleet.environment);
    expect([first.code, first.changed, fleet.states], first.said).toEqual([0, { h1: 1, h2: 1 }, 'new new']);
    const second = await play('kernel-tuning', words, fleet.environment);
    expect([second.code, second.changed, fleet.states]).toEqual([0, { h1: 0, h2: 0 }, 'new new']);
    await fleet.host('h2').kill();
    const failed = await play('kernel-tuning', words, fleet.environment);
    expect([failed.code, failed.said]).toEqual([
      2,
      expect.stringContaining('h2: the agent cannot be reached: nothing listens there.'),
    ]);
  });
});

describe.runIf(hasAnsible && whyNoBed === undefined)('bootstrap', { timeout: TIME_LIMIT_MS }, () => {
  let bed: SshBed;
  afterEach(() => bed.end(), TIME_LIMIT_MS);

  test('installs from nothing, changes nothing the second time, and takes all away', async () => {
    buildWhenStale();
    bed = await new SshBed().start();
    const folder = mkdtempSync(join(tmpdir(), 'hft-packages-'));
    const packages = makeSmallPackages(folder, '0.1.0', ROOT)
      .split(' ')
      .filter((word) => word.startsWith('/'));
    const inventory = bed.file('hosts.ini');
    writeFileSync(inventory, `box ansible_host=box hft_agent_host=127.0.0.1 hft_agent_port=${bed.agentPort}\n`);
    const settings = { hft_agent_packages: packages, hft_agent_ssh_config: bed.file('ssh_config') };
    const words = ['-i', inventory, '-e', JSON.stringify(settings)];
    const run = (...more: readonly string[]) => play('bootstrap', [...words, ...more], bed.controller);
    const checked = await run('--check');
    expect([checked.code, checked.changed]).toEqual([0, { box: 1 }]);
    expect(bed.inside('ls /etc/hft').status).not.toBe(0);
    const first = await run();
    expect([first.code, first.changed, first.said]).toEqual([0, { box: 1 }, expect.stringContaining('Ask the agent')]);
    const second = await run();
    expect([second.code, second.changed]).toEqual([0, { box: 0 }]);
    const gone = await run('-e', 'hft_agent_state=absent');
    expect([gone.code, gone.changed]).toEqual([0, { box: 1 }]);
    expect(bed.inside('ls -d /etc/hft /usr/lib/hft /opt/hft 2>/dev/null').stdout).toBe('');
    execFileSync('rm', ['-rf', folder]);
  });
});
