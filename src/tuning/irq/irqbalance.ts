import { type CpuSet, printCpulist, without } from '../../topology/cpulist.ts';
import type { Setting } from '../domain.ts';

const SERVICE = 'irqbalance.service';
const FOLDER = '/etc/hft/irqbalance';

/**
 * The files that keep a running irqbalance off: a list of CPUs, and a policy script for the queues that are placed
 * one by one. With such a list irqbalance no longer looks at isolcpus and nohz_full, so the list has to name every CPU
 * that it must not use. irqbalance(1).
 */
export function tellIrqbalance(nics: readonly string[], allowed: CpuSet, online: CpuSet): readonly Setting[] {
  const banned = printCpulist(without(online, allowed));
  const environment = `# Written by hft tune; removed by hft rollback.\nIRQBALANCE_BANNED_CPULIST=${banned}\n`;
  return [
    ownFile(`${FOLDER}/environment`, environment, 0o644),
    ownFile(`${FOLDER}/policy`, policyScript(nics), 0o755),
    // A later EnvironmentFile wins over the administrator's own, which a plain Environment= would not.
    ownFile(`/etc/systemd/system/${SERVICE}.d/50-hft.conf`, DROP_IN, 0o644),
  ];
}

const DROP_IN = `# Written by hft tune; removed by hft rollback.
[Service]
EnvironmentFile=${FOLDER}/environment
ExecStart=
ExecStart=/usr/sbin/irqbalance --foreground $IRQBALANCE_ARGS --policyscript=${FOLDER}/policy
`;

/** irqbalance runs it with the device's folder and the IRQ number, and reads `ban=true`. */
function policyScript(nics: readonly string[]): string {
  const names = nics.map((name) => `'${name}'`).join(' ');
  return `#!/bin/sh
# Written by hft tune; removed by hft rollback. The queues of these NICs stay where hft put them.
for nic in ${names === '' ? "''" : names}; do
  device=/sys/class/net/$nic/device
  if [ -e "$device/msi_irqs/$2" ] || [ -e "$device/../msi_irqs/$2" ]; then
    echo ban=true
  fi
done
`;
}

function ownFile(path: string, text: string, mode: number): Setting {
  return {
    id: `irq.irqbalance@${path}`,
    // It acts every ten seconds: what it moved meanwhile is seen when the values are planned again after this stage.
    stage: 'shape',
    tunable: { kind: 'config-file', path, mode, restarts: SERVICE },
    value: text,
    why: 'irqbalance moves interrupts every ten seconds, placed ones too, unless it is told not to.',
    ifRefused: 'fail',
    disruption: 'none',
  };
}
