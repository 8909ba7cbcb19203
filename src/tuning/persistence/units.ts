/** The unit files that bring the profile back. systemd.unit(5), systemd.service(5), udev(7). */
export const UNIT_FOLDER = '/etc/systemd/system';
export const UDEV_RULE = '/etc/udev/rules.d/90-hft.rules';

export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

/** What is installed for an hft at `command` (an absolute path). */
export function unitFiles(command: string): readonly UnitFile[] {
  return [
    { path: `${UNIT_FOLDER}/hft-tune.service`, text: tuneUnit(command) },
    { path: `${UNIT_FOLDER}/hft-retune.service`, text: retuneUnit(command) },
    { path: `${UNIT_FOLDER}/hft-trading.target`, text: TRADING_TARGET },
    { path: UDEV_RULE, text: RULES },
  ];
}

function tuneUnit(command: string): string {
  return `# Written by hft tune; removed by hft rollback.
[Unit]
Description=Put the hft profile in force back and verify it
Documentation=man:hft(1)
# After everything that sets the same values by itself.
After=local-fs.target systemd-modules-load.service systemd-sysctl.service network.target irqbalance.service tuned.service
Before=hft-trading.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${command} tune --boot
# Seconds on a server; an emulated machine takes minutes. Less than the deadline of a trial boot.
TimeoutStartSec=800

[Install]
WantedBy=multi-user.target
`;
}

function retuneUnit(command: string): string {
  return `# Written by hft tune; removed by hft rollback.
[Unit]
Description=Place the interrupts and queues of a network interface that came new
After=hft-tune.service
Requisite=hft-tune.service

[Service]
Type=oneshot
# A driver asks for its interrupts when the interface is brought up, a moment after it appears.
ExecStart=/bin/sleep 2
ExecStart=${command} tune --boot --only irq,nic
ExecStart=/bin/sleep 8
ExecStart=${command} tune --boot --only irq,nic
`;
}

const TRADING_TARGET = `# Written by hft tune; removed by hft rollback.
[Unit]
Description=Trading processes, on a host that is tuned and verified
Requires=hft-tune.service
After=hft-tune.service network-online.target
`;

const RULES = `# Written by hft tune; removed by hft rollback.
ACTION=="add", SUBSYSTEM=="net", ENV{INTERFACE}!="lo", RUN+="/bin/systemctl start --no-block hft-retune.service"
`;
