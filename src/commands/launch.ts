import { Args } from '@oclif/core';
import { launchFlags } from '../cli/launch-flags.ts';
import { UsageError } from '../errors.ts';
import type { Terminal } from '../views/terminal.ts';
import { BaseCommand } from './base.ts';

export default class Launch extends BaseCommand {
  static override summary = 'Start the processes of a deployment, each thread on the CPU that it was given';
  static override description =
    'Nothing starts on a host whose settings differ from the profile or whose CPUs are not isolated. A process that runs is left alone; one whose definition changed has to be stopped first, or --restart does so. Exit code 0 when all run (or, without --wait, are being started), 1 when the host is not fit or a process does not run, 2 when the deployment does not fit the host, 3 when a process runs otherwise and would have to be stopped first.';
  static override examples = [
    '<%= config.bin %> launch single-host --wait',
    '<%= config.bin %> launch ./deployment.yaml --only strategy',
  ];
  static override args = { file: Args.string({ description: 'A YAML file, or the name of a deployment' }) };
  static override flags = launchFlags;

  async run() {
    const { args, flags } = await this.parse(Launch);
    if (flags.supervise) {
      const { superviseHere } = await import('../cli/launch-site.ts');
      await superviseHere(this.config.root);
      return this.show({ supervised: true }, () => '');
    }
    if (flags.boot) {
      const { passBootGate } = await import('../cli/launch-boot.ts');
      const { deployment } = await passBootGate(this.config);
      return this.show({ deployment }, () => `The processes of ${deployment} may start.`);
    }
    if (args.file === undefined)
      throw new UsageError('hft launch needs a deployment: a YAML file, or a name.', {
        next: ['`hft deployment list` shows what there is.'],
      });
    const { launchHost } = await import('../cli/launch-host.ts');
    const { briefRecords } = await import('../views/brief.ts');
    const { launchExitCode, launchJson, viewLaunch } = await import('../views/launch.ts');
    const { file } = args;
    return this.showHosts(flags, async (host) => {
      const answer = await launchHost(this.config, file, { ...flags, host });
      const text = (terminal: Terminal) => viewLaunch(answer, terminal);
      const brief = `${answer.deployment}: ${briefRecords(answer.records)}`;
      return { json: launchJson(answer), text, brief, exitCode: launchExitCode(answer) };
    });
  }
}
