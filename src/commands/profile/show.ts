import { Args } from '@oclif/core';
import { BaseCommand } from '../base.ts';

export default class ProfileShow extends BaseCommand {
  static override summary = 'Show a profile with everything it extends, and which file each value is from';
  static override examples = [
    '<%= config.bin %> profile show colo',
    '<%= config.bin %> profile show ./my-profile.yaml --json',
  ];
  static override args = { profile: Args.string({ required: true, description: 'A name, or a YAML file' }) };

  async run() {
    const { args } = await this.parse(ProfileShow);
    const { installedProfiles } = await import('../../cli/installed-profiles.ts');
    const { loadProfile } = await import('../../profile/load.ts');
    const { viewProfile } = await import('../../views/profile-show.ts');
    const profile = await loadProfile(args.profile, installedProfiles(this.config.root));
    return this.show(profile, (terminal) => viewProfile(profile, terminal));
  }
}
