import { z } from 'zod';
import { count, cpuSet, durationNs, durationS, durationUs, onOff } from '../profile/values.ts';
import { limits } from '../tuning/limits/schema.ts';
import { findKeyProblem } from './thread-key.ts';

const NAME = /^[a-z][a-z0-9-]*$/;
const name = z.string().regex(NAME, 'expected a name of lower-case letters, digits and hyphens');
const names = z.array(name);
const path = z.string().regex(/^\/[^\0\n]*$/, 'expected an absolute path');
const argument = z.string().regex(/^[^\0\n]*$/, 'expected text of one line');
const account = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_.-]*\$?$/, 'expected the name of an account');
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable');

const demand = z
  .strictObject({
    count: count({ min: 1 }).optional().describe('So many CPUs, each for one thread of this process alone'),
    cores: count({ min: 1 })
      .optional()
      .describe('So many whole cores: one CPU of each is used, its other hardware threads stay idle'),
    near: cpuSet()
      .optional()
      .describe("On the NUMA nodes of this CPU set where there is room: nic(eth1); the trading NIC's when left out"),
    from: cpuSet().default('isolated').describe('Only CPUs of this set'),
  })
  .refine(
    (wanted) => (wanted.count === undefined) !== (wanted.cores === undefined),
    'expected either count (CPUs) or cores (whole cores)',
  )
  .describe('CPUs by demand: hft chooses them');

const AMBIGUOUS = /^\s*\d+\s*$/;
const cpuText = z.string().superRefine((text, context) => {
  const problem = AMBIGUOUS.test(text) ? sayAmbiguous(text.trim()) : cpuSet().safeParse(text).error?.issues[0]?.message;
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const processCpus = z
  .union([demand, z.array(count()).min(1, 'expected a list with a CPU'), cpuText], {
    error: ({ input }) =>
      typeof input === 'number'
        ? sayAmbiguous(String(input))
        : 'expected CPUs such as 4-5 or [4], or a demand such as {count: 2}',
  })
  .describe('By demand ({count: 2, near: nic(eth1)}), by list ([4, 5]) or as a CPU set (4-5, node(1) & housekeeping)');

const policy = z.enum(['other', 'batch', 'fifo', 'rr', 'deadline']);
const PRIORITY =
  "expected a priority from 1 to 98: 99 is that of the kernel's own migration and watchdog threads, which must not wait";

const threadCpus = z.union(
  [z.literal('own'), cpuSet()],
  'expected own, a CPU such as 4, or a CPU set such as housekeeping',
);

const thread = z
  .strictObject({
    cpus: threadCpus
      .optional()
      .describe(
        'own: the next CPU of the process that no thread has; else CPUs. Left out: own where the process has any',
      ),
    count: count({ min: 1 }).default(1).describe('Threads that have this name; each gets a CPU'),
    wait: z
      .enum(['spin', 'block'])
      .optional()
      .describe('How it waits for work. Left out: spin on a CPU of its own, block elsewhere'),
    policy: policy.default('other').describe('Scheduling policy, sched(7)'),
    priority: z.number(PRIORITY).int(PRIORITY).min(1, PRIORITY).max(98, PRIORITY).optional().describe('Of fifo and rr'),
    nice: count({ min: -20, max: 19 }).optional().describe('Of other and batch'),
    runtime: durationNs().optional().describe('Of deadline: CPU time in each period'),
    deadline: durationNs().optional().describe('Of deadline: within this time of the start of the period'),
    period: durationNs().optional().describe('Of deadline: the time after which it starts again'),
    why: z.string().optional().describe('Shown by hft place'),
  })
  .describe('Where a thread runs, and how it is scheduled');

const threadOrCpus = z.union(
  [threadCpus.transform((cpus): z.output<typeof thread> => ({ cpus, count: 1, policy: 'other' })), thread],
  'expected a CPU such as 4, own, a CPU set such as housekeeping, or a map',
);

const threads = z
  .record(
    z.string().superRefine((key, context) => {
      const problem = findKeyProblem(key);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    }),
    threadOrCpus,
  )
  .describe('By name (md-rx, ZMQbg/*), by start order (#0 is the first), and "*" for all others');

const memory = z
  .strictObject({
    policy: z.enum(['default', 'bind', 'preferred', 'interleave']).optional().describe('set_mempolicy(2)'),
    nodes: z
      .union([z.literal('own'), cpuList()], 'expected own, or NUMA nodes such as 0 or 0-1')
      .default('own')
      .describe("NUMA nodes; own: those of the process's CPUs"),
    lock: onOff().default(false).describe('The process locks its memory (mlockall); hft verify processes checks it'),
    hugepages: z
      .record(z.string().regex(/^\d+[KMG]$/, 'expected a size of pages such as 2M or 1G'), count({ min: 1 }))
      .default({})
      .describe('Hugepages that the process takes, by their size; the pages have to be there'),
  })
  .describe('Where memory comes from');

const health = z
  .strictObject({
    watchdog: durationUs()
      .optional()
      .describe('The process says that it lives within this time, sd_notify(3) WATCHDOG=1'),
    command: z.array(argument).min(1, 'expected a list with a program').optional().describe('Exit code 0: healthy'),
    every: durationS().default(5).describe('Of the command'),
    within: durationS().default(1).describe('A command that takes longer has failed'),
    failures: count({ min: 1 }).default(3).describe('In a row, after which the process is restarted'),
  })
  .refine((wanted) => wanted.watchdog !== undefined || wanted.command !== undefined, 'expected watchdog or command')
  .describe('How it is known that the process works');

const restart = z
  .strictObject({
    when: z
      .enum(['never', 'on-failure', 'always'])
      .default('on-failure')
      .describe('What end is followed by a new start'),
    delay: durationUs().default(100_000).describe('Between the end and the new start'),
    breaker: z
      .strictObject({
        restarts: count({ min: 1 }).default(5).describe('More than so many …'),
        within: durationS().default(60).describe('… in this time are the last'),
      })
      .prefault({})
      .describe('A process that keeps failing stays down'),
  })
  .describe('What follows the end of the process');

const stop = z
  .strictObject({
    signal: z.enum(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']).default('SIGTERM'),
    within: durationS().default(10).describe('Then SIGKILL'),
  })
  .describe('How the process is asked to end');

const bypassMap = z.strictObject({
  library: z.enum(['onload', 'vma']).describe('Onload (its onload command starts the process), or VMA (libvma)'),
  profile: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.,-]*$/, 'expected a name such as latency, or names with commas between')
    .optional()
    .describe('Onload: its profiles (latency, latency-best); VMA: VMA_SPEC (latency)'),
  path: path.optional().describe('VMA: the library, where the dynamic linker does not know it (ldconfig -p)'),
});

const bypass = z
  .union(
    [z.enum(['onload', 'vma']).transform((library): z.output<typeof bypassMap> => ({ library })), bypassMap],
    'expected onload, vma, or a map such as {library: vma, profile: latency}',
  )
  .describe(
    'A library that is loaded before the process and takes its sockets past the kernel; what EF_* and VMA_* it needs are in environment',
  );

const processWanted = z
  .strictObject({
    why: z.string().optional().describe('Shown by hft place'),
    command: z.tuple([path], argument).describe('The program, by its absolute path, and its arguments; no shell'),
    user: account.optional().describe('Who it runs as; whoever runs hft when left out'),
    group: account.optional().describe("Left out: the user's own"),
    environment: z
      .record(variable, z.union([argument, z.number(), z.boolean()]).transform(String))
      .default({})
      .describe('Variables, beside the few that systemd sets for every service'),
    bypass: bypass.optional(),
    directory: path.optional().describe('Working directory; / when left out'),
    cpus: processCpus.optional(),
    threads: threads.default({}),
    memory: memory.prefault({}),
    limits: limits.default({}),
    oomScoreAdjust: count({ min: -1000, max: 1000 }).default(0).describe('-1000: never killed when memory runs out'),
    requires: names.default([]).describe('Processes that must run before this one starts'),
    after: names.default([]).describe('Processes that are started earlier, if they are started at all'),
    ready: z.enum(['exec', 'notify']).default('exec').describe('notify: the process says READY=1, sd_notify(3)'),
    readyWithin: durationS().default(30).describe('Until it is ready and its threads are there'),
    health: health.optional(),
    restart: restart.prefault({}),
    stop: stop.prefault({}),
  })
  .describe('One process');

export const deploymentWanted = z
  .strictObject({
    name: name.optional().describe('The name of the deployment; the file name without .yaml when it is left out'),
    description: z.string().optional().describe('One sentence: what runs here'),
    profile: z
      .string()
      .min(1)
      .optional()
      .describe('The profile that says which CPUs are for what; without one, what the running kernel isolates'),
    heal: onOff().default(false).describe('Put a thread back that was moved; else it is only reported'),
    processes: z
      .record(name, processWanted)
      .refine((processes) => Object.keys(processes).length > 0, 'expected a process')
      .describe('By name'),
  })
  .describe('A deployment of hft: which processes run on a host, and where');

export type DeploymentWanted = z.output<typeof deploymentWanted>;
export type ProcessWanted = DeploymentWanted['processes'][string];
export type ThreadWanted = ProcessWanted['threads'][string];
export type CpuDemand = z.output<typeof demand>;
export type Policy = z.output<typeof policy>;

function sayAmbiguous(number: string): string {
  return `${number} could mean one CPU or so many: expected [${number}] for CPU ${number}, or {count: ${number}}`;
}

/** Nodes have numbers only. */
function cpuList() {
  const expected = 'expected NUMA nodes such as 0 or 0-1';
  return z.union([z.string().regex(/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/, expected), count()], expected).transform(String);
}
