import type { Inspected } from '../agent/inspect.ts';
import { explainLayout } from '../layout/explain.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { Irq, Nic } from '../topology/machine.ts';
import { paint, type Terminal, wrap } from './terminal.ts';
import { printBytes, renderLayout } from './topology-text.ts';

/** The stable JSON of `hft inspect`: additive changes only. */
export function inspectJson({ machine, inspection, inventory, layout }: Inspected) {
  const details = new Map(inspection.nics.map((nic) => [nic.name, nic]));
  return {
    ...machine,
    nics: machine.nics.map((nic) => ({ ...nic, ...details.get(nic.name) })),
    firmware: inspection.firmware,
    processor: inspection.processor,
    iommu: inspection.iommu,
    frequency: inspection.frequency,
    idle: inspection.idle,
    clocksources: inspection.clocksources,
    vulnerabilities: inspection.vulnerabilities,
    inventory: inventory ?? null,
    layout: layout
      ? {
          housekeeping: printCpulist(layout.housekeeping),
          irq: printCpulist(layout.irq),
          isolated: printCpulist(layout.isolated),
        }
      : null,
  };
}

export function viewInspected(inspected: Inspected, terminal: Terminal): string {
  const { machine, layout } = inspected;
  const blocks = [
    viewRows(factRows(inspected), terminal),
    renderLayout(explainLayout(layout, machine)).trimEnd(),
    ...(machine.nics.some((nic) => nic.physical) ? [viewNics(inspected, terminal)] : []),
    viewIrqs(machine.irqs, terminal),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

type Inspection = Inspected['inspection'];
type Module = NonNullable<Inspected['inventory']>['memoryModules'][number];
type Row = readonly [label: string, value: string | undefined];

function factRows({ machine, inspection, inventory }: Inspected): readonly Row[] {
  const { kernel } = machine;
  const { firmware, processor, iommu, frequency, idle } = inspection;
  // A capture by another tool does not hold everything: what is not in it may be on the machine.
  const orUnknown = (absence: string) => (kernel.version[0] > 0 ? absence : undefined);
  return [
    ['machine', nameMachine(firmware, kernel.hypervisor)],
    ['firmware', [firmware.biosVendor, firmware.biosVersion, firmware.biosDate].filter(Boolean).join(' ')],
    [
      'processor',
      [processor.model, processor.microcode && `microcode ${processor.microcode}`].filter(Boolean).join(', '),
    ],
    ['kernel', `${kernel.release}${kernel.realtime ? ' PREEMPT_RT' : ''} ${kernel.architecture}`],
    ['command line', kernel.cmdline],
    ['isolated', printCpulist(kernel.isolated) || 'none'],
    ['nohz_full', printCpulist(kernel.nohzFull) || 'none'],
    ['clocksource', kernel.clocksource && `${kernel.clocksource} of ${inspection.clocksources.join(', ')}`],
    ['lockdown', kernel.lockdown],
    ['cgroup', kernel.cgroupVersion && `version ${kernel.cgroupVersion}`],
    ['cpufreq', printFrequency(frequency) ?? orUnknown('no driver')],
    ['cpuidle', printIdle(idle) ?? orUnknown('no driver')],
    ['iommu', iommu.units.length > 0 ? `${iommu.units.join(', ')}, ${iommu.groups} groups` : orUnknown('none')],
    ['mitigations', mitigations(inspection.vulnerabilities)],
    ['memory', printModules(inventory?.memoryModules ?? [])],
    [
      'services',
      machine.services.map((each) => `${each.name} ${each.active ? 'runs' : 'is stopped'}`).join(', ') ||
        orUnknown('none that fight tuning'),
    ],
  ];
}

/** Some vendors begin the product with their name; some hypervisors say nothing but that they are one. */
function nameMachine({ vendor = '', product = '' }: Inspection['firmware'], hypervisor: string | undefined): string {
  const hasVendor = product.toLowerCase().startsWith(vendor.toLowerCase());
  const made = hasVendor ? product : `${vendor} ${product}`.trim();
  const virtual = hypervisor === 'unknown' ? 'virtual' : hypervisor && `virtual (${hypervisor})`;
  return [made, virtual].filter(Boolean).join(', ');
}

function printFrequency({ policies, turbo: isOn }: Inspection['frequency']): string | undefined {
  if (policies.length === 0) return undefined;
  const governors = new Set(policies.map((policy) => policy.governor ?? 'no governor'));
  return `${[...governors].join(', ')}${turbo(isOn)}`;
}

/** The kernel calls the driver `none` where there is none. */
function printIdle({ driver, states }: Inspection['idle']): string | undefined {
  if (driver === undefined || driver === 'none') return undefined;
  return states.length === 0 ? `${driver}, no states` : `${driver}: ${states.map(({ name }) => name).join(', ')}`;
}

/** `8 x 16 GiB DDR4 (A1, A2 …)`: alike modules together, with their banks where the firmware names them. */
function printModules(modules: readonly Module[]): string {
  const groups = new Map<string, Module[]>();
  for (const module of modules) {
    const kind = [printBytes(module.bytes), module.type].filter(Boolean).join(' ');
    groups.set(kind, [...(groups.get(kind) ?? []), module]);
  }
  const printed = [...groups].map(([kind, alike]) => {
    const banks = alike.map(({ bank }) => bank).filter(Boolean);
    return `${alike.length} x ${kind}${banks.length > 0 ? ` (${banks.join(', ')})` : ''}`;
  });
  return printed.join(', ');
}

function turbo(on: boolean | undefined): string {
  return on === undefined ? '' : `, turbo ${on ? 'on' : 'off'}`;
}

function mitigations(vulnerabilities: Readonly<Record<string, string>>): string | undefined {
  const entries = Object.entries(vulnerabilities);
  if (entries.length === 0) return undefined;
  const open = entries.filter(([, state]) => state.startsWith('Vulnerable')).map(([name]) => name);
  const active = entries.filter(([, state]) => state.startsWith('Mitigation')).length;
  return `${active} active${open.length > 0 ? `; vulnerable: ${open.join(', ')}` : ''}`;
}

function viewRows(rows: readonly Row[], terminal: Terminal): string {
  const lines = rows.flatMap(([label, value]) => {
    if (!value) return [];
    const text = wrap(value, terminal.columns - 14).replaceAll('\n', `\n${' '.repeat(14)}`);
    return [`${paint(terminal, 'dim', label.padEnd(12))}  ${text}`];
  });
  return lines.join('\n');
}

function viewNics({ machine, inspection }: Inspected, terminal: Terminal): string {
  const lines = machine.nics
    .filter((nic) => nic.physical)
    .map((nic) => {
      const details = inspection.nics.find((each) => each.name === nic.name);
      const facts = [
        nic.driver,
        nic.node === undefined ? undefined : `node ${nic.node}`,
        nic.speedMbps === undefined ? undefined : `${nic.speedMbps} Mb/s`,
        nic.carrier === false ? 'no carrier' : undefined,
        ...(nic.taken ? [] : [`mtu ${nic.mtu}`, `${nic.queues.rx} rx and ${nic.queues.tx} tx queues`]),
        rings(details?.rings),
        nic.phc && `clock ${nic.phc}`,
        nic.taken && `taken by ${nic.taken.by}: the rest is as it was before`,
        nic.pcie && `PCIe x${nic.pcie.widthLanes} ${nic.pcie.speedGTs} GT/s`,
        details?.firmware && `firmware ${details.firmware}`,
        nic.carriesSession ? 'carries the session' : undefined,
      ];
      return viewNamed(nic, facts.filter(Boolean).join(', '), terminal);
    });
  return [paint(terminal, 'bold', 'Network interfaces'), ...lines].join('\n');
}

function viewNamed(nic: Nic, facts: string, terminal: Terminal): string {
  return `  ${nic.name.padEnd(12)}${wrap(facts, terminal.columns - 14).replaceAll('\n', `\n${' '.repeat(14)}`)}`;
}

function rings(
  found: Readonly<Record<string, { readonly current?: number | undefined }>> | undefined,
): string | undefined {
  const { rx, tx } = found ?? {};
  return rx?.current === undefined ? undefined : `rings ${rx.current}/${tx?.current ?? '?'}`;
}

/** How many interrupts each device has and where they arrive; one by one in --json. */
function viewIrqs(irqs: readonly Irq[], terminal: Terminal): string {
  const devices = [...new Set(irqs.map((irq) => irq.device))];
  if (devices.length === 0) return '';
  const width = Math.min(Math.max(...devices.map((device) => device.length)), LONGEST_DEVICE);
  const lines = devices.map((device) => {
    const own = irqs.filter((irq) => irq.device === device);
    const managed = own.filter((irq) => irq.managed).length;
    const note = managed > 0 ? `  (${managed} managed by the kernel)` : '';
    const head = `  ${device.padEnd(width)}  ${String(own.length).padStart(4)}  `;
    const where = `${printCpus(own.flatMap((irq) => irq.effective))}${note}`;
    return head + wrapCpulist(where, terminal.columns - head.length).replaceAll('\n', `\n${' '.repeat(head.length)}`);
  });
  return [paint(terminal, 'bold', 'Interrupts'), ...lines].join('\n');
}

/** Longer names push their own line to the right. */
const LONGEST_DEVICE = 24;

function printCpus(cpus: readonly number[]): string {
  const different = new Set(cpus);
  if (different.size === 0) return 'not started';
  return `on CPU${different.size > 1 ? 's' : ''} ${printCpulist([...different])}`;
}

/** A list of CPUs has no spaces to break at: every CPU of its own on a machine of hundreds fills lines. */
function wrapCpulist(text: string, columns: number): string {
  return wrap(text.replaceAll(',', ', '), columns).replaceAll(', ', ',');
}
