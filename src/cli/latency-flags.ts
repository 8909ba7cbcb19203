import { Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';
import { probes } from '../latency/index.ts';
import { CLOCK_CHOICES, type ClockChoice } from '../latency/probe/clock-choice.ts';
import { SCHEDULERS, type Scheduler } from '../latency/probe/probe.ts';
import { isAgentPeer } from './agent-peer-name.ts';

/** Of `hft verify latency`: what is measured, and where it is written. */
export const measuringFlags = {
  suite: Flags.string({
    options: ['quick', 'full'],
    default: 'quick',
    summary: 'Which measurements: the telling ones in a minute or two, or all',
  }),
  probe: Flags.string({
    multiple: true,
    options: probes.map(({ name }) => name),
    helpValue: 'NAME',
    summary: `Only this probe; may be given several times: ${probes.map(({ name }) => name).join(', ')}`,
  }),
  cpus: Flags.string({
    helpValue: 'SET',
    summary: 'Where: numbers (2-5,8) or names (isolated, node(0)); the isolated CPUs when left out',
  }),
  duration: Flags.string({
    helpValue: 'TIME',
    summary: 'How long each measurement takes, 1s to 24h; 10s when left out, 60s with --suite full',
  }),
  scheduler: Flags.string({
    options: [...SCHEDULERS],
    summary:
      'Policy of the threads of jitter and wakeup; fifo is SCHED_FIFO 1. Jitter under fifo leaves other threads of its CPUs 50 ms of each second, or nothing where realtime throttling is off',
  }),
  clock: Flags.string({
    options: [...CLOCK_CHOICES],
    summary:
      "What times are read from: kernel is CLOCK_MONOTONIC_RAW; auto, as without it, the CPU's counter where that can be trusted",
  }),
  load: Flags.string({
    options: ['none', 'housekeeping', 'network'],
    summary:
      'What else runs meanwhile, on CPUs that do not measure: housekeeping work, or UDP packets over loopback; none when left out',
  }),
  redis: Flags.string({
    helpValue: 'ADDRESS',
    summary:
      'A Redis server to measure: unix:/path or HOST:PORT; it gets one key, hft:probe:*, which expires and is deleted. Without it one is started for the run',
  }),
  memcached: Flags.string({
    helpValue: 'ADDRESS',
    summary: 'A memcached server to measure, as with --redis',
  }),
  peer: Flags.string({
    helpValue: 'HOST[:PORT]',
    summary:
      'Another host, to measure the network between: one on which `hft verify latency --serve` runs, or agent://HOST[:PORT], whose agent then answers for as long as that takes',
  }),
  'peer-cpu': Flags.integer({
    min: 0,
    helpValue: 'CPU',
    summary: 'With --peer agent://: the CPU there that answers, where it may spin; a housekeeping CPU when left out',
  }),
  xdp: Flags.string({
    helpValue: 'INTERFACE',
    summary:
      'With --peer or --serve: also past the kernel, by AF_XDP on this interface, to which a program is attached meanwhile',
  }),
  pattern: Flags.string({
    helpValue: 'FILE',
    summary: 'Arrivals for the pipeline, the time to the next in ns per line; a generated pattern when left out',
  }),
  hdr: Flags.string({
    helpValue: 'FILE',
    summary: 'Write the histograms of every second as an HDR log, for HdrHistogram tools',
  }),
  report: Flags.string({ helpValue: 'FILE.html', summary: 'Write a page with verdicts, plots, facts of the host' }),
};

interface SchedulerFlags {
  readonly scheduler?: string | undefined;
  readonly probe?: string[] | undefined;
}

/** Throws UsageError when no probe of the run would heed it. */
export function readScheduler({ scheduler, probe: named }: SchedulerFlags): Scheduler | undefined {
  const heeding = probes.filter(({ hasScheduler }) => hasScheduler).map(({ name }) => name);
  if (scheduler !== undefined && named !== undefined && !named.some((name) => heeding.includes(name)))
    throw new UsageError(`--scheduler is of ${heeding.join(' and ')}, and neither is asked for here.`, {
      next: [`Leave it out, or add \`--probe ${heeding[0]}\`.`],
    });
  return SCHEDULERS.find((each) => each === scheduler);
}

export function readClock({ clock }: { readonly clock?: string | undefined }): ClockChoice | undefined {
  return CLOCK_CHOICES.find((each) => each === clock);
}

/** Of `hft verify latency`: causes, and the settings that remove them. */
export const fixFlags = {
  causes: Flags.boolean({
    allowNo: true,
    default: true,
    summary: 'Record what takes the CPUs while jitter is measured, and name it',
  }),
  fix: Flags.boolean({
    summary: 'Try the settings that would remove what was found, keep them when it is better with them',
  }),
  yes: Flags.boolean({ char: 'y', summary: 'Try them without asking', dependsOn: ['fix'] }),
};

/** Of `hft verify latency`: what keeps a measurement and what it is compared with. */
export const savedFlags = {
  save: Flags.string({ helpValue: 'NAME', summary: 'Keep the measurement, for --baseline and compare' }),
  append: Flags.boolean({ summary: 'With --save: another run of the same state' }),
  force: Flags.boolean({ summary: 'With --save: in place of what is saved under that name' }),
  baseline: Flags.string({
    helpValue: 'NAME',
    summary: 'Show the difference from a saved measurement beside each row',
  }),
};

/** Of `hft verify latency`: the other end of a network that is measured from another host. */
export const servingFlags = {
  serve: Flags.boolean({ summary: 'Measure nothing and answer the network probe of other hosts, until Ctrl-C' }),
  listen: Flags.string({
    helpValue: 'ADDRESS[:PORT]',
    summary: 'With --serve: where, and nowhere else; 127.0.0.1:17707 when left out, which only this host reaches',
  }),
  wait: Flags.string({
    options: ['spin', 'block'],
    summary:
      'With --serve: spin for those who ask for it, or always sleep until a message comes; spin where a CPU is left',
  }),
};

export const unitFlag = Flags.string({
  options: ['ns', 'us', 'ms'],
  summary: "What an HDR log's values are; ns when left out",
});

/** Of `hft verify latency`: a log of others in place of a measurement. */
export const ingestFlags = {
  ingest: Flags.string({ helpValue: 'FILE', summary: 'Measure nothing and judge an HDR log of your own' }),
  as: Flags.string({
    multiple: true,
    helpValue: '[TAG=]ROW',
    summary: 'The row of the profile that judges the log; else the one that its tag names',
  }),
  unit: unitFlag,
};

/** Flags that are of no use without another one. */
const NEEDS: readonly (readonly [flag: string, needed: string])[] = [
  ['append', 'save'],
  ['force', 'save'],
  ['as', 'ingest'],
  ['unit', 'ingest'],
  ['listen', 'serve'],
  ['wait', 'serve'],
];
/** What --fix has no use for: it measures by turns itself. */
const KEEPING = ['save', 'baseline', 'ingest', 'report', 'redis', 'memcached', 'peer', 'peer-cpu', 'xdp', 'pattern'];
/** What --ingest has no use for: it measures nothing. */
const MEASURING = [
  'save',
  'baseline',
  'probe',
  'cpus',
  'duration',
  'scheduler',
  'clock',
  'load',
  'redis',
  'memcached',
  'peer',
  'peer-cpu',
  'xdp',
  'pattern',
  'hdr',
  'report',
];

/** What --serve has no use for: it measures nothing. */
const NOT_OF_SERVING = [
  ...MEASURING.filter((name) => name !== 'cpus' && name !== 'xdp'),
  'profile',
  'ingest',
  'fix',
  'append',
  'force',
];

/** Throws UsageError. */
export function requireOnlyServing(flags: Readonly<Record<string, unknown>>): void {
  const given = NOT_OF_SERVING.filter((name) => flags[name] !== undefined && flags[name] !== false);
  if (given.length === 0) return;
  const list = given.map((name) => `--${name}`).join(', ');
  throw new UsageError(`--serve measures nothing, so it does not go with ${list}.`, {
    next: ['Measure from the other host: `hft verify latency --peer ADDRESS`.'],
  });
}

/** Throws UsageError. */
export function requireNothingKept(flags: Readonly<Record<string, unknown>>): void {
  const given = KEEPING.filter((name) => flags[name] !== undefined).map((name) => `--${name}`);
  if (given.length > 0)
    throw new UsageError(`--fix measures by turns itself, so it does not go with ${given.join(', ')}.`);
}

/** Throws UsageError for flags that do not go together. Not oclif's own rules, which make the usage line unreadable. */
export function requireFlagsTogether(flags: Readonly<Record<string, unknown>>): void {
  const isGiven = (name: string) => flags[name] !== undefined && flags[name] !== false;
  for (const [flag, needed] of NEEDS) {
    if (isGiven(flag) && !isGiven(needed)) throw new UsageError(`--${flag} is of no use without --${needed}.`);
  }
  if (isGiven('xdp') && !isGiven('peer')) throw new UsageError('--xdp is of no use without --peer or --serve.');
  if (isGiven('peer-cpu') && !isAgentPeer(`${flags.peer}`))
    throw new UsageError('--peer-cpu is of no use without --peer agent://HOST.');
  if (isGiven('append') && isGiven('force'))
    throw new UsageError('--append adds a run, --force replaces all: give one.');
  const measuring = MEASURING.filter(isGiven).map((name) => `--${name}`);
  if (isGiven('ingest') && measuring.length > 0) {
    throw new UsageError(`--ingest measures nothing, so it does not go with ${measuring.join(', ')}.`);
  }
}
