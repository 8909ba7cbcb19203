import { Args } from '@oclif/core';
import { openTarget } from '../../cli/target.ts';
import { probes } from '../../latency/index.ts';
import { BaseCommand, snapshotFlag } from '../base.ts';

export default class ProfileExplain extends BaseCommand {
  static override summary = 'Show what a profile means on this host: which CPU gets which role, and why';
  static override description = 'Also says what the profile asks for and this host cannot have, or should not.';
  static override examples = [
    '<%= config.bin %> profile explain colo',
    '<%= config.bin %> profile explain ./my-profile.yaml --snapshot box7.tar.gz',
  ];
  static override args = { profile: Args.string({ required: true, description: 'A name, or a YAML file' }) };
  static override flags = { snapshot: snapshotFlag };

  async run() {
    const { args, flags } = await this.parse(ProfileExplain);
    const { loadWanted } = await import('../../cli/wanted.ts');
    const { explainJson, viewExplanation } = await import('../../views/profile-explain.ts');
    const { wanted, locate } = await loadWanted(args.profile, this.config.root);
    const target = await openTarget(this.config, flags.snapshot);
    try {
      const planned = await locate(() => target.plan(wanted));
      const latency = { wanted: wanted.latency, probes: probes.map(({ name }) => name) };
      return this.show(explainJson(planned, latency), (terminal) => viewExplanation(planned, latency, terminal));
    } finally {
      await target.close();
    }
  }
}
