import { UsageError } from '../../errors.ts';
import type { Inventory } from './inventory.ts';

/** How Ansible logs in to a host; what is not said is ssh's own configuration. */
export interface Login {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  readonly identityFile: string | undefined;
  /** `hft_agent_listen`: where its agent is to listen. */
  readonly listen: string | undefined;
}

/** `ansible_host`, `ansible_user`, `ansible_port`, `ansible_ssh_private_key_file`. Throws UsageError for a value that is none. */
export function loginOfHost(inventory: Inventory, name: string): Login {
  const vars = inventory.varsOf(name);
  const text = (...variables: readonly string[]) => {
    for (const variable of variables) {
      const value = vars.get(variable);
      if (value === undefined || value === null || value === '') continue;
      if (typeof value === 'string' && !/^-|\{\{|[\s\0]/.test(value)) return value;
      if (typeof value === 'number') return String(value);
      throw new UsageError(`${name}: ${variable}: expected a plain value, got ${JSON.stringify(value)}.`);
    }
    return undefined;
  };
  const port = text('ansible_port', 'ansible_ssh_port');
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    throw new UsageError(`${name}: ansible_port: expected a port, got ${JSON.stringify(port)}.`);
  return {
    host: text('ansible_host', 'ansible_ssh_host') ?? name,
    user: text('ansible_user', 'ansible_ssh_user'),
    port: port === undefined ? undefined : Number(port),
    identityFile: text('ansible_ssh_private_key_file', 'ansible_private_key_file'),
    listen: text('hft_agent_listen'),
  };
}
