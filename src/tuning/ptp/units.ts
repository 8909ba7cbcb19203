import { printCpulist } from '../../topology/cpulist.ts';
import { type Decided, domainOf, RUN_FOLDER, SOCKET } from './render.ts';

export const UNIT_FOLDER = '/etc/systemd/system';
export const PTP4L_FILE = '/etc/hft/ptp/ptp4l.conf';
export const TS2PHC_FILE = '/etc/hft/ptp/ts2phc.conf';

export interface PtpUnit {
  readonly name: 'hft-ptp4l.service' | 'hft-phc2sys.service' | 'hft-ts2phc.service';
  readonly text: string;
  readonly why: string;
}

/** The services of a decided `ptp:`, in the order of their start. systemd.service(5) */
export function unitsOf(decided: Decided, housekeeping: readonly number[]): readonly PtpUnit[] {
  const { wanted, stamps } = decided;
  const cpus = printCpulist(housekeeping);
  const units = [ptp4lUnit(decided, cpus)];
  if (wanted.ts2phc !== undefined) units.push(ts2phcUnit(wanted.ts2phc.source, cpus));
  if (wanted.systemClock === 'phc2sys' && stamps === 'hardware') units.push(phc2sysUnit(decided, cpus));
  return units;
}

function ptp4lUnit({ interfaces }: Decided, cpus: string): PtpUnit {
  const devices = interfaces.map(deviceUnit).join(' ');
  return {
    name: 'hft-ptp4l.service',
    why: 'Follows the grandmaster.',
    text: unit({
      description: 'PTP clock (ptp4l) as the hft profile has it',
      manual: 'ptp4l(8)',
      order: `Wants=${devices}\nAfter=network.target ${devices}`,
      service: `RuntimeDirectory=${RUN_FOLDER}\nRuntimeDirectoryPreserve=restart\nExecStart=/usr/sbin/ptp4l -f ${PTP4L_FILE} -m -q`,
      cpus,
    }),
  };
}

/** -S 0: never set later, -F: set once at the start when further off. Each sample is a line, by which its servo is known. */
function phc2sysUnit({ wanted }: Decided, cpus: string): PtpUnit {
  const { firstStep, step, kind } = wanted.servo;
  const later = step === 'never' ? '0' : String(step / 1e9);
  const options = `-a -r -n ${domainOf(wanted)} -z ${SOCKET} -E ${kind} -S ${later} -F ${firstStep / 1e9}`;
  return {
    name: 'hft-phc2sys.service',
    why: 'Brings the system clock to the PTP clock.',
    text: unit({
      description: 'System clock from the PTP clock (phc2sys) as the hft profile has it',
      manual: 'phc2sys(8)',
      order: 'Wants=hft-ptp4l.service\nAfter=hft-ptp4l.service',
      service: `ExecStart=/usr/sbin/phc2sys ${options} -m -q`,
      cpus,
    }),
  };
}

function ts2phcUnit(source: string, cpus: string): PtpUnit {
  return {
    name: 'hft-ts2phc.service',
    why: 'Brings the PTP clock of a card to its pulses.',
    text: unit({
      description: 'PTP clock from pulses (ts2phc) as the hft profile has it',
      manual: 'ts2phc(8)',
      order: 'After=network.target',
      service: `ExecStart=/usr/sbin/ts2phc -s ${source} -f ${TS2PHC_FILE} -m -q`,
      cpus,
    }),
  };
}

interface UnitParts {
  readonly description: string;
  readonly manual: string;
  readonly order: string;
  readonly service: string;
  readonly cpus: string;
}

/** CPUAffinity, not AllowedCPUs: one unit with that turns the cpuset controller on and undoes isolcpus for all others (kernel 6.1). */
function unit({ description, manual, order, service, cpus }: UnitParts): string {
  return `# Written by hft tune; removed by hft rollback.
[Unit]
Description=${description}
Documentation=man:${manual}
${order}
StartLimitIntervalSec=0

[Service]
Type=exec
${service}
CPUAffinity=${cpus}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;
}

/** `sys-subsystem-net-devices-ens1f0.device`; systemd escapes what is no letter, digit, colon, dot or underscore. systemd-escape(1) */
function deviceUnit(name: string): string {
  const escaped = name.replace(/[^A-Za-z0-9:_.]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `sys-subsystem-net-devices-${escaped}.device`;
}
