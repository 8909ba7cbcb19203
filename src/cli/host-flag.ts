import { Flags } from '@oclif/core';

/** On every command that can be asked of another host's agent. */
export const hostFlag = Flags.string({
  helpValue: 'HOST[:PORT]',
  summary: 'Ask the agent of this host instead of the machine here',
});
