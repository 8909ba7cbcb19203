import { nameCpus } from '../layout/names.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Deployment } from './deployment.ts';
import { printPartition } from './partition.ts';
import type { PlacedProcess, Placement } from './placement.ts';
import type { ProcessWanted } from './schema.ts';
import { placeArguments } from './thread-spec.ts';
import { quoteArgument, quoteAssignment, type UnitLine, writeUnit } from './unit-text.ts';

export const UNIT_FOLDER = '/etc/systemd/system';
/** What the boot starts. The tune at boot writes it too, and then it is its own. */
export const TARGET = 'hft-trading.target';
export const TUNE = 'hft-tune.service';
/** Looks at each boot whether the host is fit. */
export const GATE = 'hft-gate.service';
/** Checks health, puts threads back, starts what waited: what systemd has no means for. */
export const KEEPER = 'hft-launch.service';

export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

export interface UnitWish {
  readonly deployment: Pick<Deployment, 'name' | 'heal' | 'processes'>;
  readonly placement: Placement;
  /** Those that are to run: the others have no unit. */
  readonly names: readonly string[];
  /** The absolute path of hft-probe, which puts threads on their CPUs. */
  readonly probe: string;
  /** The absolute path of hft. */
  readonly command: string;
  /** The folder in which `hft launch` and the gate leave a file when processes may start: `/run/hft/launch`. */
  readonly run: string;
  /** The state directory: `/var/lib/hft`. */
  readonly state: string;
  /** Where the variables of a process are, by its name. */
  readonly environmentFiles: Readonly<Record<string, string>>;
  /** CPUs for what watches. */
  readonly housekeeping: readonly number[];
  /** hft-tune.service puts a profile back at boot, and has written the target. */
  readonly isTuned: boolean;
}

export function unitName(process: string): string {
  return `hft-trading-${process}.service`;
}

/** The process of a service that hft wrote; undefined: it is another file. */
export function processOfUnit(path: string): string | undefined {
  return /\/hft-trading-([a-z][a-z0-9-]*)\.service$/.exec(path)?.[1];
}

/** The file by which processes may start in one boot. `bootId`: as random(4) has it, or `%b`, which systemd replaces. */
export function permit(bootId: string): string {
  return `allowed-${bootId.replaceAll('-', '')}`;
}

/**
 * The unit files of a placed deployment (docs/decisions/0016). Pure: the same placement gives the same texts. One service for each
 * process; the gate of the boot, and who watches; a drop-in by which the target wants them; one by which the boot wants the target.
 */
export function launchUnits(wish: UnitWish): UnitFile[] {
  const { deployment, placement, names, isTuned } = wish;
  const placed = placement.processes.filter(({ name }) => names.includes(name));
  const services = placed.flatMap((process) => {
    const wanted = deployment.processes[process.name];
    if (wanted === undefined) return [];
    return [{ path: `${UNIT_FOLDER}/${unitName(process.name)}`, text: writeService(process, wanted, wish) }];
  });
  if (services.length === 0) return [];
  const head = headOf(deployment);
  const keeps = needsKeeper(wish);
  const wanted = [...placed.map(({ name }) => unitName(name)), ...(keeps ? [KEEPER] : [])];
  const wants: UnitLine[] = [
    { comment: 'On a host that is not fit nothing starts, and the target stays down.' },
    ['Requires', GATE],
    ['After', GATE],
    ...wanted.map((name): UnitLine => ['Wants', name]),
  ];
  return [
    ...services,
    { path: `${UNIT_FOLDER}/${GATE}`, text: writeGate(wish) },
    ...(keeps ? [{ path: `${UNIT_FOLDER}/${KEEPER}`, text: writeKeeper(wish) }] : []),
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

/** Whether something is asked for that systemd does not do by itself. */
export function needsKeeper({ deployment, names }: Pick<UnitWish, 'deployment' | 'names'>): boolean {
  if (deployment.heal) return true;
  return names.some((name) => {
    const wanted = deployment.processes[name];
    return wanted?.health?.command !== undefined || (wanted?.requires.length ?? 0) > 0;
  });
}

function writeGate(wish: UnitWish): string {
  return writeUnit(headOf(wish.deployment), {
    Unit: [
      ['Description', 'Look whether this host is fit for its trading processes'],
      { comment: 'Also after a tune that failed: then it says so.' },
      ['After', `${TUNE} local-fs.target`],
    ],
    Service: [
      ['Type', 'oneshot'],
      ['RemainAfterExit', 'yes'],
      ...hftLines(wish),
      ['ExecStart', `${quoteArgument(wish.command)} launch --boot`],
      ['TimeoutStartSec', GATE_S],
    ],
  });
}

/** A second on a server; an emulated machine takes a minute. */
const GATE_S = 300;

function writeKeeper(wish: UnitWish): string {
  return writeUnit(headOf(wish.deployment), {
    Unit: [
      ['Description', 'Watch over the trading processes'],
      ['After', GATE],
      ['ConditionPathExists', permitPath(wish)],
    ],
    Service: [
      ['Type', 'exec'],
      ...hftLines(wish),
      ['ExecStart', `${quoteArgument(wish.command)} launch --supervise`],
      ['Restart', 'always'],
      ['RestartSec', 1],
    ],
  });
}

function hftLines({ state, housekeeping }: UnitWish): UnitLine[] {
  return [
    ['Environment', quoteAssignment('HFT_STATE_DIR', state)],
    ['CPUAffinity', printCpulist(housekeeping)],
  ];
}

function permitPath({ run }: UnitWish): string {
  return `${run.replaceAll('%', '%%')}/${permit('%b')}`;
}

function headOf({ name }: Pick<Deployment, 'name'>): string {
  return `Written by hft launch from the deployment ${name}; removed by hft stop.`;
}

function writeService(placed: PlacedProcess, wanted: ProcessWanted, wish: UnitWish): string {
  return writeUnit(headOf(wish.deployment), {
    Unit: describeUnit(placed, wanted, wish),
    Service: [
      ...startLines(placed, wanted, wish),
      ...accountLines(wanted, wish.environmentFiles[placed.name]),
      ...placeLines(placed),
      ...limitLines(placed, wanted),
      ...endLines(placed, wanted, wish),
    ],
  });
}

function describeUnit(
  { name }: PlacedProcess,
  { requires, after, restart }: ProcessWanted,
  wish: UnitWish,
): UnitLine[] {
  const others = [...new Set([...requires, ...after])].map(unitName);
  return [
    ['Description', `${name} of ${wish.deployment.name}`],
    ['After', [TUNE, GATE, 'network-online.target', ...others].join(' ')],
    {
      comment:
        'Of this boot (%b) alone: left there by hft launch, and after a reboot by the gate, on a host that is fit.',
    },
    ['ConditionPathExists', permitPath(wish)],
    // Requires= would restart this process whenever one of those is restarted after a crash.
    ['Wants', requires.map(unitName).join(' ')],
    ['StartLimitIntervalSec', restart.breaker.within],
    // The first start counts too.
    ['StartLimitBurst', restart.breaker.restarts + 1],
  ];
}

function startLines(placed: PlacedProcess, wanted: ProcessWanted, { probe }: UnitWish): UnitLine[] {
  const { command, ready, readyWithin, health, requires } = wanted;
  const specs = placeArguments(placed).map(quoteArgument).join(' ');
  const place = `+${quoteArgument(probe)} place-threads --pid $MAINPID --within-ms ${Math.round(readyWithin * 1000)} ${specs}`;
  return [
    ['Type', ready],
    ['NotifyAccess', ready === 'notify' || health?.watchdog !== undefined ? 'main' : undefined],
    ...requires.map((name): UnitLine => ['ExecCondition', awaitUnit(unitName(name))]),
    ...partitionLines(placed, probe),
    ['ExecStart', [...(placed.bypass?.prefix ?? []), ...command].map(quoteArgument).join(' ')],
    // exec and notify end with the program running: a start that fails is seen as one.
    { comment: 'Each thread to its CPU and policy, after every start; it fails when one does not come in time.' },
    ['ExecStartPost', place],
    ['TimeoutStartSec', readyWithin + GRACE_S],
    ['WatchdogSec', health?.watchdog === undefined ? undefined : `${health.watchdog}us`],
  ];
}

/** Nothing starts where its partition is not in effect: its threads would share their CPUs with everybody. */
function partitionLines({ partition }: PlacedProcess, probe: string): UnitLine[] {
  if (partition === undefined) return [];
  return [
    {
      comment:
        'Its threads leave the cgroup of this service for the partition and the root cgroup: no limit of it holds for them.',
    },
    ['ExecStartPre', `+${quoteArgument(probe)} check-partition ${quoteArgument(printPartition(partition))}`],
  ];
}

/** place-threads gives up by itself, and says which thread is missing. */
const GRACE_S = 5;

/** Waits while the other one is started again, which neither Requisite= nor is-active alone does; at most TimeoutStartSec=. */
function awaitUnit(unit: string): string {
  const script = `while :; do case "$$(systemctl is-active ${unit})" in active) exit 0 ;; activating|reloading) sleep 1 ;; *) echo "${unit} does not run" >&2; exit 1 ;; esac; done`;
  return `+/bin/sh -c '${script}'`;
}

function accountLines({ user, group, directory }: ProcessWanted, environmentFile: string | undefined): UnitLine[] {
  return [
    ['User', user],
    ['Group', group],
    ['WorkingDirectory', directory?.replaceAll('%', '%%')],
    // Not Environment=, which everybody can ask systemd for.
    ['EnvironmentFile', environmentFile?.replaceAll('%', '%%')],
  ];
}

function placeLines({ rest, threads, memory }: PlacedProcess): UnitLine[] {
  const others = threads.find(({ key }) => key.kind === 'rest')?.scheduling;
  return [
    { comment: 'A slice named hft-… would be inside hft.slice, which is a cpuset partition on some hosts.' },
    ['Slice', 'system.slice'],
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

function endLines({ partition }: PlacedProcess, { restart, stop }: ProcessWanted, { probe }: UnitWish): UnitLine[] {
  // In its cgroup systemd finds nothing of it.
  const left = partition === undefined ? undefined : `+${quoteArgument(probe)} end-invocation`;
  return [
    ['ExecStopPost', left],
    ['Restart', restart.when === 'never' ? 'no' : restart.when],
    ['RestartSec', `${restart.delay}us`],
    { comment: 'The signal goes to the main process; what it left behind is killed with it.' },
    ['KillMode', 'mixed'],
    ['KillSignal', stop.signal],
    ['TimeoutStopSec', stop.within],
  ];
}
