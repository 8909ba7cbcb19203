import type { Drifted, Suspect } from './drift.ts';

/** What was found out when something had drifted. */
export interface Clues {
  /** Devices whose link went down and up, or that came anew, since the look before. */
  readonly links: readonly { readonly device: string; readonly evidence: string }[];
  /** Programs that run and change settings. */
  readonly rivals: readonly Rival[];
  /** Lines of sysctl.d(5) by the path of their file in /proc/sys. */
  readonly sysctls: ReadonlyMap<string, { readonly value: string; readonly where: string }>;
  /** Packages that were installed or configured at that time. */
  readonly packages: readonly { readonly name: string; readonly evidence: string }[];
}

export interface Rival {
  readonly name: string;
  readonly pid: number;
  /** ms since 1970; undefined: not known. */
  readonly startedMs: number | undefined;
}

/** Programs that change settings by themselves, by the name that the kernel shows (15 characters), and of which domains. */
export const RIVALS: Readonly<Record<string, readonly string[]>> = {
  irqbalance: ['irq'],
  tuned: ['irq', 'cpu', 'kernel', 'memory', 'network', 'nic'],
  'tuned-ppd': ['cpu'],
  'power-profiles-': ['cpu'],
  thermald: ['cpu'],
  cpupower: ['cpu'],
  tlp: ['cpu', 'memory'],
  cpufreqd: ['cpu'],
  numad: ['memory'],
  ksmtuned: ['memory'],
  NetworkManager: ['nic', 'network'],
  'systemd-network': ['nic', 'network'],
  bpftune: ['network'],
  sysctl: ['kernel', 'memory', 'network'],
  ethtool: ['nic'],
  dockerd: ['network'],
  libvirtd: ['network', 'kernel'],
  kubelet: ['kernel', 'memory', 'network'],
  ananicy: ['kernel', 'processes'],
};

/** Of these the settings of a network device are made anew with its link. */
const OF_A_LINK = ['irq', 'nic'];

/** Who likely did it: what was seen to happen at that time first. `path`: where its value lives, of a file. Pure. */
export function suspectsOf(
  drift: Pick<Drifted, 'id' | 'domain' | 'is' | 'since'>,
  path: string | undefined,
  clues: Clues,
): Suspect[] {
  const likely: Suspect[] = [];
  const possible: Suspect[] = [];
  const device = deviceOf(drift.id);
  if (OF_A_LINK.includes(drift.domain))
    for (const link of clues.links.filter((each) => each.device === device))
      likely.push({ who: `a reset of ${link.device}`, certainty: 'likely', evidence: link.evidence });
  const line = path === undefined ? undefined : clues.sysctls.get(path);
  if (line !== undefined && drift.is !== null && sameWords(line.value, drift.is))
    likely.push({
      who: 'whoever applied sysctl.d(5)',
      certainty: 'likely',
      evidence: `${line.where} says ${line.value}`,
    });
  for (const { name, pid, startedMs } of clues.rivals.filter((rival) => RIVALS[rival.name]?.includes(drift.domain))) {
    const isNew = startedMs !== undefined && startedMs >= Date.parse(drift.since.after ?? drift.since.by);
    const started = startedMs === undefined ? 'runs' : `started ${new Date(startedMs).toISOString()}`;
    const suspect = { who: `${name} (pid ${pid})`, evidence: started } as const;
    if (isNew) likely.push({ ...suspect, certainty: 'likely' });
    else possible.push({ ...suspect, certainty: 'possible' });
  }
  for (const { name, evidence } of clues.packages)
    possible.push({ who: `the package ${name}`, certainty: 'possible', evidence });
  return [...likely, ...possible];
}

/** `irq.affinity@eth0/rx-3`, `nic.ring-rx@eth0`: eth0. undefined: of no device. */
export function deviceOf(id: string): string | undefined {
  const at = id.indexOf('@');
  return at < 0 ? undefined : id.slice(at + 1).split('/')[0];
}

function sameWords(left: string, right: string): boolean {
  const words = (text: string) => text.trim().split(/\s+/).join(' ');
  return words(left) === words(right);
}
