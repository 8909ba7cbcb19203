import { Flags } from '@oclif/core';
import { confirmWithinFlag } from './duration.ts';
import { hostFlags } from './host-flag.ts';
import { rolloutFlags } from './rollout-flags.ts';
import { scopeFlags } from './scope-flags.ts';

/** What `hft tune` takes. */
export const tuneFlags = {
  profile: Flags.string({
    char: 'p',
    helpValue: 'NAME',
    summary: 'A shipped profile, or a YAML file',
    relationships: [{ type: 'none', flags: ['boot'] }],
  }),
  yes: Flags.boolean({ char: 'y', summary: 'Apply without asking' }),
  'dry-run': Flags.boolean({ summary: 'Show the plan only' }),
  ...scopeFlags,
  ...hostFlags,
  ...rolloutFlags,
  'confirm-within': confirmWithinFlag,
  reboot: Flags.boolean({ summary: 'Reboot at the end when a kernel argument needs it' }),
  persist: Flags.boolean({ default: true, allowNo: true, summary: 'Put the profile back after every boot' }),
  boot: Flags.boolean({
    hidden: true,
    summary: 'Put the profile in force back (started at boot)',
    exclusive: ['host', 'inventory'],
  }),
};
