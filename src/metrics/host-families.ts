import type { Status } from '../engine/status.ts';
import type { TrialState } from '../engine/trial.ts';
import type { VerifyResult, VerifyStatus } from '../engine/verify.ts';
import { counter, type Family, gauge, type Sample, whenKnown } from './exposition.ts';

/** Series of single settings: what is more is in the counts. */
export const NAMED_SETTINGS_MAX = 100;

const ANSWERS: readonly VerifyStatus[] = ['pass', 'fail', 'pending-reboot', 'unsupported', 'unknown'];
const TRIAL_STATES: readonly TrialState['state'][] = ['none', 'armed', 'running', 'fell-back'];

/** What is in force, by the journal. */
export interface StatusReading extends Omit<Status, 'drift'> {
  readonly trial: TrialState;
  /** Why nothing may start; undefined: nothing was launched, or it may. */
  readonly launched: { readonly refused: string | undefined } | undefined;
}

/** Settings that are not as hft left them: whoever finds them out, they are told in the same words. */
export interface Drifted {
  readonly settings: readonly { readonly id: string }[];
}

export function driftFamilies({ settings }: Drifted): readonly Family[] {
  return [
    gauge('hft_drifted_settings', 'Settings that are not as hft left them.', [[{}, settings.length]]),
    gauge(
      'hft_drifted_setting',
      `1: this setting is not as hft left it. At most ${NAMED_SETTINGS_MAX}.`,
      settings.slice(0, NAMED_SETTINGS_MAX).map(({ id }) => [{ id }, 1]),
    ),
  ];
}

export function statusFamilies(status: StatusReading): readonly Family[] {
  const { profile, run, since, waiting, launched, trial } = status;
  return [
    gauge('hft_profile_info', '1: the profile in force, and the run that put it in force.', [
      [{ profile: profile ?? '', run: run ?? '' }, profile === undefined ? 0 : 1],
    ]),
    gauge(
      'hft_profile_applied_timestamp_seconds',
      'When the profile in force was put in force.',
      whenKnown(since === undefined ? undefined : Date.parse(since) / 1000),
    ),
    gauge('hft_changed_settings', 'Settings that hft changed and that are in force.', [[{}, status.changes.length]]),
    gauge('hft_pending_reboot_settings', 'Settings that take effect at the next boot.', [
      [{}, status.pendingReboot.length],
    ]),
    gauge(
      'hft_trial_boot_state',
      'Where a trial boot stands: 1 for the state that it is in.',
      TRIAL_STATES.map((state) => [{ state }, state === trial.state ? 1 : 0]),
    ),
    gauge(
      'hft_confirmation_deadline_timestamp_seconds',
      'When a run that waits for `hft confirm` is taken back.',
      whenKnown(waiting === undefined ? undefined : Date.parse(waiting.until) / 1000),
    ),
    gauge('hft_cut_off_runs', 'Runs that have no end in the journal: cut off, or at work now.', [
      [{}, status.cutOff.length],
    ]),
    gauge('hft_not_undone_settings', 'Settings of which an undo failed, and that are still as the run left them.', [
      [{}, status.notUndone.length],
    ]),
    gauge(
      'hft_launch_refused',
      '1: the gate of this boot let nothing start; 0: it did.',
      whenKnown(launched === undefined ? undefined : Number(launched.refused !== undefined)),
    ),
  ];
}

/** What was verified of the profile in force. */
export interface SettingsReading {
  /** Without those that were not read. */
  readonly results: readonly Pick<VerifyResult, 'id' | 'domain' | 'status'>[];
  /** Whose reading would interrupt the CPU that they are of. */
  readonly notRead: number;
}

export function settingsFamilies({ results, notRead }: SettingsReading): readonly Family[] {
  const domains = [...new Set(results.map(({ domain }) => domain))].sort();
  const countOf = (domain: string, status: VerifyStatus) =>
    results.filter((each) => each.domain === domain && each.status === status).length;
  const differing = results.filter(({ status }) => status === 'fail').slice(0, NAMED_SETTINGS_MAX);
  return [
    gauge(
      'hft_settings',
      'Settings of the profile in force by the answer of `hft verify settings`.',
      domains.flatMap((domain) =>
        ANSWERS.map((status): Sample => [{ domain, status: status.replace('-', '_') }, countOf(domain, status)]),
      ),
    ),
    gauge(
      'hft_setting_differs',
      `1: this setting is not as the profile wants it. At most ${NAMED_SETTINGS_MAX}.`,
      differing.map(({ id, domain }) => [{ id, domain }, 1]),
    ),
    gauge('hft_settings_not_read', 'Settings that are not read here, since that interrupts the CPU that they are of.', [
      [{}, notRead],
    ]),
  ];
}

/** Interrupts of one isolated CPU since boot. */
export interface IsolatedCpu {
  readonly cpu: number;
  readonly timer: number;
  readonly devices: number;
  readonly others: number;
  /** The kernel stops the tick there while one thread runs. */
  readonly tickless: boolean;
}

export function isolatedFamilies(cpus: readonly IsolatedCpu[]): readonly Family[] {
  return [
    gauge('hft_isolated_cpus', 'CPUs that the running kernel isolates.', [[{}, cpus.length]]),
    counter(
      'hft_isolated_cpu_interrupts_total',
      'Interrupts of an isolated CPU since boot: timer, device, or other (reschedules, calls, TLB shootdowns).',
      cpus.flatMap(({ cpu, timer, devices, others }): Sample[] => [
        [{ cpu: String(cpu), kind: 'timer' }, timer],
        [{ cpu: String(cpu), kind: 'device' }, devices],
        [{ cpu: String(cpu), kind: 'other' }, others],
      ]),
    ),
    gauge(
      'hft_isolated_cpu_tickless',
      '1: the kernel stops the tick of this CPU while one thread runs (nohz_full).',
      cpus.map(({ cpu, tickless }) => [{ cpu: String(cpu) }, Number(tickless)]),
    ),
  ];
}
