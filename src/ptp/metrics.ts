import { type Family, printFamilies } from '../metrics/exposition.ts';
import type { PtpReport } from './report.ts';

/** Of OpenShift's linuxptp-daemon, whose dashboards many have. */
const ROLES: Readonly<Record<string, number>> = { PASSIVE: 0, SLAVE: 1, MASTER: 2, FAULTY: 3, LISTENING: 5 };
const UNKNOWN_ROLE = 4;
/** What it says of a clock that follows nobody: an old offset would look right. */
const FAULTY_OFFSET_NS = 999_999;

/** The Prometheus text of a report, for node_exporter's textfile collector. */
export function ptpMetrics(report: PtpReport): string {
  return printFamilies(ptpFamilies(report));
}

/** Names of our own, and those of linuxptp-daemon. */
export function ptpFamilies(report: PtpReport): readonly Family[] {
  const families = [...ownFamilies(report), ...openshiftFamilies(report)];
  return families.map((family) => ({ ...family, type: 'gauge' }));
}

type Gauge = Omit<Family, 'type'>;

function ownFamilies({ clocks, results }: PtpReport): readonly Gauge[] {
  const known = clocks.flatMap(({ name, state }) => (state === null ? [] : [{ iface: name, state }]));
  const live = known.filter(({ state }) => state.sync.live);
  const inSeconds = (ns: number) => ns / 1e9;
  return [
    {
      name: 'hft_ptp_offset_seconds',
      help: 'Offset to the grandmaster by the last Sync.',
      samples: live.map(({ iface, state }) => [{ iface }, inSeconds(state.offsetNs)]),
    },
    {
      name: 'hft_ptp_path_delay_seconds',
      help: 'Mean path delay.',
      samples: known.map(({ iface, state }) => [{ iface }, inSeconds(state.pathDelayNs)]),
    },
    {
      name: 'hft_ptp_port_state',
      help: 'State of the port that follows.',
      samples: known.map(({ iface, state }) => [{ iface, state: state.port.state }, 1]),
    },
    {
      name: 'hft_ptp_last_sync_timestamp_seconds',
      help: 'When the last Sync came, UTC; 0: none.',
      samples: known.map(({ iface, state }) => [{ iface }, lastSyncS(state)]),
    },
    {
      name: 'hft_ptp_gm_info',
      help: 'The grandmaster that is followed.',
      samples: known.map(({ iface, state }) => [
        {
          iface,
          identity: state.grandmaster.identity,
          clock_class: String(state.grandmaster.clockClass),
          clock_accuracy: state.grandmaster.clockAccuracy,
        },
        1,
      ]),
    },
    {
      name: 'hft_phc2sys_offset_seconds',
      help: 'System clock less PTP clock, as hft reads them.',
      samples: known.flatMap(({ iface, state }) =>
        state.system?.offsetNs == null ? [] : [[{ iface }, inSeconds(state.system.offsetNs)] as const],
      ),
    },
    {
      name: 'hft_ptp_check',
      help: '1: the check passes; 0: it fails or is not known.',
      samples: results.map(({ id, status }) => [{ id }, status === 'pass' ? 1 : 0]),
    },
  ];
}

function openshiftFamilies({ host: node, clocks, results }: PtpReport): readonly Gauge[] {
  const known = clocks.flatMap(({ name, state }) =>
    state === null ? [] : [{ labels: { process: 'ptp4l', node, iface: name }, state }],
  );
  const isLocked = (iface: string) => !results.some(({ id, status }) => id.endsWith(`@${iface}`) && status !== 'pass');
  return [
    {
      name: 'openshift_ptp_offset_ns',
      help: 'Offset to the master.',
      samples: known.map(({ labels, state }) => [
        { from: 'master', ...labels },
        state.sync.live ? state.offsetNs : FAULTY_OFFSET_NS,
      ]),
    },
    {
      name: 'openshift_ptp_delay_ns',
      help: 'Mean path delay.',
      samples: known.map(({ labels, state }) => [{ from: 'master', ...labels }, state.pathDelayNs]),
    },
    {
      name: 'openshift_ptp_clock_state',
      help: '0 FREERUN, 1 LOCKED, 2 HOLDOVER.',
      samples: known.map(({ labels }) => [labels, isLocked(labels.iface) ? 1 : 0]),
    },
    {
      name: 'openshift_ptp_clock_class',
      help: 'clockClass of the grandmaster.',
      samples: known.map(({ labels, state }) => [
        { process: 'ptp4l', node, config: labels.iface },
        state.grandmaster.clockClass,
      ]),
    },
    {
      name: 'openshift_ptp_interface_role',
      help: '0 PASSIVE, 1 SLAVE, 2 MASTER, 3 FAULTY, 4 UNKNOWN, 5 LISTENING.',
      samples: known.map(({ labels, state }) => [labels, ROLES[state.port.state] ?? UNKNOWN_ROLE]),
    },
  ];
}

/** ingress_time is in the grandmaster's time: TAI, or its own, which is taken for UTC. */
function lastSyncS({ sync, time }: NonNullable<PtpReport['clocks'][number]['state']>): number {
  if (sync.ingressTimeNs === '0') return 0;
  return Number(BigInt(sync.ingressTimeNs) / 1_000_000n) / 1000 - (time.timescale === 'ptp' ? time.utcOffsetS : 0);
}
