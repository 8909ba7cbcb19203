import type { Command } from '@oclif/core';
import Help from './help.ts';
import ProfileExplain from './profile/explain.ts';
import ProfileList from './profile/list.ts';
import ProfileSchema from './profile/schema.ts';
import ProfileShow from './profile/show.ts';
import ProfileValidate from './profile/validate.ts';

/** Every command, by its id: `profile:list` is typed `hft profile list`. A test compares this list with the folder. */
export const commands: Readonly<Record<string, Command.Class>> = {
  help: Help,
  'profile:explain': ProfileExplain,
  'profile:list': ProfileList,
  'profile:schema': ProfileSchema,
  'profile:show': ProfileShow,
  'profile:validate': ProfileValidate,
};
