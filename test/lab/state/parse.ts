/** The readable state of a guest: place -> text, sorted by place. A place with several lines has them joined by newlines. */
export type State = Readonly<Record<string, string>>;

type Lines = Map<string, string[]>;

/** Parses what state/capture.sh prints. */
export function parseState(output: string): State {
  const state: Lines = new Map();
  for (const section of output.split(/^@@/m).slice(1)) {
    const end = section.indexOf('\n');
    const [kind, key = ''] = section.slice(0, end).split(' ');
    const lines = section
      .slice(end + 1)
      .split('\n')
      .slice(0, -1);
    if (kind === 'text') state.set(key, lines);
    else if (kind === 'files') addFiles(state, lines);
    else if (kind === 'units') addUnits(state, lines);
    else if (kind === 'threads') addThreads(state, lines);
    else throw new Error(`state/capture.sh printed a section @@${kind} that state/parse.ts does not know`);
  }
  const sorted = [...state].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, lines]) => [key, lines.join('\n').trimEnd()]));
}

function addLine(state: Lines, key: string, line: string): void {
  const lines = state.get(key);
  if (lines === undefined) state.set(key, [line]);
  else lines.push(line);
}

/** `path NUL line`; a line without NUL continues the value before it. */
function addFiles(state: Lines, lines: readonly string[]): void {
  let place = '';
  for (const line of lines) {
    const cut = line.indexOf('\0');
    if (cut !== -1) place = line.slice(0, cut);
    addLine(state, place, cut === -1 ? line : line.slice(cut + 1));
  }
}

/** `Name=value` lines, an empty line between units. */
function addUnits(state: Lines, lines: readonly string[]): void {
  for (const block of lines.join('\n').split('\n\n')) {
    const values = block.split('\n').sort();
    const id = values.find((line) => line.startsWith('Id='))?.slice(3);
    if (id !== undefined)
      state.set(
        `unit/${id}`,
        values.filter((line) => !line.startsWith('Id=')),
      );
  }
}

interface Thread {
  name: string;
  parent: string;
  cpus: string;
  policy: string;
  flags: number;
}

/** PF_WQ_WORKER of include/linux/sched.h: workers and rescuers of workqueues, which run where the work is. */
const workqueueWorker = 0x20;

/**
 * Kernel threads (children of process 2) except workqueue workers, which come and go, and threads of services (children
 * of process 1): where they may run, policy (sched(7): 0 other, 1 FIFO, 2 RR), real-time priority and nice value. Threads of one
 * name are one place, because their ids change with every boot.
 */
function addThreads(state: Lines, lines: readonly string[]): void {
  const byTask = new Map<string, Thread>();
  for (const line of lines) {
    const [, task, file, text] = /^\/proc\/\d+\/task\/(\d+)\/(status|stat):(.*)$/.exec(line) ?? [];
    if (task === undefined || text === undefined) continue;
    const thread = byTask.get(task) ?? { name: '', parent: '', cpus: '', policy: '', flags: 0 };
    byTask.set(task, thread);
    if (file === 'stat') Object.assign(thread, readStat(text));
    else if (text.startsWith('Name:')) thread.name = text.slice(5).trim();
    else if (text.startsWith('PPid:')) thread.parent = text.slice(5).trim();
    else thread.cpus = text.slice(text.indexOf(':') + 1).trim();
  }
  const places = new Map<string, Set<string>>();
  for (const { name, parent, cpus, policy, flags } of byTask.values()) {
    if ((parent !== '2' && parent !== '1') || (flags & workqueueWorker) !== 0) continue;
    // The thread of an interrupt moves to the interrupt's CPU when the next one comes; the affinity itself is under irq/.
    const ofIrq = /^irq\/\d+-(.*)$/.exec(name)?.[1];
    const place = ofIrq === undefined ? `thread/${name}` : `thread/irq/${ofIrq}`;
    const text = ofIrq === undefined ? `cpus ${cpus} ${policy}` : policy;
    places.set(place, (places.get(place) ?? new Set()).add(text));
  }
  for (const [place, texts] of places) state.set(place, [...texts].sort());
}

/** Fields 9 flags, 19 nice, 40 rt_priority, 41 policy of /proc/PID/stat (proc_pid_stat(5)), counted after the `)` of the name. */
function readStat(stat: string): Pick<Thread, 'policy' | 'flags'> {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const policy = `policy ${fields[38]} priority ${fields[37]} nice ${fields[16]}`;
  return { policy, flags: Number(fields[6]) };
}
