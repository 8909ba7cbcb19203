import { beforeEach, describe, expect, test } from 'vitest';
import type { Watch } from '../../../src/agent/process-watch.ts';
import type { SupervisorSite } from '../../../src/agent/supervisor.ts';
import { keepOnce } from '../../../src/agent/unit-keeper.ts';
import { LaunchRig } from '../../faults/launch-rig.ts';

const PROBE = '/usr/lib/hft/dist/hft-probe';
const DEPLOYMENT = `name: desk
processes:
  md: {command: [/opt/md], health: {command: [/opt/check], every: 1s, failures: 2}}
  strategy: {command: [/opt/strategy], requires: [md]}
`;

let rig: LaunchRig;
let site: SupervisorSite;
let watches: Map<string, Watch>;
let nowMs = 0;

beforeEach(() => {
  rig = new LaunchRig();
  watches = new Map();
  nowMs = 0;
  const { host, run, probe } = rig.site;
  site = { host, run, probe, nowMs: () => nowMs, newToken: () => '' };
});

/** What it asked of systemd in one look. */
async function look(): Promise<string[]> {
  rig.host.log.length = 0;
  await keepOnce(site, watches);
  await new Promise((resolve) => setImmediate(resolve));
  return rig.host.log.filter((line) => line.startsWith('systemctl'));
}

/** A condition that was not met. */
const hold = (name: string) => rig.host.units.set(name, { active: 'inactive', result: 'exec-condition', pid: 1 });

describe('what systemd has no means for', () => {
  test('a process that waited is started when what it requires runs', async () => {
    await rig.launch(DEPLOYMENT);
    hold('hft-trading-strategy.service');
    rig.host.units.set('hft-trading-md.service', { active: 'failed' });
    expect(await look()).toEqual([]);
    rig.host.units.set('hft-trading-md.service', { active: 'active', pid: 7 });
    expect(await look()).toEqual(['systemctl --no-block start hft-trading-strategy.service']);
  });

  test('one that somebody stopped by hand stays down', async () => {
    await rig.launch(DEPLOYMENT);
    rig.host.units.set('hft-trading-strategy.service', { active: 'inactive', pid: 7 });
    expect(await look()).toEqual([]);
  });

  test.each([
    ['on-failure', 'restart'],
    ['never', 'stop'],
  ])('a process that fails its checks in a row, and restarts %s: %s', async (when, verb) => {
    rig.host.commands.set(PROBE, { found: true, exitCode: 1, stdout: '', stderr: '' });
    await rig.launch(DEPLOYMENT.replace('health:', `restart: {when: ${when}}, health:`));
    for (nowMs = 0; nowMs < 3000; nowMs += 1000) expect(await look()).toEqual([]);
    expect(await look()).toEqual([`systemctl --no-block ${verb} hft-trading-md.service`]);
    expect(await look()).toEqual([]);
  });

  test('a process that passes them is left alone', async () => {
    rig.host.commands.set(PROBE, '');
    await rig.launch(DEPLOYMENT);
    for (nowMs = 0; nowMs < 9000; nowMs += 1000) expect(await look()).toEqual([]);
  });

  test('heal: on puts threads back', async () => {
    rig.host.commands.set(PROBE, '');
    await rig.launch(`heal: on\n${DEPLOYMENT}`);
    nowMs = 5000;
    await look();
    expect(rig.host.log.filter((line) => line.includes('place-threads')).length).toBe(2);
  });

  test('it ends when nothing is ordered any more', async () => {
    expect(await keepOnce(site, watches)).toBe(false);
  });
});
