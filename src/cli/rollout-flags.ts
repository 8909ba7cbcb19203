import { Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';

/** How many hosts are tuned one after the other. */
export const rolloutFlags = {
  canary: Flags.integer({
    min: 0,
    max: 1_000,
    helpValue: 'N',
    helpGroup: 'HOSTS',
    summary: 'Tune so many hosts first, and go on when they verify (1)',
  }),
  wave: Flags.string({
    helpValue: 'N|N%',
    helpGroup: 'HOSTS',
    summary: 'Tune so many hosts at a time, or that share of them (10%)',
  }),
  'max-fail': Flags.integer({
    min: 1,
    max: 100_000,
    helpValue: 'N',
    helpGroup: 'HOSTS',
    summary: 'Begin no more hosts when so many failed (1)',
  }),
  'boot-within': Flags.string({
    helpValue: 'TIME',
    helpGroup: 'HOSTS',
    summary: 'With --reboot: how long a host has until it is back and as wanted (10m)',
  }),
  resume: Flags.string({
    helpValue: 'ROLLOUT',
    helpGroup: 'HOSTS',
    summary: 'Go on with a rollout that was stopped, killed or cut off; `last`: the newest one',
    relationships: [{ type: 'none', flags: ['profile', 'host', 'inventory', 'dry-run'] }],
  }),
};

export interface RolloutFlags {
  readonly canary?: number | undefined;
  readonly wave?: string | undefined;
  readonly 'max-fail'?: number | undefined;
  readonly 'boot-within'?: string | undefined;
  readonly resume?: string | undefined;
}

/** Throws UsageError: they mean nothing for one host. */
export function refuseWaves(flags: RolloutFlags): void {
  const given = (['canary', 'wave', 'max-fail', 'boot-within'] as const).find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  throw new UsageError(`--${given} is for many hosts, and this is one.`, {
    next: ['Name them by `--inventory FILE`, or by `--host` again and again.'],
  });
}
