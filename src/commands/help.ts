import { Args, loadHelpClass } from '@oclif/core';
import { describeUnknownCommand } from '../cli/unknown-command.ts';
import { BaseCommand } from './base.ts';

export default class Help extends BaseCommand {
  static override summary = 'Show help for a command';
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help profile explain'];
  static override strict = false;
  static override enableJsonFlag = false;
  static override args = { command: Args.string({ description: 'The command, for example `profile explain`' }) };

  async run(): Promise<void> {
    const words = (await this.parse(Help)).argv as string[];
    const id = words.join(':');
    const isKnown = id === '' || this.config.findCommand(id) !== undefined || this.config.findTopic(id) !== undefined;
    if (!isKnown) throw describeUnknownCommand(words.join(' '), this.config);
    const HelpClass = await loadHelpClass(this.config);
    await new HelpClass(this.config, this.config.pjson.oclif.helpOptions).showHelp(words);
  }
}
