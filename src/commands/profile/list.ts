import { Flags } from '@oclif/core';
import { BaseCommand } from '../base.ts';

export default class ProfileList extends BaseCommand {
  static override summary = 'List the profiles, shipped ones and those in /etc/hft/profiles';
  static override examples = ['<%= config.bin %> profile list', '<%= config.bin %> profile list --json'];
  static override flags = { names: Flags.boolean({ summary: 'Print the names alone, one on each line' }) };

  async run() {
    const { flags } = await this.parse(ProfileList);
    const { openProfileStore } = await import('../../cli/profile-store.ts');
    const { listProfiles } = await import('../../profile/list.ts');
    const { viewProfileList } = await import('../../views/profile-list.ts');
    const profiles = await listProfiles(openProfileStore(this.config.root));
    const names = profiles.map((profile) => profile.name).join('\n');
    return this.show({ profiles }, (terminal) => (flags.names ? names : viewProfileList(profiles, terminal)));
  }
}
