import {
  BLS_FOLDER,
  type BootFacts,
  DEFAULTS_FILE,
  GRUB_CONFIGS,
  HFT_DROP_IN,
  LOADER_INFO,
  loaderInfo,
  systemdBootDefault,
} from './facts.ts';

/** Where kernel arguments for the next boot are kept on this machine. */
export type BootLoader = GrubMkconfig | GrubBls | SystemdBoot | NoBootLoader;

/** GRUB whose menu grub-mkconfig writes (Debian, Ubuntu, SUSE, Arch, RHEL 7). */
export interface GrubMkconfig {
  readonly kind: 'grub-mkconfig';
  /** grub.cfg itself, links followed. */
  readonly config: string;
  readonly mkconfig: string;
  readonly scriptCheck: string | undefined;
  /** Where hft's arguments go: a drop-in of its own, or a marked block in the administrator's file. */
  readonly source: { readonly path: string; readonly form: 'drop-in' | 'block' };
}

/** GRUB that reads its entries from files (RHEL 8 and later, Fedora). */
export interface GrubBls {
  readonly kind: 'grub-bls';
  readonly config: string;
}

export interface SystemdBoot {
  readonly kind: 'systemd-boot';
}

export interface NoBootLoader {
  readonly kind: 'none';
  readonly reason: string;
  /** How a person gives the kernel its arguments there. */
  readonly byHand: string;
}

/** Decides from what was read which boot loader starts this machine. */
export function detectBootLoader(facts: BootFacts): BootLoader {
  const container = ['/run/systemd/container', '/.dockerenv', '/run/.containerenv'].find((path) =>
    facts.files.has(path),
  );
  if (container) {
    return none(`this is a container (${container}), which boots no kernel of its own`, 'Tune the host that runs it.');
  }
  if (facts.files.has('/run/ostree-booted')) {
    return none(
      'this system is booted by ostree, which keeps kernel arguments per deployment',
      'Use `rpm-ostree kargs --append-if-missing=ARGUMENT`.',
    );
  }
  if (loaderInfo(facts.files.get(LOADER_INFO)).startsWith('systemd-boot')) return detectSystemdBoot(facts);
  return detectGrub(facts);
}

/** grub.cfg that GRUB reads here, links followed; undefined when there is none. */
export function grubConfigPath(facts: BootFacts): string | undefined {
  const present = GRUB_CONFIGS.map((path) => facts.links.get(path) ?? path).filter(
    (path) => facts.files.has(path) || facts.unreadable.has(path),
  );
  const withMenu = present.find((path) => /^\s*(?:menuentry|blscfg)\b/m.test(facts.files.get(path) ?? ''));
  return withMenu ?? present[0];
}

function detectSystemdBoot(facts: BootFacts): BootLoader {
  const byHand =
    'Add the arguments to /etc/kernel/cmdline and run `kernel-install add $(uname -r) /lib/modules/$(uname -r)/vmlinuz`.';
  if (facts.bootctl === undefined)
    return none('systemd-boot started this machine, and `bootctl list` cannot be read', byHand);
  const chosen = systemdBootDefault(facts);
  if (!chosen) return none('systemd-boot started this machine, and `bootctl list` has no entry', byHand);
  if (chosen.type !== 'type1') {
    return none(
      `the default boot entry (${chosen.id}) is a unified kernel image, whose command line is built in`,
      byHand,
    );
  }
  return { kind: 'systemd-boot' };
}

function detectGrub(facts: BootFacts): BootLoader {
  const config = grubConfigPath(facts);
  const cmdline = facts.files.get('/proc/cmdline') ?? '';
  const isStartedByGrub =
    /(?:^|\s)BOOT_IMAGE=/.test(cmdline) || loaderInfo(facts.files.get(LOADER_INFO)).startsWith('GRUB');
  if (facts.hidesEfiVariables && !isStartedByGrub) {
    return none(
      'the kernel shows no EFI variables, which tell the boot loader that started it (a PREEMPT_RT kernel hides them unless it was given efi=runtime)',
      'Add efi=runtime to the kernel arguments by hand and reboot.',
    );
  }
  if (config === undefined) {
    return none(
      'no boot loader that hft knows is installed (GRUB, systemd-boot)',
      'Give the arguments to what starts this kernel: the PXE server, the hypervisor, the image.',
    );
  }
  if (!isStartedByGrub) {
    return none(
      `GRUB is installed (${config}), but it did not start this kernel (no BOOT_IMAGE in /proc/cmdline)`,
      'Give the arguments to what starts this kernel: the PXE server, the hypervisor, the image.',
    );
  }
  const text = facts.files.get(config) ?? '';
  if (/^\s*set\s+check_signatures=enforce\b/m.test(text)) {
    return none(
      `GRUB takes signed files only here (check_signatures in ${config})`,
      'Add the arguments to what you sign.',
    );
  }
  if (/^\s*blscfg\b/m.test(text) && hasBlsEntries(facts)) return { kind: 'grub-bls', config };
  return detectMkconfig(facts, config);
}

function hasBlsEntries(facts: BootFacts): boolean {
  return (
    facts.unreadable.has(BLS_FOLDER) ||
    [...facts.files.keys(), ...facts.unreadable.keys()].some((path) => path.startsWith(`${BLS_FOLDER}/`))
  );
}

function detectMkconfig(facts: BootFacts, config: string): BootLoader {
  const mkconfig = program(facts, 'grub-mkconfig') ?? program(facts, 'grub2-mkconfig');
  if (!mkconfig)
    return none(
      `${config} is there, and grub-mkconfig is not installed`,
      `Add the arguments to the linux lines of ${config}.`,
    );
  const hasDropIns = (facts.files.get(mkconfig) ?? '').includes('default/grub.d');
  return {
    kind: 'grub-mkconfig',
    config,
    mkconfig,
    scriptCheck: program(facts, 'grub-script-check') ?? program(facts, 'grub2-script-check'),
    source: hasDropIns ? { path: HFT_DROP_IN, form: 'drop-in' } : { path: DEFAULTS_FILE, form: 'block' },
  };
}

function program(facts: BootFacts, name: string): string | undefined {
  return [...facts.programs].find((path) => path.endsWith(`/${name}`));
}

function none(reason: string, byHand: string): NoBootLoader {
  return { kind: 'none', reason, byHand };
}
