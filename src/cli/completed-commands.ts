import type { Command, Config } from '@oclif/core';
import type { CompletedCommand, CompletedFlag } from './completion.ts';

/** The commands as completion needs them, from oclif's list. */
export function listCompletedCommands(config: Config): CompletedCommand[] {
  return config.commands
    .filter((command) => !command.hidden)
    .map((command) => ({
      name: command.id.replaceAll(':', ' '),
      summary: firstLine(command.summary ?? command.description),
      flags: [
        ...Object.values(command.flags)
          .filter((flag) => !flag.hidden)
          .flatMap(describeFlag),
        HELP,
      ],
      args: Object.values(command.args).map(({ name, options }) => ({ name, options: options ?? [] })),
    }));
}

const HELP: CompletedFlag = { name: 'help', summary: 'Show help', takesValue: false, options: [] };

/** A flag that can be turned off is two words: --persist, --no-persist. */
function describeFlag(flag: Command.Flag.Any): CompletedFlag[] {
  const summary = firstLine(flag.summary ?? flag.description);
  const options = 'options' in flag ? [...(flag.options ?? [])] : [];
  const described = { name: flag.name, summary, takesValue: flag.type === 'option', options };
  const negated = { ...described, name: `no-${flag.name}`, summary: `Not: ${summary}` };
  return flag.type === 'boolean' && flag.allowNo ? [described, negated] : [described];
}

function firstLine(text: string | undefined): string {
  return (text ?? '').split('\n')[0] ?? '';
}
