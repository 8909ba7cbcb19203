import { nameCpus } from '../layout/names.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Deployment } from './deployment.ts';
import type { PlacedProcess, Placement } from './placement.ts';
import type { ProcessWanted } from './schema.ts';
import { printThreadSpecs } from './thread-spec.ts';
import { quoteArgument, quoteAssignment, type UnitLine, writeUnit } from './unit-text.ts';

export const UNIT_FOLDER = '/etc/systemd/system';
const TARGET = 'hft-trading.target';
const TUNE = 'hft-tune.service';

export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

export interface UnitWish {
  readonly deployment: Deployment;
  readonly placement: Placement;
  /** The absolute path of hft-probe, which puts threads on their CPUs. */
  readonly probe: string;
  /** hft-tune.service puts a profile back at boot: nothing starts unless it has. */
  readonly isTuned: boolean;
}

export function unitName(process: string): string {
  return `hft-trading-${process}.service`;
}

/**
 * The unit files of a placed deployment (docs/decisions/0016). Pure: the same placement gives the same texts. One service for each
 * process; a drop-in by which the target wants them; a drop-in by which the boot wants the target.
 */
export function launchUnits(wish: UnitWish): UnitFile[] {
  const { deployment, placement, isTuned } = wish;
  const services = placement.processes.flatMap((placed) => {
    const wanted = deployment.processes[placed.name];
    if (wanted === undefined) return [];
    return [{ path: `${UNIT_FOLDER}/${unitName(placed.name)}`, text: writeService(placed, wanted, wish) }];
  });
  const head = headOf(deployment);
  const wants = placement.processes.map(({ name }): UnitLine => ['Wants', unitName(name)]);
  return [
    ...services,
    ...(isTuned ? [] : [{ path: `${UNIT_FOLDER}/${TARGET}`, text: writeUnit(head, { Unit: UNTUNED_TARGET }) }]),
    { path: `${UNIT_FOLDER}/${TARGET}.d/50-hft-${deployment.name}.conf`, text: writeUnit(head, { Unit: wants }) },
    {
      path: `${UNIT_FOLDER}/multi-user.target.d/50-${TARGET}.conf`,
      text: writeUnit(head, { Unit: [['Wants', TARGET]] }),
    },
  ];
}

const UNTUNED_TARGET: readonly UnitLine[] = [
  ['Description', 'Trading processes'],
  { comment: 'No profile is put back at boot here (hft tune --persist): nothing to wait for.' },
  ['After', 'network-online.target'],
];

function headOf({ name }: Deployment): string {
  return `Written by hft launch from the deployment ${name}; removed by hft stop.`;
}

function writeService(placed: PlacedProcess, wanted: ProcessWanted, wish: UnitWish): string {
  return writeUnit(headOf(wish.deployment), {
    Unit: describeUnit(placed, wanted, wish),
    Service: [
      ...startLines(placed, wanted, wish),
      ...accountLines(wanted),
      ...placeLines(placed),
      ...limitLines(placed, wanted),
      ...endLines(wanted),
    ],
  });
}

function describeUnit(
  { name }: PlacedProcess,
  { requires, after, restart }: ProcessWanted,
  wish: UnitWish,
): UnitLine[] {
  const others = [...new Set([...requires, ...after])].map(unitName);
  const tune = wish.isTuned ? [TUNE] : [];
  return [
    ['Description', `${name} of ${wish.deployment.name}`],
    ['After', [...tune, 'network-online.target', ...others].join(' ')],
    // Requires= would restart this process whenever one of those is restarted after a crash.
    ['Wants', requires.map(unitName).join(' ')],
    ['StartLimitIntervalSec', restart.breaker.within],
    // The first start counts too.
    ['StartLimitBurst', restart.breaker.restarts + 1],
  ];
}

function startLines(placed: PlacedProcess, wanted: ProcessWanted, { probe, isTuned }: UnitWish): UnitLine[] {
  const { command, ready, readyWithin, health, requires } = wanted;
  const gate = [...(isTuned ? [TUNE] : []), ...requires.map(unitName)];
  const specs = printThreadSpecs(placed.threads).map(quoteArgument).join(' ');
  const place = `+${probe} place-threads --pid $MAINPID --within-ms ${Math.round(readyWithin * 1000)} ${specs}`;
  return [
    ['Type', ready],
    ['NotifyAccess', ready === 'notify' || health?.watchdog !== undefined ? 'main' : undefined],
    ...gate.map((unit): UnitLine => ['ExecCondition', sayRuns(unit)]),
    ['ExecStart', command.map(quoteArgument).join(' ')],
    // exec and notify end with the program running: a start that fails is seen as one.
    { comment: 'Each thread to its CPU and policy, after every start; it fails when one does not come in time.' },
    ['ExecStartPost', place],
    ['TimeoutStartSec', readyWithin + GRACE_S],
    ['WatchdogSec', health?.watchdog === undefined ? undefined : `${health.watchdog}us`],
  ];
}

/** place-threads gives up by itself, and says which thread is missing. */
const GRACE_S = 5;

/** True also while the other one is started again: neither Requisite= nor is-active alone is. */
function sayRuns(unit: string): string {
  return `+/bin/sh -c 'case "$$(systemctl is-active ${unit})" in active|activating|reloading) ;; *) echo "${unit} does not run" >&2; exit 1 ;; esac'`;
}

function accountLines({ user, group, directory, environment }: ProcessWanted): UnitLine[] {
  const variables = Object.entries(environment).map(
    ([name, value]): UnitLine => ['Environment', quoteAssignment(name, value)],
  );
  return [['User', user], ['Group', group], ['WorkingDirectory', directory?.replaceAll('%', '%%')], ...variables];
}

function placeLines({ rest, threads, memory }: PlacedProcess): UnitLine[] {
  const others = threads.find(({ key }) => key.kind === 'rest')?.scheduling;
  return [
    ['Slice', 'hft-trading.slice'],
    {
      comment: `It starts on ${nameCpus(rest)}. Not AllowedCPUs=: one unit with it puts every process of the host back on isolated CPUs (Linux 6.1).`,
    },
    ['CPUAffinity', printCpulist(rest)],
    ...(others?.policy === 'batch' ? ([['CPUSchedulingPolicy', 'batch']] as const) : []),
    ['Nice', others?.nice],
    ['NUMAPolicy', memory.policy === 'default' ? undefined : memory.policy],
    ['NUMAMask', memory.policy === 'default' ? undefined : printCpulist(memory.nodes)],
  ];
}

function limitLines({ memory }: PlacedProcess, { limits, oomScoreAdjust }: ProcessWanted): UnitLine[] {
  const memlock = limits.memlock ?? (memory.lock ? 'unlimited' : undefined);
  return [
    ['LimitRTPRIO', limits.rtprio],
    ['LimitMEMLOCK', memlock === 'unlimited' ? 'infinity' : memlock],
    ['LimitNOFILE', limits.nofile],
    ['LimitNICE', limits.nice === undefined ? undefined : `${limits.nice < 0 ? '' : '+'}${limits.nice}`],
    ['OOMScoreAdjust', oomScoreAdjust === 0 ? undefined : oomScoreAdjust],
  ];
}

function endLines({ restart, stop }: ProcessWanted): UnitLine[] {
  return [
    ['Restart', restart.when === 'never' ? 'no' : restart.when],
    ['RestartSec', `${restart.delay}us`],
    { comment: 'The signal goes to the main process; what it left behind is killed with it.' },
    ['KillMode', 'mixed'],
    ['KillSignal', stop.signal],
    ['TimeoutStopSec', stop.within],
  ];
}
