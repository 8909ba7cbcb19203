import type { Value } from './python-literal.ts';

export interface Group {
  readonly name: string;
  /** Those that are named in it, in the order of the file; not those of its children. */
  readonly hosts: Set<string>;
  readonly children: string[];
  readonly parents: string[];
  readonly vars: Map<string, Value>;
  /** Of two groups as deep as each other, the variables of the one with the higher number win. */
  priority: number;
}

export interface Host {
  readonly name: string;
  readonly vars: Map<string, Value>;
}

/** Two groups in each other. */
export class GroupCycle extends Error {}

const ALL = 'all';
const UNGROUPED = 'ungrouped';

/** Hosts in groups in groups, with the meaning that Ansible gives them. Files are read into it one after the other, and then it is settled. */
export class Inventory {
  readonly groups = new Map<string, Group>();
  readonly hosts = new Map<string, Host>();
  /** Of groups, once it is settled. */
  readonly #depths = new Map<string, number>();

  constructor() {
    this.addGroup(ALL);
    this.addGroup(UNGROUPED);
    this.addChild(ALL, UNGROUPED);
  }

  addGroup(name: string): void {
    if (this.groups.has(name)) return;
    this.groups.set(name, { name, hosts: new Set(), children: [], parents: [], vars: new Map(), priority: 1 });
  }

  /** Of a host that is there already the port stays as it is. */
  addHost(name: string, group: string, port: number | undefined): void {
    if (!this.hosts.has(name)) {
      this.hosts.set(name, { name, vars: new Map() });
      if (port !== undefined) this.setVariable(name, 'ansible_port', port);
    }
    this.#group(group).hosts.add(name);
  }

  /** Throws GroupCycle. */
  addChild(parent: string, child: string): void {
    if (parent === child || this.ancestorsOf(parent).has(child))
      throw new GroupCycle(
        parent === child
          ? `${child} is a child of itself`
          : `${child} is below ${parent}, and ${parent} below ${child}`,
      );
    const group = this.#group(parent);
    if (group.children.includes(child)) return;
    group.children.push(child);
    this.#group(child).parents.push(parent);
  }

  /** Of a group, and of a host unless a group has its name. */
  setVariable(owner: string, name: string, value: Value): void {
    const group = this.groups.get(owner);
    if (group !== undefined && name === PRIORITY) group.priority = Number(value);
    else (group ?? (this.hosts.get(owner) as Host)).vars.set(name, value);
  }

  /** What holds of every inventory once all of it is read: every group is below `all`, every host in a group. */
  settle(): void {
    for (const { name, parents } of this.groups.values())
      if (name !== ALL && parents.length === 0) this.addChild(ALL, name);
    const ungrouped = this.#group(UNGROUPED);
    for (const name of this.hosts.keys()) {
      const isGrouped = this.#ownGroups(name).some((group) => group !== ALL && group !== UNGROUPED);
      if (isGrouped) ungrouped.hosts.delete(name);
      else ungrouped.hosts.add(name);
    }
    this.#depths.clear();
  }

  /** With those of its children, each once: its own, then level by level. */
  hostsOf(name: string): readonly string[] {
    const found = new Set<string>();
    for (const group of this.#descendantsOf(name)) for (const host of this.#group(group).hosts) found.add(host);
    return [...found];
  }

  ancestorsOf(name: string): ReadonlySet<string> {
    const found = new Set<string>();
    const add = (group: string) => {
      for (const parent of this.#group(group).parents) {
        if (found.has(parent)) continue;
        found.add(parent);
        add(parent);
      }
    };
    add(name);
    return found;
  }

  /** The groups of a host with those around them, but for `all`, by name. */
  groupsOf(host: string): readonly string[] {
    const own = this.#ownGroups(host);
    return [...new Set(own.flatMap((name) => [name, ...this.ancestorsOf(name)]))].filter((name) => name !== ALL).sort();
  }

  /** The variables of a host: of `all`, of its groups from the outermost to the innermost, its own. The later ones win. */
  varsOf(name: string): ReadonlyMap<string, Value> {
    const groups = [ALL, ...this.groupsOf(name)].map((group) => this.#group(group));
    const depth = (group: Group) => this.#depthOf(group.name);
    groups.sort(
      (left, right) =>
        depth(left) - depth(right) || left.priority - right.priority || (left.name < right.name ? -1 : 1),
    );
    const maps = [...groups.map(({ vars }) => vars), (this.hosts.get(name) as Host).vars];
    return new Map(maps.flatMap((vars) => [...vars]));
  }

  #ownGroups(host: string): readonly string[] {
    return [...this.groups.values()].filter(({ hosts }) => hosts.has(host)).map(({ name }) => name);
  }

  #group(name: string): Group {
    return this.groups.get(name) as Group;
  }

  #descendantsOf(name: string): readonly string[] {
    const found = [name];
    const seen = new Set(found);
    for (const group of found) {
      for (const child of this.#group(group).children) {
        if (seen.has(child)) continue;
        seen.add(child);
        found.push(child);
      }
    }
    return found;
  }

  /** The longest way from `all`. */
  #depthOf(name: string): number {
    const known = this.#depths.get(name);
    if (known !== undefined) return known;
    const { parents } = this.#group(name);
    const depth = parents.length === 0 ? 0 : 1 + Math.max(...parents.map((parent) => this.#depthOf(parent)));
    this.#depths.set(name, depth);
    return depth;
  }
}

const PRIORITY = 'ansible_group_priority';
