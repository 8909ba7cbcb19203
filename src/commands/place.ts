import { Args, Flags } from '@oclif/core';
import { BaseCommand, snapshotFlag } from './base.ts';

export default class Place extends BaseCommand {
  static override summary = 'Show which thread of a deployment goes on which CPU of this host, and why';
  static override description =
    'Starts nothing and changes nothing. Exit code 0 when all of it could be launched, 1 when a program, user or folder is missing, 2 when it does not fit.';
  static override examples = [
    '<%= config.bin %> place single-host',
    '<%= config.bin %> place ./deployment.yaml --profile colo --snapshot box7.tar.gz',
    '<%= config.bin %> place ./deployment.yaml --svg placement.svg',
  ];
  static override args = {
    file: Args.string({ required: true, description: 'A YAML file, or the name of a deployment' }),
  };
  static override flags = {
    profile: Flags.string({
      char: 'p',
      helpValue: 'NAME',
      summary: 'Take the CPU roles of this profile, not of the one that the deployment names',
    }),
    svg: Flags.string({ helpValue: 'FILE', summary: 'Draw the threads on the picture of the machine' }),
    snapshot: snapshotFlag,
  };

  async run() {
    const { args, flags } = await this.parse(Place);
    const { place } = await import('../cli/place.ts');
    const { placeJson, viewPlacement } = await import('../views/place.ts');
    const placement = await place(this.config.root, args.file, flags);
    const exitCode = placement.missing.length > 0 ? 1 : 0;
    return this.show(placeJson(placement), (terminal) => viewPlacement(placement, terminal), exitCode);
  }
}
