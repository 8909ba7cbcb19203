import { Flags } from '@oclif/core';
import { BaseCommand, snapshotFlag } from '../base.ts';

export default class DpdkEal extends BaseCommand {
  static override summary = 'Print the EAL arguments for this host: lcores, memory, devices, file prefix';
  static override description =
    'The main lcore is a housekeeping CPU and the workers are the isolated CPUs near the NIC, or the own CPUs of a process of a deployment; memory is on the nodes of the workers; only the NICs of the profile are allowed. Prints one line that a shell can split: dpdk-testpmd $(hft dpdk eal) -- -i. In the command of a deployment the word {eal} stands for them. Exit code 1 when a device is not bound yet (said on standard error), no CPU is isolated or no hugepage is free.';
  static override examples = [
    'dpdk-testpmd $(<%= config.bin %> dpdk eal --profile colo-dpdk) -- -i',
    '<%= config.bin %> dpdk eal --deployment ./deployment.yaml --process market-data --json',
  ];
  static override flags = {
    profile: Flags.string({
      char: 'p',
      helpValue: 'NAME',
      summary: 'CPU roles, devices and memory of this profile; without it those of the running kernel',
    }),
    process: Flags.string({ helpValue: 'NAME', summary: 'For this process of --deployment' }),
    deployment: Flags.string({ helpValue: 'FILE', summary: 'A YAML file, or the name of a deployment' }),
    snapshot: snapshotFlag,
  };

  async run() {
    const { flags } = await this.parse(DpdkEal);
    const { computeEal } = await import('../../cli/dpdk-eal.ts');
    const answer = await computeEal(this.config.root, flags);
    for (const note of answer.notes) this.logToStderr(note);
    return this.show(answer, () => answer.arguments.join(' '), answer.notes.length > 0 ? 1 : 0);
  }
}
