interface Waiting {
  readonly requires: readonly string[];
  readonly after: readonly string[];
}

/** The processes so that each comes after those it waits for, else in the order of the file. Of a circle some come too early. */
export function startOrder(processes: Readonly<Record<string, Waiting>>): string[] {
  const ordered: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name) || processes[name] === undefined) return;
    seen.add(name);
    for (const other of waitsFor(processes[name])) visit(other);
    ordered.push(name);
  };
  for (const name of Object.keys(processes)) visit(name);
  return ordered;
}

/** Processes that wait for each other, in a row; empty when there are none. */
export function findCircle(processes: Readonly<Record<string, Waiting>>): readonly string[] {
  const done = new Set<string>();
  const walk = (name: string, chain: readonly string[]): readonly string[] => {
    const first = chain.indexOf(name);
    if (first >= 0) return chain.slice(first);
    if (done.has(name)) return [];
    for (const other of waitsFor(processes[name])) {
      const circle = walk(other, [...chain, name]);
      if (circle.length > 0) return circle;
    }
    done.add(name);
    return [];
  };
  for (const name of Object.keys(processes)) {
    const circle = walk(name, []);
    // A process that waits for itself has a message of its own.
    if (circle.length > 1) return circle;
  }
  return [];
}

function waitsFor(process: Waiting | undefined): readonly string[] {
  return process === undefined ? [] : [...new Set([...process.requires, ...process.after])];
}
