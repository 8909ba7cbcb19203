import { BaseCommand } from '../base.ts';

export default class ProfileSchema extends BaseCommand {
  static override summary = 'Print the JSON Schema of profiles, for editors';
  static override description =
    'With yaml-language-server (VS Code, Neovim, Emacs) the first line of a profile turns on completion and checks:\n' +
    '# yaml-language-server: $schema=hft-profile.schema.json';
  static override examples = ['<%= config.bin %> profile schema > hft-profile.schema.json'];

  async run() {
    await this.parse(ProfileSchema);
    const { profileJsonSchema } = await import('../../profile/schema.ts');
    const { installedProfiles } = await import('../../cli/installed-profiles.ts');
    const schema = await profileJsonSchema(installedProfiles(this.config.root).domains);
    return this.show(schema, () => JSON.stringify(schema, null, 2));
  }
}
