import { Flags } from '@oclif/core';
import { BaseCommand } from '../base.ts';

export default class AgentKeygen extends BaseCommand {
  static override summary = "Make the key of this host's agent, or of a controller";
  static override description =
    'Prints the public key; the secret stays in its file (mode 0600). A key that is there is left as it is: --next makes the one to come, which is made known first, and --promote puts it in place.';
  static override examples = [
    '<%= config.bin %> agent keygen',
    '<%= config.bin %> agent keygen --controller',
    '<%= config.bin %> agent keygen --next',
  ];
  static override flags = {
    controller: Flags.boolean({ summary: 'The key with which you ask agents, in ~/.config/hft' }),
    next: Flags.boolean({ summary: 'The key that will take the place of the one in use', exclusive: ['promote'] }),
    promote: Flags.boolean({ summary: 'Put the next key in the place of the one in use' }),
    show: Flags.boolean({ summary: 'Print the public key of the one that is there', exclusive: ['promote'] }),
  };

  async run() {
    const { flags } = await this.parse(AgentKeygen);
    const { keygen } = await import('../../cli/agent-keys.ts');
    const { viewKey } = await import('../../views/agent-keys.ts');
    const answer = await keygen(flags);
    return this.show(answer, (terminal) => viewKey(answer, terminal));
  }
}
