import { Args } from '@oclif/core';
import { BaseCommand } from '../base.ts';

export default class ProfileValidate extends BaseCommand {
  static override summary = 'Check a profile: every mistake with file, line and column';
  static override description =
    'Exit code 0 when it is right, 2 when it is not. Looks at no host: `profile explain` does.';
  static override examples = ['<%= config.bin %> profile validate ./my-profile.yaml'];
  static override args = {
    file: Args.string({ required: true, description: 'A YAML file, or the name of a profile' }),
  };

  async run() {
    const { args } = await this.parse(ProfileValidate);
    const { installedProfiles } = await import('../../cli/installed-profiles.ts');
    const { loadProfile } = await import('../../profile/load.ts');
    const { viewValidProfile } = await import('../../views/profile-validate.ts');
    const { name, file, sources, wanted } = await loadProfile(args.file, installedProfiles(this.config.root));
    const valid = { valid: true, name, file, sources, domains: Object.keys(wanted) };
    return this.show(valid, () => viewValidProfile(valid));
  }
}
