import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { awaitShell, cleanEnvironment, type Run } from './run-hft.ts';

/** Another sshd than the one that is installed. */
const SSHD = process.env.HFT_SSHD ?? '/usr/sbin/sshd';
const FAKE_SYSTEMCTL = join(import.meta.dirname, 'fake-systemctl.sh');

/** Why there can be no bed here; undefined: there can. */
export function whyNoSshBed(): string | undefined {
  if (process.getuid?.() !== 0) return 'it takes root';
  for (const program of [SSHD, 'ssh', 'ssh-keygen', 'unshare', 'nsenter', 'dpkg-deb', 'xz'])
    if (spawnSync('which', [program]).status !== 0) return `${program} is not installed`;
  const tried = spawnSync('unshare', ['--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'none', '/opt']);
  return tried.status === 0 ? undefined : 'this kernel gives no mount namespace';
}

/** The host: its own /etc, /opt, /usr, /var and /run over those of this machine, gone with its first process. */
const ENTER = `set -e
bed=$1; sshd=$2; systemctl=$3
mkdir -p $bed/over && mount -t tmpfs none $bed/over
for d in etc opt usr var root; do
  mkdir -p $bed/over/$d/up $bed/over/$d/work
  mount -t overlay -o lowerdir=/$d,upperdir=$bed/over/$d/up,workdir=$bed/over/$d/work none /$d
done
mount -t tmpfs none /run
mkdir -p /run/sshd /run/systemd/system /run/fake
dpkg --purge hft >/dev/null 2>&1 || :
rm -rf /etc/hft /opt/hft /usr/lib/hft /var/lib/hft /var/cache/hft /usr/bin/hft /usr/local/bin/hft /etc/sudoers.d
rm -f /usr/bin/sudo /root/.ssh/rc
sed -i '/^sshd:\\|^admin:\\|^trader:/d' /etc/passwd
echo 'sshd:x:74:65534::/run/sshd:/usr/sbin/nologin' >> /etc/passwd
echo 'admin:x:0:0::/root:/bin/sh' >> /etc/passwd
echo 'trader:x:4321:4321::/:/bin/sh' >> /etc/passwd
for c in systemctl journalctl; do rm -f /usr/bin/$c; cp $systemctl /usr/bin/$c; chmod 755 /usr/bin/$c; done
mkdir -p /usr/local/admin
printf '#!/bin/sh\\necho 1000\\n' > /usr/local/admin/id
printf '#!/bin/sh\\n[ "$1" = -n ] || exit 9\\nshift\\nPATH=/usr/sbin:/usr/bin:/sbin:/bin exec "$@"\\n' > /usr/local/admin/sudo
chmod 755 /usr/local/admin/*
exec $sshd -D -e -f $bed/sshd_config`;

/** An sshd on loopback, with keys and a port of its own, on a host that nothing of this machine's is lost on. */
export class SshBed {
  readonly folder = mkdtempSync(join(tmpdir(), 'hft-ssh-bed-'));
  readonly controller = cleanEnvironment();
  port = 0;
  agentPort = 0;
  #child: ChildProcess | undefined;
  #said = '';

  async start(): Promise<this> {
    chmodSync(this.folder, 0o755);
    [this.port, this.agentPort] = [await freePort(), await freePort()];
    for (const name of ['host', 'user', 'ca', 'other'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', this.file(name)]);
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', this.file('host-rsa')]);
    this.#writeConfigurations();
    const argv = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '/bin/sh', '-c', ENTER, 'bed'];
    this.#child = spawn('unshare', [...argv, this.folder, SSHD, FAKE_SYSTEMCTL], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.on('data', (piece) => (this.#said += piece));
    while (!this.#said.includes('Server listening')) {
      if (this.#child.exitCode !== null) throw new Error(`sshd did not start: ${this.#said}`);
      await sleep(20);
    }
    await this.hft('agent keygen --controller');
    return this;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** What the host key is known as, under another name if told so. */
  knownHost(name = `[127.0.0.1]:${this.port}`, key = 'host'): string {
    return `${name} ${readFileSync(this.file(`${key}.pub`), 'utf8')}`;
  }

  #writeConfigurations(): void {
    const { folder } = this;
    writeFileSync(
      this.file('sshd_config'),
      `Port ${this.port}\nListenAddress 127.0.0.1\nHostKey ${folder}/host\nHostKey ${folder}/host-rsa\nUsePAM no\nStrictModes no\n` +
        `PidFile none\nAuthorizedKeysFile ${folder}/authorized_keys\nTrustedUserCAKeys ${folder}/ca.pub\n` +
        `PasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 100\n` +
        `SetEnv PATH=/usr/sbin:/usr/bin:/sbin:/bin\n` +
        `Match User admin\n  SetEnv PATH=/usr/local/admin:/usr/sbin:/usr/bin:/sbin:/bin\n`,
    );
    writeFileSync(this.file('authorized_keys'), readFileSync(this.file('user.pub')));
    writeFileSync(this.file('known_hosts'), this.knownHost());
    writeFileSync(this.file('empty'), '');
    this.#writeSshConfig();
  }

  #writeSshConfig(): void {
    const { folder } = this;
    const host = (names: string, ...lines: readonly string[]) => [`Host ${names}`, ...lines.map((line) => `  ${line}`)];
    const known = (name: string) => `UserKnownHostsFile ${folder}/${name}`;
    const lines = [
      ...host('by-admin', 'User admin'),
      ...host('by-trader', 'User trader'),
      ...host('by-other-key', `IdentityFile ${folder}/other`),
      ...host('by-jump', 'ProxyJump box'),
      ...host('by-command', `ProxyCommand ssh -F ${folder}/ssh_config -W %h:%p box`),
      ...host('by-certificate', `IdentityFile ${folder}/other`, `CertificateFile ${folder}/other-cert.pub`),
      ...['unknown', 'changed', 'revoked', 'hashed', 'authority', 'rsa'].flatMap((name) =>
        host(`${name}-key`, known(name)),
      ),
      ...host('nobody', 'Port 1'),
      ...host('* !by-other-key !by-certificate', `IdentityFile ${folder}/user`),
      ...host('*', 'HostName 127.0.0.1', `Port ${this.port}`, 'User root', known('known_hosts')),
      ...['  GlobalKnownHostsFile none', '  IdentityAgent none', '  IdentitiesOnly yes'],
    ];
    writeFileSync(this.file('ssh_config'), `${lines.join('\n')}\n`);
  }

  hft(line: string): Promise<Run> {
    return awaitShell(`hft ${line}`, { environment: this.controller });
  }

  /** To a host of ssh_config; with the port of its agent. */
  install(host: string, more = ''): Promise<Run> {
    return this.hft(`agent install --host ${host}:${this.agentPort} --ssh-config ${this.file('ssh_config')} ${more}`);
  }

  uninstall(host: string, more = ''): Promise<Run> {
    return this.hft(`agent uninstall --host ${host}:${this.agentPort} --ssh-config ${this.file('ssh_config')} ${more}`);
  }

  /** A shell on the host itself. */
  inside(script: string): { readonly stdout: string; readonly status: number | null } {
    // The first process of the namespaces is the only child of unshare.
    const pid = readFileSync(`/proc/${this.#child?.pid}/task/${this.#child?.pid}/children`, 'utf8').trim();
    const argv = ['--target', pid, '--mount', '--pid', '/bin/sh', '-c', script];
    const { stdout, stderr, status } = spawnSync('nsenter', argv, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    });
    return { stdout: `${stdout}${stderr}`.trim(), status };
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Packages in the form of `npm run package`, whose program is the hft of this repository. */
export function makeSmallPackages(folder: string, version: string, root: string): string {
  const tree = join(folder, `hft-${version}-linux-x64`);
  for (const name of ['bin', 'agents']) mkdirSync(join(tree, name), { recursive: true });
  writeFileSync(join(tree, 'bin/hft'), `#!/bin/sh\nexec ${root}/bin/hft "$@"\n`, { mode: 0o755 });
  writeFileSync(join(tree, 'package.json'), `{\n  "name": "hft",\n  "version": "${version}"\n}\n`);
  writeFileSync(join(tree, 'ballast'), randomBytes(1 << 20));
  writeFileSync(join(tree, 'agents/hft-agent.service'), readFileSync(join(root, 'agents/hft-agent.service')));
  const name = `hft-${version}-linux-x64`;
  execFileSync('tar', ['-C', folder, '-cJf', join(folder, `${name}.tar.xz`), name]);
  const deb = join(folder, `deb-${version}`);
  mkdirSync(join(deb, 'DEBIAN'), { recursive: true });
  for (const [from, to] of [
    [tree, 'usr/lib/hft'],
    [join(tree, 'agents'), 'usr/lib/systemd/system'],
  ] as const) {
    mkdirSync(join(deb, to, '..'), { recursive: true });
    execFileSync('cp', ['-r', from, join(deb, to)]);
  }
  writeFileSync(
    join(deb, 'DEBIAN/control'),
    `Package: hft\nVersion: ${version}\nArchitecture: amd64\nMaintainer: test <t@localhost>\nDescription: test\n`,
  );
  const postrm = `#!/bin/sh\nif [ "$1" = purge ]; then rm -rf /var/lib/hft; fi\n`;
  writeFileSync(join(deb, 'DEBIAN/postrm'), postrm, { mode: 0o755 });
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', deb, join(folder, `hft_${version}_amd64.deb`)], {
    stdio: 'ignore',
  });
  return `--package ${join(folder, `hft_${version}_amd64.deb`)} --package ${join(folder, `${name}.tar.xz`)}`;
}
