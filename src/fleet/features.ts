import type { LocalStatus } from '../agent/local-status.ts';
import type { Verification } from '../engine/verify.ts';
import type { HostFacts } from '../topology/host-facts.ts';

/** What hosts are compared by: a name, and a value as people read it. Missing: it is not there; undefined: nobody could read it. */
export type Features = ReadonlyMap<string, string | undefined>;

/** Arguments that are a host's own. */
const OWN_ARGUMENTS = new Set([
  'root',
  'BOOT_IMAGE',
  'initrd',
  'resume',
  'ip',
  'rd.luks.uuid',
  'systemd.machine_id',
  'rd.lvm.lv',
]);

/** Of the machine: BIOS, microcode, firmware, kernel, each argument of its command line, mitigations. */
export function featuresOfFacts(facts: HostFacts): Features {
  const { cpus, nics } = facts;
  const known: readonly (readonly [string, string | null])[] = [
    ['machine', facts.product],
    ['BIOS', facts.bios],
    ['CPU', facts.cpuModel],
    ['microcode', facts.microcode],
    ['CPUs', `${cpus.online.length} of ${cpus.present} online, SMT ${cpus.smt ? 'on' : 'off'}`],
    ['kernel', `${facts.kernel}${facts.realtime ? ' PREEMPT_RT' : ''}`],
    ['architecture', facts.architecture],
    ['isolated CPUs', facts.isolated.join(',') || null],
    ['nohz_full CPUs', facts.nohzFull.join(',') || null],
    ['clocksource', facts.clocksource],
    ['governors', facts.governors.join(', ') || null],
    ['turbo', facts.turbo === null ? null : facts.turbo ? 'on' : 'off'],
    ['idle states', facts.idleStates.join(', ') || null],
    ['hypervisor', facts.hypervisor],
    ...nics.map(({ name, driver }) => [`NIC ${name} driver`, driver] as const),
    ...nics.map(({ name, firmware }) => [`NIC ${name} firmware`, firmware] as const),
    ...argumentsOf(facts.cmdline),
    ...Object.entries(facts.mitigations).map(([name, state]) => [`mitigation ${name}`, state] as const),
  ];
  return new Map(known.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])));
}

/** One that is given twice has both values, in their order. */
function argumentsOf(cmdline: string): readonly (readonly [string, string])[] {
  const values = new Map<string, string>();
  for (const word of cmdline.split(/\s+/)) {
    const at = word.indexOf('=');
    const name = at < 0 ? word : word.slice(0, at);
    if (name === '' || OWN_ARGUMENTS.has(name)) continue;
    const value = at < 0 ? 'given' : word.slice(at + 1);
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before} ${value}`);
  }
  return [...values].map(([name, value]) => [`kernel argument ${name}`, value]);
}

/** Of its settings, by their ids. A file is told by its lines and what is in it. */
export function featuresOfSettings({ profile, results }: Verification): Features {
  return new Map([
    ['profile', profile],
    ...results
      .filter(({ status }) => status !== 'unsupported')
      .map(
        ({ id, status, actual }) =>
          [`setting ${id}`, status === 'unknown' ? undefined : (actual ?? 'nothing')] as const,
      ),
  ]);
}

/** Of what hft knows of it: drift, what waits, the verdicts of the last measurement of latency. */
export function featuresOfStatus({ profile, drift, pendingReboot, latency }: LocalStatus): Features {
  return new Map([
    ['profile', profile ?? 'none'],
    ['drift', drift.length === 0 ? 'none' : `${drift.length} settings`],
    ['pending reboot', pendingReboot.length === 0 ? 'none' : pendingReboot.join(', ')],
    ['latency', latency === undefined ? 'not measured' : sayLatency(latency)],
  ]);
}

function sayLatency({ profile, summary }: NonNullable<LocalStatus['latency']>): string {
  const { pass, fail, inconclusive } = summary;
  return `${profile ?? 'no profile'}: ${pass} pass, ${fail} fail, ${inconclusive} inconclusive`;
}
