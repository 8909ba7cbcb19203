import { Flags } from '@oclif/core';

/** On every command that can be asked of other hosts' agents. */
export const hostFlags = {
  host: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'HOST[:PORT]',
    helpGroup: 'HOSTS',
    summary: 'Ask the agent of this host instead of the machine here; again for more hosts',
    exclusive: ['inventory'],
  }),
  inventory: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'FILE',
    helpGroup: 'HOSTS',
    summary: 'Ask the hosts of an Ansible inventory (INI or YAML)',
  }),
  limit: Flags.string({
    helpValue: 'PATTERN',
    helpGroup: 'HOSTS',
    summary: 'Of the inventory only these: web*:&tokyo:!web3',
    // As dependsOn, but by itself in the line of usage.
    relationships: [{ type: 'all', flags: ['inventory'] }],
  }),
  forks: Flags.integer({
    default: 32,
    min: 1,
    max: 512,
    helpValue: 'N',
    helpGroup: 'HOSTS',
    summary: 'Ask so many hosts side by side',
  }),
};

/** Of a flag that is for this machine alone. In the line of usage oclif names each flag once: `[--snapshot PATH | [--host … | --inventory …]]`. */
export const forThisMachine = {
  exclusive: ['host'],
  relationships: [{ type: 'none' as const, flags: ['inventory'] }],
};

/** What they were given. */
export interface HostFlags {
  readonly host?: readonly string[] | undefined;
  readonly inventory?: readonly string[] | undefined;
  readonly limit?: string | undefined;
  readonly forks?: number;
}
