import { Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';
import { loginOfHost } from '../fleet/inventory/login.ts';
import type { SshDestination } from '../host/ssh/session.ts';
import { type HostFlags, hostFlags } from './host-flag.ts';
import { type ChosenHosts, chooseHosts, type NamedHost, readInventory } from './named-host.ts';

/** Of the commands that go to hosts over SSH. */
export const sshHostFlags = {
  ...hostFlags,
  host: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'HOST[:PORT]',
    helpGroup: 'HOSTS',
    summary: 'The host, as ssh takes it, and the port of its agent; again for more hosts',
    exclusive: ['inventory'],
  }),
  'ssh-config': Flags.string({
    helpValue: 'FILE',
    helpGroup: 'HOSTS',
    summary: 'An ssh_config instead of ~/.ssh/config and /etc/ssh/ssh_config',
  }),
  yes: Flags.boolean({ char: 'y', summary: 'Do it without asking' }),
  'dry-run': Flags.boolean({ summary: 'Show only what would be done' }),
};

export interface SshHostFlags extends HostFlags {
  readonly 'ssh-config'?: string | undefined;
  readonly yes: boolean;
  readonly 'dry-run': boolean;
}

/** A host that is gone to over SSH, and asked through its agent after. */
export interface SshHost extends NamedHost {
  readonly destination: SshDestination;
  /** What the inventory says of where its agent listens. */
  readonly listen: string | undefined;
}

export interface SshHosts {
  readonly chosen: ChosenHosts;
  readonly hosts: readonly SshHost[];
}

/** Throws UsageError when no host is named. */
export async function chooseSshHosts(flags: SshHostFlags): Promise<SshHosts> {
  const configFile = flags['ssh-config'];
  const chosen = await chooseHosts(flags);
  const named = chosen.is === 'many' ? chosen.hosts : [chosen.host].filter((host) => host !== undefined);
  if (named.length === 0) throw new UsageError('Which host? Give `--host NAME`, or `--inventory FILE`.');
  if (flags.inventory === undefined) {
    const hosts = named.map((host) => ({
      ...host,
      destination: { label: host.name, name: host.address.host, configFile },
      listen: undefined,
    }));
    return { chosen, hosts };
  }
  const { inventory } = await readInventory(flags.inventory, flags.limit);
  const hosts = named.map((host) => {
    const { host: name, listen, ...login } = loginOfHost(inventory, host.name);
    return { ...host, destination: { label: host.name, name, configFile, ...login }, listen };
  });
  return { chosen, hosts };
}
