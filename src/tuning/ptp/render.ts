import { PROFILES, type Transport } from './profiles.ts';
import type { PtpWanted } from './schema.ts';

export const RUN_FOLDER = 'hft-ptp';
export const SOCKET = `/run/${RUN_FOLDER}/ptp4l`;
const READ_ONLY_SOCKET = `/run/${RUN_FOLDER}/ptp4lro`;

/** What is decided of a `ptp:` on one host. */
export interface Decided {
  readonly wanted: PtpWanted;
  readonly version: readonly [number, number];
  /** Names, `trading` resolved. */
  readonly interfaces: readonly string[];
  readonly stamps: 'hardware' | 'software';
  /** Of each interface; the same number: one clock. */
  readonly clocks: readonly (number | undefined)[];
}

type Option = readonly [name: string, value: string | number];

const HEAD = '# Written by hft tune; changes here are lost. The profile is the place for them (ptp).\n';

export function domainOf({ profile, domain }: PtpWanted): number {
  return domain ?? PROFILES[profile].domain;
}

export function transportOf({ profile, transport }: PtpWanted): Transport {
  return transport ?? PROFILES[profile].transports[0];
}

/** ptp4l.conf for the linuxptp that is there: an option that it does not know ends it. ptp4l(8) */
export function renderPtp4l(decided: Decided): string {
  const { wanted, interfaces } = decided;
  const isUnicast = wanted.masters !== undefined;
  const sections = [
    [
      '[global]',
      ...[...commonOptions(decided), ...profileOptions(decided), ...versionOptions(decided)].map(printOption),
    ],
    ...(isUnicast ? [['[unicast_master_table]', ...mastersTable(wanted).map(printOption)]] : []),
    ...interfaces.map((name) => [`[${name}]`, ...(isUnicast ? [printOption(['unicast_master_table', 1])] : [])]),
  ];
  return `${HEAD}${sections.map((lines) => lines.join('\n')).join('\n')}\n`;
}

function commonOptions({ wanted, stamps, interfaces, clocks }: Decided): readonly Option[] {
  const { servo } = wanted;
  const transport = { udpv4: 'UDPv4', udpv6: 'UDPv6', l2: 'L2' }[transportOf(wanted)];
  const isSplit = interfaces.length > 1 && new Set(clocks).size > 1;
  return [
    ['domainNumber', domainOf(wanted)],
    ['time_stamping', wanted.twoStep ? stamps : 'onestep'],
    ['twoStepFlag', wanted.twoStep ? 1 : 0],
    ['network_transport', transport],
    ['delay_mechanism', wanted.delay === 'e2e' ? 'E2E' : 'P2P'],
    // 1 ms, the default of 3.1, is less than some cards take.
    ['tx_timestamp_timeout', 30],
    ['clock_servo', servo.kind],
    ['first_step_threshold', seconds(servo.firstStep)],
    ['step_threshold', servo.step === 'never' ? '0.0' : seconds(servo.step)],
    ['summary_interval', 0],
    ['uds_address', SOCKET],
    // Ports with clocks of their own: phc2sys brings the others to the one that follows.
    ...(stamps === 'hardware' && isSplit ? [['boundary_clock_jbod', 1] as const] : []),
  ];
}

/** What a PTP profile asks for beside IEEE 1588's defaults. */
function profileOptions({ wanted }: Decided): readonly Option[] {
  const telecom: readonly Option[] = [
    ['dataset_comparison', 'G.8275.x'],
    ['G.8275.defaultDS.localPriority', 128],
    ['G.8275.portDS.localPriority', 128],
    ['maxStepsRemoved', 255],
  ];
  const unicast: readonly Option[] = [
    ['unicast_req_duration', 60],
    ['inhibit_multicast_service', 1],
  ];
  if (wanted.profile === 'g8275.1') {
    const rates: readonly Option[] = [
      ['logAnnounceInterval', -3],
      ['logSyncInterval', -4],
      ['logMinDelayReqInterval', -4],
    ];
    return [...telecom, ...rates, ['ptp_dst_mac', '01:80:C2:00:00:0E']];
  }
  if (wanted.profile === 'g8275.2') {
    const isGiving = wanted.role === 'boundary';
    return [
      ...telecom,
      ...unicast,
      ['logAnnounceInterval', 0],
      ['hybrid_e2e', 1],
      ...(isGiving ? [['unicast_listen', 1] as const] : []),
    ];
  }
  if (wanted.profile === 'enterprise')
    return [
      ['hybrid_e2e', 1],
      ['logAnnounceInterval', 0],
      ['logSyncInterval', 0],
      ['logMinDelayReqInterval', 0],
    ];
  return wanted.masters === undefined ? [] : unicast;
}

function versionOptions({ wanted, version: [major, minor] }: Decided): readonly Option[] {
  const isNew = major >= 4;
  const slave: readonly Option[] = wanted.role === 'slave' ? [[isNew ? 'clientOnly' : 'slaveOnly', 1]] : [];
  const readOnly: readonly Option[] = isNew ? [['uds_ro_address', READ_ONLY_SOCKET]] : [];
  const hasMinor = major > 4 || (major === 4 && minor >= 2);
  const speaks: readonly Option[] =
    hasMinor && wanted.minorVersion !== undefined ? [['ptp_minor_version', wanted.minorVersion]] : [];
  return [...slave, ...readOnly, ...speaks];
}

function mastersTable(wanted: PtpWanted): readonly Option[] {
  const protocol = transportOf(wanted) === 'udpv6' ? 'UDPv6' : 'UDPv4';
  const masters = (wanted.masters ?? []).map((address) => [protocol, address] as const);
  return [['table_id', 1], ['logQueryInterval', 2], ...masters];
}

/** ts2phc.conf. ts2phc(8) */
export function renderTs2phc(ts2phc: NonNullable<PtpWanted['ts2phc']>): string {
  const { source, interface: name, channel, pin, polarity, serialPort } = ts2phc;
  const global: readonly Option[] =
    source === 'nmea' && serialPort !== undefined ? [['ts2phc.nmea_serialport', serialPort]] : [];
  const sink: readonly Option[] = [
    ['ts2phc.channel', channel],
    ['ts2phc.extts_polarity', polarity],
    ['ts2phc.pin_index', pin],
  ];
  return `${HEAD}${['[global]', ...global.map(printOption), `[${name}]`, ...sink.map(printOption)].join('\n')}\n`;
}

/** A PTP clock counts TAI, which chrony turns into UTC by the leap seconds of a time zone; or the system's own time. chrony.conf(5) */
export function renderChrony(clock: number, timescale: PtpWanted['timescale']): string {
  const refclock = `refclock PHC /dev/ptp${clock} refid PTP0 poll 0 dpoll -2`;
  if (timescale === 'arbitrary') return `${HEAD}${refclock} prefer\n`;
  return `${HEAD}leapsectz right/UTC\n${refclock} tai prefer\n`;
}

function printOption([name, value]: Option): string {
  return `${name} ${value}`;
}

/** linuxptp takes seconds as a decimal number. */
function seconds(ns: number): string {
  return (ns / 1e9).toFixed(9).replace(/0+$/, '').replace(/\.$/, '.0');
}
