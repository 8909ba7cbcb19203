import { Flags } from '@oclif/core';
import { hostFlags } from './host-flag.ts';

/** What `hft launch` takes. */
export const launchFlags = {
  profile: Flags.string({
    char: 'p',
    helpValue: 'NAME',
    summary: 'Take the CPU roles of this profile, not of the one that the deployment names',
  }),
  only: Flags.string({
    helpValue: 'NAME',
    multiple: true,
    delimiter: ',',
    summary: 'Only these processes, and those that they require',
  }),
  gate: Flags.string({
    options: ['verify', 'none'],
    default: 'verify',
    summary: 'none: start on a host that is not fit, too; this is recorded',
  }),
  wait: Flags.boolean({ summary: 'Wait until each of them runs, its threads are placed, or it stays down' }),
  restart: Flags.boolean({ summary: 'Stop and start again what runs and has changed; the rest goes on' }),
  ...hostFlags,
  supervise: Flags.boolean({ hidden: true, summary: 'Watch over what was ordered (started by hft launch)' }),
  boot: Flags.boolean({ hidden: true, summary: 'Look whether the host is fit after a boot (started by systemd)' }),
};
