import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildWhenStale, ROOT } from './run-hft.ts';
import { makeSmallPackages, SshBed, whyNoSshBed } from './ssh-bed.ts';

const TIME_LIMIT_MS = 900_000;
const why = whyNoSshBed();
if (why !== undefined) process.stdout.write(`hft agent install over a real sshd is not tested here: ${why}\n`);

let bed: SshBed;
let older: string;
let newer: string;

const stepsOf = (stdout: string) => JSON.parse(stdout).steps.map(({ step }: { step: string }) => step);
const LOST = /the SSH session was lost/;
const ALL = ['package', 'key', 'controller', 'listen', 'service', 'pin'];

describe.runIf(why === undefined)('hft agent install', { timeout: TIME_LIMIT_MS }, () => {
  beforeAll(() => {
    buildWhenStale();
    const folder = mkdtempSync(join(tmpdir(), 'hft-packages-'));
    [older, newer] = [makeSmallPackages(folder, '0.1.0', ROOT), makeSmallPackages(folder, '0.2.0', ROOT)];
  }, TIME_LIMIT_MS);
  beforeEach(async () => {
    bed = await new SshBed().start();
  }, TIME_LIMIT_MS);
  afterEach(() => bed.end(), TIME_LIMIT_MS);

  test('from nothing: shows it, asks, installs by dpkg, pins, and asks the agent; again changes nothing', async () => {
    const shown = await bed.install('box', `${older} --dry-run --json`);
    expect([shown.stderr, shown.exitCode, stepsOf(shown.stdout)]).toEqual(['', 1, ALL]);
    const unasked = await bed.install('box', older);
    expect([unasked.exitCode, unasked.stderr]).toEqual([2, expect.stringContaining('Add `--yes`')]);
    expect(bed.inside('ls -d /etc/hft /opt/hft /usr/lib/hft /var/tmp/hft-* 2>/dev/null').stdout).toBe('');

    const done = await bed.install('box', `${older} --yes --json --name "o'neil \\$(touch /tmp/hft-injected)"`);
    expect([done.exitCode, done.stderr.split('\n').filter((line) => line !== '')]).toEqual([0, []]);
    const answer = JSON.parse(done.stdout);
    expect(answer).toMatchObject({ outcome: 'installed', changed: true, version: '0.1.0', status: { profile: null } });
    expect(existsSync('/tmp/hft-injected')).toBe(false);
    expect(bed.inside('cat /etc/hft/authorized_controllers').stdout).toContain("o'neil $(touch /tmp/hft-injected)");
    expect(bed.inside('stat -c %a /etc/hft/agent.key; ls /var/tmp/hft-* /run/hft/agent.stale 2>/dev/null').stdout).toBe(
      '600',
    );
    expect(readFileSync(join(bed.controller.HFT_CONFIG_DIR as string, 'known_agents'), 'utf8')).toBe(
      `box:${bed.agentPort} ${answer.publicKey}\n`,
    );
    const before = bed.inside('cat /run/fake/pid').stdout;
    const again = await bed.install('box', `${older} --yes --json`);
    expect([again.exitCode, JSON.parse(again.stdout)]).toMatchObject([
      0,
      { outcome: 'as-wanted', changed: false, steps: [] },
    ]);
    expect(bed.inside('cat /run/fake/pid').stdout).toBe(before);

    const gone = await bed.uninstall('box', '--yes --json');
    expect([gone.exitCode, JSON.parse(gone.stdout)]).toMatchObject([
      0,
      { outcome: 'uninstalled', changed: true, left: [] },
    ]);
    const traces = '/etc/hft /opt/hft /usr/lib/hft /var/lib/hft /run/hft /usr/lib/systemd/system/hft-agent.service';
    expect(
      bed.inside(`ls -d ${traces} 2>/dev/null; dpkg-query -W hft 2>/dev/null; cat /run/fake/pid 2>/dev/null`).stdout,
    ).toBe('');
    expect(readFileSync(join(bed.controller.HFT_CONFIG_DIR as string, 'known_agents'), 'utf8')).toBe('');
    expect(JSON.parse((await bed.uninstall('box', '--yes --json')).stdout)).toMatchObject({
      outcome: 'not-there',
      changed: false,
    });
  });

  test('a newer and an older package, another role and another address: only what differs is done', async () => {
    await bed.install('box', `${older} --yes`);
    bed.inside('echo HFT_OTHER=1 >> /etc/hft/agent.env');
    const up = await bed.install('box', `${newer} --yes --json --role admin --listen 0.0.0.0`);
    expect([up.stderr.includes('rror'), up.exitCode]).toEqual([false, expect.any(Number)]);
    expect(bed.inside('dpkg-query -W hft; cat /etc/hft/agent.env').stdout).toBe(
      `hft\t0.2.0\nHFT_OTHER=1\nHFT_AGENT_LISTEN=0.0.0.0:${bed.agentPort}`,
    );
    const down = await bed.install('box', `${older} --yes --json --listen 127.0.0.1`);
    expect([down.exitCode, stepsOf(down.stdout)]).toEqual([0, ['package', 'listen', 'service']]);
    expect(bed.inside('cat /etc/hft/authorized_controllers').stdout).toMatch(/^admin hftpub_/);
  });

  test('where a dependency of the .deb is missing: the tarball, whole or not at all', async () => {
    bed.inside("sed -i '/^Package: libatomic1$/,/^$/d' /var/lib/dpkg/status");
    const done = await bed.install('by-admin', `${older} --yes --json`);
    expect([done.exitCode, JSON.parse(done.stdout).steps[0]]).toEqual([
      0,
      { step: 'package', from: null, to: 'hft 0.1.0 by a tarball in /opt/hft' },
    ]);
    expect(
      bed.inside('readlink /usr/local/bin/hft; grep ^ExecStart /etc/systemd/system/hft-agent.service').stdout,
    ).toBe('/opt/hft/bin/hft\nExecStart=/opt/hft/bin/hft agent run');
    bed.inside('mkdir -p /etc/hft/profiles; echo "extends: colo" > /etc/hft/profiles/own.yaml');
    const gone = await bed.uninstall('by-admin', '--yes --json');
    expect([gone.exitCode, JSON.parse(gone.stdout).left]).toEqual([0, ['/etc/hft/']]);
    expect(
      bed.inside('ls /etc/hft /opt; ls /usr/local/bin/hft /etc/systemd/system/hft-agent.service').stdout,
    ).toContain('profiles');
  });

  test('what the host is refused for: one line, the next step, nothing done', async () => {
    const refused = async (host: string, more = older) => {
      const { stderr, exitCode } = await bed.install(host, `${more} --yes`);
      return [exitCode, stderr.split('\n')[0]];
    };
    expect(await refused('by-trader')).toEqual([
      3,
      'by-trader:PORT: trader@127.0.0.1 is not root, and there is no sudo there.'.replace(
        'PORT',
        String(bed.agentPort),
      ),
    ]);
    bed.inside(
      'printf \'#!/bin/sh\\necho "sudo: a password is required" >&2; exit 1\\n\' > /usr/bin/sudo; chmod 755 /usr/bin/sudo',
    );
    expect(await refused('by-trader')).toEqual([
      3,
      expect.stringContaining('may not become root without a password: sudo: a password is required'),
    ]);
    expect(await refused('nobody')).toEqual([
      3,
      `nobody:${bed.agentPort}: no SSH connection to 127.0.0.1 port 1: nothing listens there.`,
    ]);
    expect(await refused('by-other-key')).toEqual([
      3,
      expect.stringMatching(/^by-other-key:\d+: ssh does not get in: .*Permission denied/),
    ]);
    expect(await refused('box', `--package ${bed.file('hft_0.1.0_arm64.deb')}`)).toEqual([
      2,
      expect.stringContaining('there is no file'),
    ]);
    writeFileSync(bed.file('hft_0.1.0_arm64.deb'), '');
    expect(await refused('box', `--package ${bed.file('hft_0.1.0_arm64.deb')}`)).toEqual([
      3,
      expect.stringContaining('and there is no package for that'),
    ]);
    bed.inside('rmdir /run/systemd/system');
    expect(await refused('box')).toEqual([3, expect.stringContaining('systemd does not run it')]);
    expect(bed.inside('ls -d /etc/hft /opt/hft /usr/lib/hft /var/tmp/hft-* 2>/dev/null').stdout).toBe('');
  });

  // What was at work on the host when its session was lost may go on to its end there: then there is nothing left to enable.
  const GONE_ON =
    'i=0; until systemctl is-active --quiet hft-agent.service || [ $i -ge 100 ]; do sleep 0.1; i=$((i+1)); done; systemctl disable --now hft-agent.service';

  test('each step that fails is named with its reason, and the same again finishes', async () => {
    const faults: readonly (readonly [step: string, reason: RegExp, breaks: string, mends: string])[] = [
      ['package', /No space left/, 'mkdir -p /var/tmp; mount -t tmpfs -o size=64k none /var/tmp', 'umount /var/tmp'],
      [
        'package',
        /dpkg|read-only|Read-only/i,
        'mount -t tmpfs -o ro none /var/lib/dpkg/updates',
        'umount /var/lib/dpkg/updates',
      ],
      ['package', LOST, 'touch /run/fake/cut-daemon-reload', 'rm /run/fake/cut-daemon-reload'],
      ['key', /EISDIR|agent\.key/, 'mkdir -p /etc/hft/agent.key', 'rmdir /etc/hft/agent.key'],
      [
        'controller',
        /others may write|not used/,
        ': > /etc/hft/authorized_controllers; chmod 666 /etc/hft/authorized_controllers',
        'rm /etc/hft/authorized_controllers',
      ],
      ['listen', /director|write/i, 'mkdir -p /etc/hft/agent.env.new/x', 'rm -rf /etc/hft/agent.env.new'],
      ['service', /restart was refused/, 'touch /run/fake/refuse-restart', 'rm /run/fake/refuse-restart'],
      ['service', /enable was refused/, 'touch /run/fake/refuse-enable', 'rm /run/fake/refuse-enable'],
      ['service', LOST, 'touch /run/fake/cut-restart', 'rm /run/fake/cut-restart'],
      ['service', LOST, `${GONE_ON}; touch /run/fake/cut-enable`, 'rm /run/fake/cut-enable'],
    ];
    for (const [step, reason, breaks, mends] of faults) {
      bed.inside(breaks);
      const broken = await bed.install('box', `${older} --yes`);
      const isCut = reason === LOST;
      const said = isCut ? /^box:\d+: the SSH session was lost/ : new RegExp(`^box:\\d+: step ${step}: `);
      const line = broken.stderr.split('\n').find((each) => said.test(each)) ?? broken.stderr;
      expect([step, broken.exitCode, line]).toEqual([step, 3, expect.stringMatching(reason)]);
      // What was begun there ends by itself when the session is lost.
      await expect.poll(() => bed.inside('ls /var/tmp | grep ^hft-; ls -d /opt/hft.new 2>/dev/null').stdout).toBe('');
      bed.inside(mends);
    }
    expect((await bed.install('box', `${older} --yes`)).exitCode).toBe(0);
    expect(JSON.parse((await bed.install('box', `${older} --yes --json`)).stdout).changed).toBe(false);
  });

  test('is not taken away while something is in force, and a host without its journal is not guessed at', async () => {
    await bed.install('box', `${older} --yes`);
    bed.inside('mkdir -p /var/lib/hft && mv /usr/lib/hft/bin/hft /usr/lib/hft/bin/own');
    const fake = (status: string) =>
      bed.inside(
        `cat > /usr/lib/hft/bin/hft <<'E'\n#!/bin/sh\n[ "$1" = status ] && echo '${status}' || exec /usr/lib/hft/bin/own "$@"\nE\nchmod 755 /usr/lib/hft/bin/hft`,
      );
    const quiet = { profile: null, changes: [], cutOff: [], notUndone: [], launched: null };
    for (const [status, said] of [
      [JSON.stringify({ ...quiet, profile: 'colo' }), 'profile colo is in force there'],
      [JSON.stringify({ ...quiet, cutOff: ['run'] }), 'what hft changed there is not undone'],
      [JSON.stringify({ ...quiet, launched: { deployment: 'x' } }), 'trading processes run there'],
      ['nothing', 'no hft that says what is in force'],
    ] as const) {
      fake(status);
      const { exitCode, stderr } = await bed.uninstall('box', '--yes');
      expect([exitCode, stderr.split('\n')[0]]).toEqual([3, expect.stringContaining(said)]);
      expect(bed.inside('ls /etc/hft/agent.key').status).toBe(0);
    }
    const kept = await bed.uninstall('box', '--yes --keep-state --json');
    expect([kept.exitCode, JSON.parse(kept.stdout).left]).toEqual([0, ['/var/lib/hft']]);
  });
});

describe.runIf(why === undefined)('the SSH session', { timeout: TIME_LIMIT_MS }, () => {
  beforeAll(async () => {
    buildWhenStale();
    older = makeSmallPackages(mkdtempSync(join(tmpdir(), 'hft-packages-')), '0.1.0', ROOT);
  }, TIME_LIMIT_MS);
  beforeEach(async () => {
    bed = await new SshBed().start();
  }, TIME_LIMIT_MS);
  afterEach(() => bed.end(), TIME_LIMIT_MS);

  test('goes by jump hosts, commands, certificates, hashed and several keys; never to a host whose key is not the known one', async () => {
    const { execFileSync } = await import('node:child_process');
    execFileSync('ssh-keygen', ['-q', '-s', bed.file('ca'), '-I', 'test', '-n', 'root', bed.file('other.pub')]);
    const name = `[127.0.0.1]:${bed.port}`;
    writeFileSync(bed.file('unknown'), bed.knownHost('elsewhere'));
    writeFileSync(bed.file('changed'), bed.knownHost(name, 'other'));
    writeFileSync(bed.file('revoked'), `@revoked ${bed.knownHost('*')}${bed.knownHost()}`);
    writeFileSync(bed.file('hashed'), bed.knownHost());
    execFileSync('ssh-keygen', ['-q', '-H', '-f', bed.file('hashed')], { stdio: 'ignore' });
    writeFileSync(bed.file('rsa'), bed.knownHost(name, 'host-rsa'));
    writeFileSync(bed.file('authority'), `@cert-authority ${bed.knownHost('*', 'ca')}`);
    const plan = async (host: string) => {
      const { stderr, stdout, exitCode } = await bed.install(host, `${older} --dry-run --json`);
      return exitCode === 1 ? 'planned' : (JSON.parse(stdout || '{}').error?.message ?? stderr).split('\n')[0];
    };
    for (const host of ['box', 'by-jump', 'by-command', 'by-certificate', 'hashed-key', 'rsa-key', 'by-admin'])
      expect([host, await plan(host)]).toEqual([host, 'planned']);
    expect(await plan('unknown-key')).toContain('its host key is not known');
    expect(await plan('changed-key')).toContain('another host key than the known one');
    expect(await plan('revoked-key')).toContain('@revoked');
    expect(await plan('authority-key')).toContain('ssh does not get in: Host key verification failed');
    execFileSync('ssh-keygen', [
      '-q',
      '-h',
      '-s',
      bed.file('ca'),
      '-I',
      'host',
      '-n',
      '127.0.0.1',
      bed.file('host.pub'),
    ]);
  });
});
