import { spawnSync } from 'node:child_process';
import type { Inventory } from '../../../src/fleet/inventory/inventory.ts';

const ENVIRONMENT = { PATH: process.env.PATH, HOME: '/nonexistent', LANG: 'C.UTF-8', ANSIBLE_NOCOLOR: '1' };

/** Whether Ansible is installed here (Debian: ansible-core). */
export const hasAnsible = spawnSync('ansible-inventory', ['--version'], { env: ENVIRONMENT }).status === 0;

interface Listed {
  readonly hosts?: readonly string[];
  readonly children?: readonly string[];
}

export interface AnsibleInventory {
  readonly groups: Readonly<Record<string, Listed>>;
  readonly hostvars: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What `ansible-inventory --list` says of a file; undefined when it does not take it. */
export function listByAnsible(file: string): AnsibleInventory | undefined {
  const env = { ...ENVIRONMENT, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: '1' };
  const { status, stdout } = spawnSync('ansible-inventory', ['-i', file, '--list'], { env, encoding: 'utf8' });
  if (status !== 0) return undefined;
  const { _meta, ...groups } = JSON.parse(stdout);
  return { groups, hostvars: _meta.hostvars };
}

const LIMITED = `
import sys, json, warnings
from ansible.parsing.dataloader import DataLoader
from ansible.inventory.manager import InventoryManager
manager = InventoryManager(loader=DataLoader(), sources=[sys.argv[1]])
answers = []
for pattern in json.load(sys.stdin):
    try:
        manager.clear_caches()
        manager.subset(pattern)
        answers.append([host.name for host in manager.get_hosts('all')])
    except Exception:
        answers.append(None)
json.dump(answers, sys.stdout)
`;

/** The hosts that each limit leaves, by the very code that \`ansible --limit\` calls; null: it does not take it. */
export function limitByAnsible(file: string, limits: readonly string[]): readonly (readonly string[] | null)[] {
  const { stdout } = spawnSync('/usr/bin/python3', ['-c', LIMITED, file], {
    env: ENVIRONMENT,
    input: JSON.stringify(limits),
    encoding: 'utf8',
  });
  return JSON.parse(stdout);
}

/** Ours in the form of `ansible-inventory --list`. */
export function listOurs(inventory: Inventory): AnsibleInventory {
  const groups: Record<string, Listed> = {};
  for (const { name, hosts, children } of inventory.groups.values()) {
    const listed = {
      ...(name !== 'all' && hosts.size > 0 && { hosts: [...hosts] }),
      ...(children.length > 0 && { children: [...children] }),
    };
    if (Object.keys(listed).length > 0) groups[name] = listed;
  }
  const hostvars: Record<string, Record<string, unknown>> = {};
  for (const name of inventory.hosts.keys()) {
    const vars = Object.fromEntries(inventory.varsOf(name));
    if (Object.keys(vars).length > 0) hostvars[name] = vars;
  }
  return { groups, hostvars };
}
