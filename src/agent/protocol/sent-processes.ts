import { z } from 'zod';

/** What an agent says of launched processes, as far as hft shows it. */
const text = z.string();
const number = z.number();
const cpus = z.array(z.number().int().nonnegative()).max(65_536);
const phase = z.enum(['down', 'waiting', 'starting', 'placing', 'running', 'stopping', 'backoff', 'ended', 'broken']);
const gate = z.enum(['verify', 'none']);

const record = z.object({
  name: text,
  phase,
  why: text.optional(),
  pid: number.optional(),
  restarts: number,
  lastEnd: text.optional(),
});

const thread = z.object({
  tid: number,
  name: text,
  rule: text,
  wanted: cpus,
  allowed: cpus.optional(),
  cpu: number,
  policy: text,
  priority: number,
  nice: number,
  switchesPerS: number,
  involuntaryPerS: number,
  migrationsPerS: number.optional(),
  faultsPerS: number,
  interruptsPerS: number,
});

export const sentLaunch = z.object({
  deployment: text,
  gate,
  processes: z.array(text),
  records: z.array(record),
  waited: z.boolean(),
});

export const sentRecords = z.array(record);

export const sentListing = z.object({
  host: text,
  deployment: text.optional(),
  gate: gate.optional(),
  supervisor: z.enum(['systemd', 'there', 'taken-over', 'missing', 'not needed']),
  partition: z.object({ state: text, cpus }).optional(),
  rows: z.array(
    z.object({
      record,
      isAdopted: z.boolean(),
      lockedBytes: number.optional(),
      swapBytes: number.optional(),
      residentBytes: number.optional(),
      /** Node and bytes. */
      nodes: z.array(z.tuple([number, number])).optional(),
      threads: z.array(thread),
    }),
  ),
});
