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
    dependsOn: ['inventory'],
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

/** What they were given. */
export interface HostFlags {
  readonly host?: readonly string[] | undefined;
  readonly inventory?: readonly string[] | undefined;
  readonly limit?: string | undefined;
  readonly forks?: number;
}
