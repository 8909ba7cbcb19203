import type { Command } from '@oclif/core';
import Help from './help.ts';

/** Every command, by its id: `profile:list` is typed `hft profile list`. A test compares this list with the folder. */
export const commands: Readonly<Record<string, Command.Class>> = {
  help: Help,
};
