import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base.ts';

export default class AgentTrust extends BaseCommand {
  static override summary = "Write down the key that a host's agent must have";
  static override description =
    'Whatever answers under the name of the host and does not have the key is talked to no further. --add keeps the keys that are known: for the time in which the agent changes its key.';
  static override examples = ['<%= config.bin %> agent trust box7 hftpub_…'];
  static override args = {
    host: Args.string({ required: true, description: 'HOST or HOST:PORT, as --host names it' }),
    key: Args.string({ required: true, description: 'The public key of its agent' }),
  };
  static override flags = { add: Flags.boolean({ summary: 'Beside the keys that are known of it' }) };

  async run() {
    const { args, flags } = await this.parse(AgentTrust);
    const { trust } = await import('../../cli/agent-keys.ts');
    const { viewTrusted } = await import('../../views/agent-keys.ts');
    const answer = await trust(args.host, args.key, flags);
    return this.show(answer, (terminal) => viewTrusted(answer, terminal));
  }
}
