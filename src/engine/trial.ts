import type { HostReader } from '../host/host.ts';
import { type KernelArgument, parseCommandLine, printArgument, sameName } from '../tunables/boot/arguments.ts';
import { TRIAL_ENTRY } from '../tunables/boot/trial-entry.ts';
import { kindOf } from '../tunables/kinds.ts';
import type { BootArgTunable } from '../tunables/tunable.ts';
import type { Setting } from '../tuning/domain.ts';
import type { Change, Plan } from './plan.ts';

/** Tells on the kernel's command line that this boot is a trial, and of which run. */
const MARK = 'hft.trial';
export const DEADLINE_UNIT = 'hft-trial-deadline.service';
const DEADLINE_S = 900;

/**
 * What a trial boot adds for itself: every way to fail ends in a reboot, and so in the default entry. A panic or oops
 * and a CPU that hangs in the kernel panic; a panic reboots; initramfs-tools (panic=) and dracut (rd.*) reboot instead of
 * opening a shell; PID 1 feeds the hardware watchdog, if there is one; and the deadline unit ends what nobody judged.
 */
const FALL_BACK_ARGUMENTS = [
  'panic=10',
  'oops=panic',
  'softlockup_panic=1',
  'nmi_watchdog=panic',
  'rd.shell=0',
  'rd.emergency=reboot',
  'systemd.watchdog_sec=60',
  `systemd.wants=${DEADLINE_UNIT}`,
];

/** Where a trial stands. fell-back: the boot loader took the trial entry, and what runs now is the default one. */
export type TrialState =
  | { readonly state: 'none' }
  | { readonly state: 'armed'; readonly run: string }
  | { readonly state: 'running'; readonly run: string; readonly isChosenAgain: boolean }
  | { readonly state: 'fell-back'; readonly run: string };

export type BootChange = Change & { setting: Setting & { tunable: BootArgTunable } };

/** The changes that wait for a reboot through kernel arguments: what a trial boots first instead of staging it. */
export function bootChanges(plan: Plan): readonly BootChange[] {
  return plan.changes.filter(isBootChange);
}

function isBootChange(change: Change): change is BootChange {
  return change.setting.tunable.kind === 'boot-arg';
}

/** `run` names the run; `armed` is what a waiting trial changes, of which other arguments are kept. */
export interface TrialOf {
  readonly run: string;
  readonly armed?: string | undefined;
}

/** The settings that stage a trial of these kernel arguments, in the order to make them. */
export function trialSettings(changes: readonly Change[], trial: TrialOf): readonly Setting[] {
  return [
    setting(
      'boot.trial-deadline',
      { kind: 'config-file', path: `/etc/systemd/system/${DEADLINE_UNIT}`, mode: 0o644 },
      DEADLINE_TEXT,
    ),
    setting('boot.trial-entry', { kind: 'boot-entry' }, trialArguments(changes.filter(isBootChange), trial)),
    setting('boot.trial-once', { kind: 'boot-once' }, TRIAL_ENTRY),
  ];
}

/** The settings that leave nothing of a trial behind, whether it passed or failed. */
export function endTrialSettings(): readonly Setting[] {
  return [...trialSettings([], { run: '' })]
    .reverse()
    .map((each) => ({ ...each, value: null, why: 'The trial boot is over.' }));
}

/** Whether a setting is a means of the trial and no wish of a profile. */
export function isTrialSetting(id: string): boolean {
  return id.startsWith('boot.trial-');
}

/** Why this machine cannot try a boot once (`boot.trial: on` is then refused); undefined when it can. */
export async function refuseTrialHere(reader: HostReader): Promise<string | undefined> {
  const reading = await kindOf({ kind: 'boot-once' }).read(reader, { kind: 'boot-once' });
  return reading.status === 'value' ? undefined : reading.evidence;
}

/** Reads where a trial stands, from the command line, the trial entry and the one-time choice. */
export async function readTrialState(reader: HostReader): Promise<TrialState> {
  const running = findMark((await reader.readText('/proc/cmdline')) ?? '');
  const once = await kindOf({ kind: 'boot-once' }).read(reader, { kind: 'boot-once' });
  const isChosen = once.status === 'value' && once.value === TRIAL_ENTRY;
  if (running !== undefined) return { state: 'running', run: running, isChosenAgain: isChosen };
  const entry = await kindOf({ kind: 'boot-entry' }).read(reader, { kind: 'boot-entry' });
  const run = entry.status === 'value' && entry.value !== null ? findMark(entry.value) : undefined;
  if (run === undefined) return { state: 'none' };
  return { state: isChosen ? 'armed' : 'fell-back', run };
}

/** Passed: everything is in effect, and only the default entry does not have the kernel arguments yet. */
export type TrialVerdict = { readonly passed: true } | { readonly passed: false; readonly failed: readonly string[] };

/** Judges a trial boot by the plan made on it, after the settings of run time were put back. Pure. */
export function judgeTrial(plan: Plan): TrialVerdict {
  const differing = plan.changes.filter((change) => !isBootChange(change) || change.current !== change.desired);
  const unread = plan.unread.map((each) => each.setting.id);
  const ineffective = plan.satisfied.filter((each) => each.pendingReboot).map((each) => each.setting.id);
  const failed = [...differing.map((change) => change.setting.id), ...unread, ...ineffective];
  return failed.length === 0 ? { passed: true } : { passed: false, failed };
}

/** Profile arguments come last: of most arguments the kernel obeys the last one. */
function trialArguments(changes: readonly BootChange[], { run, armed }: TrialOf): string {
  const words = [`${MARK}=${run}`, ...FALL_BACK_ARGUMENTS, ...keptOf(armed ?? '', changes)];
  for (const {
    desired,
    setting: { tunable },
  } of changes) {
    const given = parseCommandLine(desired ?? '').map(({ name }) => name);
    words.push(...tunable.names.filter((name) => !given.includes(name)).map((name) => `-${name}`));
    if (desired !== null) words.push(desired);
  }
  return words.join(' ');
}

/** The words of a waiting trial but for its means and for the arguments that are chosen anew. */
function keptOf(armed: string, changes: readonly BootChange[]): readonly string[] {
  const chosen = changes.flatMap(({ setting }) => setting.tunable.names.flatMap((name) => [name, `-${name}`]));
  const kept = withoutMeans(parseCommandLine(armed)).filter(({ name }) => !chosen.some((each) => sameName(each, name)));
  return kept.map(printArgument);
}

/** Without the mark and what a trial adds for itself. */
export function withoutMeans(words: readonly KernelArgument[]): readonly KernelArgument[] {
  return words.filter((word) => word.name !== MARK && !FALL_BACK_ARGUMENTS.includes(printArgument(word)));
}

function findMark(cmdline: string): string | undefined {
  return parseCommandLine(cmdline).find(({ name }) => name === MARK)?.value;
}

function setting(id: string, tunable: Setting['tunable'], value: string): Setting {
  return {
    id,
    stage: 'values',
    tunable,
    value,
    why: 'Boots the new kernel arguments once; a boot that fails leads back to the untouched default entry.',
    ifRefused: 'fail',
    disruption: 'reboot',
  };
}

const DEADLINE_TEXT = `# Written by hft for a trial boot; taken out when the trial is over.
[Unit]
Description=Reboot into the untouched boot entry unless the trial boot is judged in time
# Also when the boot ends in emergency mode.
DefaultDependencies=no
IgnoreOnIsolate=yes
ConditionKernelCommandLine=${MARK}

[Service]
Type=simple
ExecStart=/bin/sh -c 'sleep ${DEADLINE_S}; systemctl reboot --force & sleep 60; echo b > /proc/sysrq-trigger'
`;
