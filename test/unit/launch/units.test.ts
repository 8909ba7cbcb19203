import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import type { Deployment } from '../../../src/launch/deployment.ts';
import { loadDeployment } from '../../../src/launch/load.ts';
import { quoteArgument, quoteAssignment } from '../../../src/launch/unit-text.ts';
import { launchUnits, UNIT_FOLDER, type UnitFile, type UnitWish } from '../../../src/launch/units.ts';
import { DEPLOYMENT } from '../../../src/profile/wording.ts';
import { buildMachine } from '../../machine-builder.ts';
import { load, place, withRoles } from './placing.ts';

const SHIPPED = join(import.meta.dirname, '../../../profiles/deployments');
const machine = withRoles(
  buildMachine({
    coresPerPackage: 8,
    nics: [
      { name: 'eth0', carriesSession: true },
      { name: 'ens1', node: 0 },
    ],
  }),
  { isolated: { cores: 'most' } },
);

const PLACES = {
  probe: '/usr/lib/hft/dist/hft-probe',
  command: '/usr/lib/hft/bin/hft',
  run: '/run/hft/launch',
  state: '/var/lib/hft',
  housekeeping: [0, 1],
};

function unitsOf(deployment: Deployment, rest: Partial<UnitWish> = {}): UnitFile[] {
  const names = Object.keys(deployment.processes);
  const environmentFiles = { odd: '/var/lib/hft/launch/environment/odd.0.env' };
  const wish = { deployment, placement: place(deployment, machine), names, environmentFiles, isTuned: true };
  return launchUnits({ ...wish, ...PLACES, ...rest });
}

function shipped(name: string): Promise<Deployment> {
  return loadDeployment(name, { searchPath: [SHIPPED], reader: new LocalHost(), wording: DEPLOYMENT });
}

function textOf(units: readonly UnitFile[], name: string): string {
  return units.find(({ path }) => path === `${UNIT_FOLDER}/${name}`)?.text ?? '';
}

/** Everything that a deployment can say, at once. */
const FULL = `name: full
processes:
  feed: {command: [/opt/feed], restart: {when: never}}
  odd:
    command: [/opt/odd bin/run, "a b", "100%", "$HOME", 'say "hi"', "", back\\slash, "it's"]
    user: trading
    group: desk
    directory: /opt/50%
    environment: {NAME: 'a "b" $c 5%', PORT: 9001}
    cpus: {count: 4}
    threads:
      rx: {policy: fifo, priority: 48}
      "w-*": {count: 2, nice: -5}
      "#0": {policy: deadline, runtime: 50us, deadline: 200us, period: 1ms}
      "*": {policy: batch, nice: 3}
    memory: {policy: preferred, nodes: 1, lock: on}
    limits: {rtprio: 48, nofile: 1024, nice: -5}
    oomScoreAdjust: -900
    requires: [feed]
    ready: notify
    readyWithin: 5s
    health: {watchdog: 2s}
    restart: {when: always, delay: 250ms, breaker: {restarts: 3, within: 10s}}
    stop: {signal: SIGINT, within: 4s}
`;

/** `npm run unit -- -u test/unit/launch` rewrites the texts; read their diff. */
describe('unit texts', () => {
  test.each(['single-host', 'deep-dive'])('of %s', async (name) => {
    const text = unitsOf(await shipped(name)).map((unit) => `${unit.path}\n${unit.text}`);
    await expect(text.join('\n')).toMatchFileSnapshot(`units/${name}.txt`);
  });

  test('of all that can be said, and without a tune at boot', async () => {
    const text = unitsOf(await load(FULL), { isTuned: false }).map((unit) => `${unit.path}\n${unit.text}`);
    await expect(text.join('\n')).toMatchFileSnapshot('units/full.txt');
  });

  test('no service has AllowedCPUs=, and none has a realtime policy: that is for threads', async () => {
    const units = [...unitsOf(await shipped('single-host')), ...unitsOf(await load(FULL))];
    for (const { text } of units) {
      expect(text).not.toMatch(/^AllowedCPUs=/m);
      expect(text).not.toMatch(/^CPUSchedulingPolicy=(fifo|rr)/m);
    }
    const services = units.filter(({ path }) => path.includes('hft-trading-'));
    expect(services.filter(({ text }) => /^(Requires|Environment)=/m.test(text))).toEqual([]);
  });

  test('variables are in a file that root alone reads, and in no unit', async () => {
    const text = textOf(unitsOf(await load(FULL)), 'hft-trading-odd.service');
    expect(text).toContain('EnvironmentFile=/var/lib/hft/launch/environment/odd.0.env\n');
    expect(unitsOf(await load(FULL)).some((unit) => unit.text.includes('9001'))).toBe(false);
  });

  test('what is not to run has no unit; where nothing is, there is none at all', async () => {
    const only = unitsOf(await load(FULL), { names: ['feed'] }).map(({ path }) => path.slice(UNIT_FOLDER.length + 1));
    expect(only).toEqual([
      'hft-trading-feed.service',
      'hft-gate.service',
      'hft-trading.target.d/50-hft-full.conf',
      'multi-user.target.d/50-hft-trading.target.conf',
    ]);
    expect(unitsOf(await load(FULL), { names: [] })).toEqual([]);
  });

  test('a boot starts nothing unless its gate lets it, nor before what a process requires', async () => {
    const units = unitsOf(await shipped('single-host'));
    const text = textOf(units, 'hft-trading-market-data.service');
    expect(text).toMatch(
      /^After=hft-tune\.service hft-gate\.service network-online\.target hft-trading-market-gateway\.service$/m,
    );
    expect(text).toContain('ConditionPathExists=/run/hft/launch/allowed-%b\n');
    expect(text.match(/^ExecCondition=.*$/gm)).toEqual([
      expect.stringContaining('systemctl is-active hft-trading-market-gateway.service'),
    ]);
    expect(textOf(units, 'hft-gate.service')).toContain('ExecStart=/usr/lib/hft/bin/hft launch --boot\n');
    expect(textOf(units, 'hft-trading.target.d/50-hft-single-host.conf')).toContain('Requires=hft-gate.service\n');
  });

  test('the breaker counts restarts, systemd counts starts', async () => {
    const text = textOf(unitsOf(await load(FULL)), 'hft-trading-odd.service');
    expect(text).toContain('StartLimitBurst=4\n');
    expect(text).toContain('StartLimitIntervalSec=10\n');
  });

  test('memory that is locked may be locked', async () => {
    const text = textOf(unitsOf(await load(FULL)), 'hft-trading-odd.service');
    expect(text).toContain('LimitMEMLOCK=infinity\n');
  });
});

describe('words of a unit', () => {
  test.each([
    ['plain', '--port=9001', '--port=9001'],
    ['spaces', 'a b', '"a b"'],
    ['nothing', '', '""'],
    ['a variable', '$HOME', '$$HOME'],
    ['a specifier', '%n', '%%n'],
    ['quotes and backslashes', 'a"\\', '"a\\"\\\\"'],
    ['what a shell would read', 'a;b', '"a;b"'],
  ])('%s', (_, text, expected) => {
    expect(quoteArgument(text)).toBe(expected);
  });

  test('an assignment: $ means nothing there', () => {
    expect(quoteAssignment('A', '$b 5%')).toBe('"A=$b 5%%"');
  });
});

const analyze = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });

describe.runIf(analyze.status === 0)('systemd-analyze verify', () => {
  /** Programs and accounts of this machine: what else verify says is about the units. */
  async function verify(text: string, isTuned: boolean): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'hft-units-'));
    try {
      for (const { path, text: unit } of unitsOf(await load(text), {
        isTuned,
        probe: '/bin/true',
        command: '/bin/true',
      })) {
        const file = join(folder, path.slice(UNIT_FOLDER.length));
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, unit);
      }
      const services = execFileSync('ls', [folder], { encoding: 'utf8' })
        .split('\n')
        .filter((name) => name.endsWith('.service'));
      const result = spawnSync(
        'systemd-analyze',
        ['verify', '--man=no', '--recursive-errors=no', ...services.map((name) => join(folder, name))],
        {
          encoding: 'utf8',
          env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
        },
      );
      return `${result.stdout}${result.stderr}`;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  const here = FULL.replace('/opt/odd bin/run', '/bin/true')
    .replace('/opt/feed', '/bin/true')
    .replace('user: trading', 'user: daemon')
    .replace('group: desk', 'group: daemon');

  test.each([true, false])('has nothing to say of ours (tuned: %s)', async (isTuned) => {
    const said = (await verify(here, isTuned)).split('\n').filter((line) => /hft-(trading|gate|launch)/.test(line));
    expect(said).toEqual([]);
  });

  test('would say it', async () => {
    expect(await verify(here.replace('/bin/true, "a b"', '/bin/not-there, "a b"'), true)).toContain(
      '/bin/not-there is not executable',
    );
  });
});
