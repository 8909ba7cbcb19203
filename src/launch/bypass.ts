import type { Problem } from '../profile/problem.ts';
import { type BypassFacts, type BypassLibrary, ONLOAD_COMMAND } from './bypass-facts.ts';
import type { Report } from './contradictions.ts';
import type { Note } from './placement.ts';
import type { ProcessWanted } from './schema.ts';

/** How a process gets its library. */
export interface PlacedBypass {
  readonly library: BypassLibrary;
  /** What is to be mapped, by absolute path. */
  readonly path: string;
  /** Words before the command of the process: they end by becoming it (execve), with the same pid. */
  readonly prefix: readonly string[];
}

const NAMES: Readonly<Record<BypassLibrary, string>> = { onload: 'Onload', vma: 'VMA' };

/** Pure. undefined: none is asked for, or it is not on the host (which `findBypassMissing` says). */
export function placeBypass(
  { bypass, environment }: Pick<ProcessWanted, 'bypass' | 'environment'>,
  facts: BypassFacts | undefined,
  rest: readonly number[],
): PlacedBypass | undefined {
  const path = facts?.library;
  if (bypass === undefined || path === undefined || path === null) return undefined;
  const { library, profile } = bypass;
  if (library === 'onload') {
    const chosen = profile === undefined ? [] : [`--profile=${profile}`];
    return { library, path, prefix: [ONLOAD_COMMAND, ...chosen] };
  }
  const others = environment.LD_PRELOAD;
  const variables: Record<string, string> = {
    LD_PRELOAD: others === undefined || others === '' ? path : `${path}:${others}`,
    ...(profile !== undefined && { VMA_SPEC: profile }),
    // VMA_SPEC=latency would put its thread on CPU 0, whoever that belongs to.
    ...(environment.VMA_INTERNAL_THREAD_AFFINITY === undefined &&
      rest[0] !== undefined && { VMA_INTERNAL_THREAD_AFFINITY: String(rest[0]) }),
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return { library, path, prefix: ['/usr/bin/env', ...assignments] };
}

/** Why the library would not be loaded, or would do nothing: found before anything starts. */
export function findBypassMissing(
  { bypass, command }: Pick<ProcessWanted, 'bypass' | 'command'>,
  facts: BypassFacts | undefined,
  report: Report,
): Problem[] {
  if (bypass === undefined || facts === undefined) return [];
  const problem = (message: string, hint: string) => [report(['bypass'], message, hint)];
  const { library, path } = bypass;
  const { program, secure } = facts;
  if (program !== undefined && (program.file.kind !== 'elf' || !program.file.isDynamic)) {
    const what = program.file.kind === 'elf' ? 'is statically linked' : 'is no program of the ELF format';
    const message = `${program.path} ${what}: the dynamic linker, which would load ${NAMES[library]} before it, is not in it`;
    return problem(message, `Link it dynamically, or take \`bypass\` away from ${command[0]}.`);
  }
  if (secure !== undefined) {
    const message = `${secure}: the dynamic linker ignores LD_PRELOAD there (ld.so(8), secure-execution mode)`;
    return problem(
      message,
      'Take the bits or capabilities off the file, and give the rights by user, or by `systemctl edit` (AmbientCapabilities=).',
    );
  }
  if (facts.library === null) {
    const where = path ?? `lib${library}.so (${facts.lookedIn})`;
    const kind = program?.file.kind === 'elf' ? ` of ${program.file.bits} bits, as ${program.path} is` : '';
    return problem(`there is no library ${where}${kind}`, INSTALL[library]);
  }
  if (facts.wrapper === 'missing') return problem(`there is no ${ONLOAD_COMMAND}`, INSTALL.onload);
  if (facts.hasModule === false) {
    return problem(
      'the kernel module onload is not loaded (/sys/module/onload)',
      'Load it: `onload_tool reload`, which takes the links of Solarflare NICs down. Without it the processes run and nothing is accelerated.',
    );
  }
  return [];
}

const INSTALL: Readonly<Record<BypassLibrary, string>> = {
  vma: 'Install libvma: `apt-get install libvma` where the distribution has it (Ubuntu; not Debian 12), or that of NVIDIA DOCA (MLNX_OFED). A path of your own: `bypass: { library: vma, path: /opt/…/libvma.so }`.',
  onload:
    'Install Onload from AMD (Solarflare): no distribution has it. Its packages are onload-user and the kernel module, `onload_tool reload` loads that.',
};

/** What could not be asked; undefined: nothing. */
export function noteBypass(
  name: string,
  { bypass, user, limits }: Pick<ProcessWanted, 'bypass' | 'user' | 'limits'>,
  facts: BypassFacts | undefined,
): Note[] {
  if (bypass === undefined) return [];
  const unknown =
    facts === undefined || facts.program === undefined || facts.library === undefined
      ? [
          `it could not be asked whether ${NAMES[bypass.library]} can be loaded: hft verify processes says whether it was.`,
        ]
      : facts.isSecureKnown
        ? []
        : [
            'without getcap(8) nobody knows whether the program has file capabilities, with which the library is not loaded.',
          ];
  const rights =
    bypass.library === 'vma' && user !== undefined && user !== 'root' && limits.memlock !== 'unlimited'
      ? [`VMA registers memory with the NIC: ${user} needs limits.memlock: unlimited, and CAP_NET_RAW to steer flows.`]
      : [];
  return [...unknown, ...rights].map((text) => ({ about: name, text }));
}

/** Keys that stand against each other on any host. */
export function checkBypass({ bypass, environment }: ProcessWanted, report: Report): Problem[] {
  if (bypass === undefined) return [];
  const { library, profile, path } = bypass;
  const found = [
    library === 'vma' && profile !== undefined && environment.VMA_SPEC !== undefined
      ? report(['environment', 'VMA_SPEC'], 'bypass.profile says it too', 'Write one of them.')
      : undefined,
    library === 'onload' && path !== undefined
      ? report(
          ['bypass', 'path'],
          'the onload command finds its library itself',
          'Leave path out; ldconfig has to know it.',
        )
      : undefined,
  ];
  return found.filter((problem) => problem !== undefined);
}
