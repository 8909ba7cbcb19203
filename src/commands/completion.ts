import { Args } from '@oclif/core';
import type { Shell } from '../cli/completion.ts';
import { BaseCommand } from './base.ts';

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion script for a shell';
  static override enableJsonFlag = false;
  static override examples = [
    'source <(<%= config.bin %> completion bash)                 # this shell; in ~/.bashrc: every shell',
    'source <(<%= config.bin %> completion zsh)                  # after compinit, in ~/.zshrc',
    '<%= config.bin %> completion fish > ~/.config/fish/completions/<%= config.bin %>.fish',
  ];
  static override args = {
    shell: Args.string({ required: true, options: ['bash', 'zsh', 'fish'], description: 'bash, zsh or fish' }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    const { writeCompletion } = await import('../cli/completion.ts');
    const { listCompletedCommands } = await import('../cli/completed-commands.ts');
    this.log(writeCompletion(args.shell as Shell, this.config.bin, listCompletedCommands(this.config)).trimEnd());
  }
}
