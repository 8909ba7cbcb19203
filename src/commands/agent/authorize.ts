import { Args, Flags } from '@oclif/core';
import { ROLES } from '../../agent/keys/roles.ts';
import { BaseCommand } from '../base.ts';

export default class AgentAuthorize extends BaseCommand {
  static override summary = "Let a controller ask this host's agent, or no more";
  static override description =
    'viewer: looks. operator: tunes, confirms, rolls back. admin: reboots too. In force with the next request, without a restart.';
  static override examples = [
    '<%= config.bin %> agent authorize hftpub_… --role operator --name "alice, desk 4"',
    '<%= config.bin %> agent authorize hftpub_… --revoke',
  ];
  static override args = { key: Args.string({ required: true, description: 'The public key of the controller' }) };
  static override flags = {
    role: Flags.string({ options: [...ROLES], default: 'viewer', summary: 'What it may ask for' }),
    name: Flags.string({ default: 'unnamed', helpValue: 'WHO', summary: 'Whose it is, for the log' }),
    revoke: Flags.boolean({ summary: 'Let it in no more' }),
  };

  async run() {
    const { args, flags } = await this.parse(AgentAuthorize);
    const { authorize } = await import('../../cli/agent-keys.ts');
    const { viewAuthorized } = await import('../../views/agent-keys.ts');
    const role = flags.role as (typeof ROLES)[number];
    const answer = await authorize(args.key, flags.revoke ? undefined : { role, name: flags.name });
    return this.show(answer, (terminal) => viewAuthorized(answer, terminal));
  }
}
