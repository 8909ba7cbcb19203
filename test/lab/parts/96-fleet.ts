import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { freePort } from '../../free-port.ts';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { makePackages } from '../hft.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name =
  'from sshd alone: the agent is installed, asked, killed while it tunes; Ansible changes nothing twice; nothing is left';
export const kernels = ['stock'] as const;

const root = path.join(import.meta.dirname, '../../..');
const tuned = ['--profile', 'colo', '--only', 'kernel,memory,network', '--yes'];

/** What this machine is to the guest: its own keys and known hosts, and an inventory of one host. */
class Controller {
  readonly #folder: string;
  readonly #words: readonly string[];

  private constructor(folder: string, packages: readonly string[]) {
    this.#folder = folder;
    this.#words = packages.flatMap((file) => ['--package', file]);
  }

  static async make(guest: Guest): Promise<Controller> {
    const folder = await mkdtemp(path.join(tmpdir(), 'hft-lab-controller-'));
    const { deb, tarball } = await makePackages();
    const controller = new Controller(folder, [deb, tarball]);
    const { sshPort, key } = guest.record;
    // QEMU's user network: a port of this machine is one of the guest's.
    const port = await freePort();
    const forward = `hostfwd_add management tcp:127.0.0.1:${port}-:7411`;
    await guest.monitor('human-monitor-command', { 'command-line': forward });
    // The lab trusts what answers on the port of its own guest.
    const { stdout } = await execa('ssh-keyscan', ['-T', '60', '-p', String(sshPort), '127.0.0.1']);
    await writeFile(controller.file('known_hosts'), `${stdout}\n`);
    await writeFile(
      controller.file('ssh_config'),
      `Host *\n  UserKnownHostsFile ${controller.file('known_hosts')}\n  IdentitiesOnly yes\n`,
    );
    const login = `ansible_host=127.0.0.1 ansible_port=${sshPort} ansible_user=root ansible_ssh_private_key_file=${key}`;
    await writeFile(
      controller.file('hosts.ini'),
      `box ${login} hft_agent_port=${port} hft_agent_listen=0.0.0.0:7411\n`,
    );
    await controller.hft('agent', 'keygen', '--controller');
    return controller;
  }

  file(name: string): string {
    return path.join(this.#folder, name);
  }

  get #env() {
    const folder = this.#folder;
    return { HFT_CONFIG_DIR: folder, HFT_STATE_DIR: path.join(folder, 'state'), ANSIBLE_NOCOLOR: '1' };
  }

  async hft(...words: readonly string[]) {
    const result = await execa(path.join(root, 'bin/hft'), words, { reject: false, env: this.#env, stdin: 'ignore' });
    return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr };
  }

  ask(...words: readonly string[]) {
    return this.hft(...words, '--inventory', this.file('hosts.ini'));
  }

  install(...more: readonly string[]) {
    return this.ask('agent', 'install', '--ssh-config', this.file('ssh_config'), ...this.#words, '--json', ...more);
  }

  uninstall(...more: readonly string[]) {
    return this.ask('agent', 'uninstall', '--ssh-config', this.file('ssh_config'), '--json', ...more);
  }

  /** How often Ansible says that it changed the host. */
  async play(playbook: string): Promise<string> {
    const settings = {
      hft_agent_hft: path.join(root, 'bin/hft'),
      hft_agent_packages: this.#words.filter((word) => word.startsWith('/')),
      hft_agent_ssh_config: this.file('ssh_config'),
      hft_profile: 'colo',
      hft_agent_only: ['kernel', 'memory', 'network'],
    };
    const argv = [`playbooks/${playbook}.yml`, '-i', this.file('hosts.ini'), '-e', JSON.stringify(settings)];
    const cwd = path.join(root, 'ansible');
    const { stdout, stderr } = await execa('ansible-playbook', argv, { reject: false, cwd, env: this.#env });
    return /^box\s.*(?:changed=\d+).*failed=\d+/m.exec(stdout)?.[0] ?? `${stdout.slice(-1500)}${stderr.slice(-500)}`;
  }

  async end(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await guest.ssh('if dpkg-query -W hft; then dpkg --purge hft; fi; rm -rf /etc/hft /run/hft', { timeoutS: 300 });
  const before = await captureState(guest);
  const controller = await Controller.make(guest);
  try {
    await install(controller, check);
    await killWhileTuning(guest, controller, check);
    await playTwice(controller, check);
    await takeAway(controller, check);
  } finally {
    await controller.end();
  }
  const left = await guest.read(
    'ls -d /etc/hft /var/lib/hft /var/cache/hft /run/hft /usr/lib/hft /opt/hft 2>/dev/null; dpkg-query -W hft 2>/dev/null; true',
  );
  check(left === '', 'no file and no package of hft is left', left);
  const differences = diffStates(before, await captureState(guest)).map(printDifference);
  check(differences.length === 0, 'and the host is as before', differences);
}

async function install(controller: Controller, check: Check): Promise<void> {
  const shown = await controller.install('--dry-run');
  const steps = JSON.parse(shown.stdout).hosts[0].result?.steps?.map(({ step }: { step: string }) => step);
  check(steps?.join() === 'package,key,controller,listen,service,pin', 'the plan has all steps', steps ?? shown.stdout);
  const done = await controller.install('--yes');
  check(
    done.code === 0 && JSON.parse(done.stdout).hosts[0].result.status !== null,
    'installed, and asked through its agent',
    done,
  );
  const again = await controller.install('--yes');
  check(
    again.code === 0 && JSON.parse(again.stdout).hosts[0].result.changed === false,
    'the second time changes nothing',
    again,
  );
  const status = await controller.ask('agent', 'status');
  check(status.code === 0, 'hft agent status answers by the forwarded port', status);
}

async function killWhileTuning(guest: Guest, controller: Controller, check: Check): Promise<void> {
  const running = controller.ask('tune', ...tuned, '--json');
  await guest.ssh(
    'until ls /var/lib/hft/journal/* >/dev/null 2>&1; do sleep 0.1; done; sleep 0.5; kill -9 $(systemctl show -p MainPID --value hft-agent)',
    { timeoutS: 300 },
  );
  const cut = await running;
  check(
    cut.code !== undefined && cut.code !== 70,
    'the agent is killed while it tunes: the controller says what came of it',
    cut,
  );
  const state = await guest.read(
    'for i in $(seq 60); do systemctl is-active -q hft-agent && break; sleep 1; done; systemctl is-active hft-agent',
  );
  check(state === 'active', 'systemd has it running again', state);
  const after = await controller.ask('tune', ...tuned, '--json');
  check(after.code === 0 || after.code === 5, 'the same again undoes what was cut off, and finishes', after);
  const plan = await controller.ask('plan', '--profile', 'colo', '--only', 'kernel,memory,network', '--json');
  check(plan.code === 0, 'a plan finds nothing left to do', plan.code);
}

async function playTwice(controller: Controller, check: Check): Promise<void> {
  const back = await controller.ask('rollback', '--all', '--json');
  check(back.code === 0 || back.code === 5, 'hft rollback --all through the agent', back.code);
  for (const playbook of ['bootstrap', 'kernel-tuning']) {
    const recaps = [await controller.play(playbook), await controller.play(playbook)];
    const first = playbook === 'bootstrap' ? 'changed=0' : 'changed=1';
    check(
      recaps[0]?.includes(first) === true && recaps[0].includes('failed=0'),
      `${playbook}.yml: ${first}`,
      recaps[0],
    );
    check(
      recaps[1]?.includes('changed=0') === true && recaps[1].includes('failed=0'),
      `${playbook}.yml again: changed=0`,
      recaps[1],
    );
  }
}

async function takeAway(controller: Controller, check: Check): Promise<void> {
  const refused = await controller.uninstall('--yes');
  check(
    refused.code === 3 && refused.stdout.includes('is in force there'),
    'it is not taken away while a profile is in force',
    refused.stdout,
  );
  await controller.ask('rollback', '--all', '--json');
  const gone = await controller.uninstall('--yes');
  check(gone.code === 0 && JSON.parse(gone.stdout).hosts[0].result.changed === true, 'hft agent uninstall', gone);
}
