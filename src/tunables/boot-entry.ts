import type { Host } from '../host/host.ts';
import { parseBlsEntry } from './boot/bls.ts';
import { BootError } from './boot/boot-error.ts';
import { checkLength } from './boot/check-menu.ts';
import { type BootFacts, readBootFacts, systemdBootDefault } from './boot/facts.ts';
import { defaultGrubEntry } from './boot/grub-menu.ts';
import { detectBootLoader, type GrubBls, type GrubMkconfig } from './boot/loader.ts';
import { grubMenu, grubNeighbour, readStagedCommandLine } from './boot/staged.ts';
import {
  findOddArgument,
  parseChanges,
  printBlsTrial,
  printGrubTrial,
  readNote,
  TRIAL_ENTRY,
  withTrialBlock,
} from './boot/trial-entry.ts';
import { readTrialRefusal, refuseTrial } from './boot/trial-refusal.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { BootEntryTunable } from './tunable.ts';

/** systemd-boot takes the first entry of its order when no default is set; a name with a dash in front sorts last. */
const BLS_TRIAL = `-${TRIAL_ENTRY}.conf`;

/**
 * The trial entry: the default entry once more, with other arguments, next to the user's untouched ones. GRUB reads it
 * from custom.cfg, so grub.cfg is not written. Nothing boots it but a one-time choice (boot-once).
 */
export const bootEntryKind: TunableKind<BootEntryTunable> = {
  persistent: true,
  async read(reader) {
    try {
      const refusal = await readTrialRefusal(reader);
      if (refusal !== undefined) return { status: 'missing', evidence: refusal };
      const facts = await readBootFacts(reader);
      const path = trialPath(facts);
      const value = readNote(facts.files.get(path));
      return { status: 'value', value, evidence: `${path}: ${value ?? 'no trial entry'}` };
    } catch (error) {
      return unreadable(error, 'the boot loader');
    }
  },
  canonical: (_tunable, value) => value.trim().replace(/\s+/g, ' '),
  async write(host, writes) {
    for (const { value } of writes) await writeEntry(host, value);
  },
};

async function writeEntry(host: Host, value: string | null): Promise<void> {
  const facts = await readBootFacts(host);
  const refusal = refuseTrial(facts);
  if (refusal !== undefined) throw new BootError('/boot', 'ENOTSUP', refusal);
  const odd = value === null ? undefined : findOddArgument(parseChanges(value));
  if (odd) throw new BootError('/boot', 'EINVAL', `${odd.name} has characters that GRUB would read in its own way`);
  const loader = detectBootLoader(facts);
  if (loader.kind === 'grub-mkconfig' || loader.kind === 'grub-bls') await writeGrubEntry(host, facts, loader, value);
  else if (loader.kind === 'systemd-boot') await writeBlsEntry(host, facts, value);
}

async function writeGrubEntry(
  host: Host,
  facts: BootFacts,
  loader: GrubMkconfig | GrubBls,
  value: string | null,
): Promise<void> {
  const path = trialPath(facts);
  const old = facts.files.get(path);
  const base = defaultGrubEntry(grubMenu(facts, loader, facts.files.get(loader.config) ?? ''));
  if (value !== null && !base?.linux)
    throw new BootError(loader.config, 'ENOENT', 'the default entry starts no Linux kernel');
  const text = withTrialBlock(old, value === null || !base ? undefined : printGrubTrial(base, value));
  if (text === undefined) return host.removeFile(path);
  checkGrubEntry(facts, loader, { path, text, isWanted: value !== null });
  await host.replaceFile(path, text, old === undefined ? 0o600 : undefined);
}

/** With the new custom.cfg the menu must still be one, its default the same, and the trial there and short enough. */
function checkGrubEntry(
  facts: BootFacts,
  loader: GrubMkconfig | GrubBls,
  next: { path: string; text: string; isWanted: boolean },
): void {
  const script = facts.files.get(loader.config) ?? '';
  const menu = grubMenu({ ...facts, files: new Map(facts.files).set(next.path, next.text) }, loader, script);
  const trial = menu.entries.find((entry) => entry.id === TRIAL_ENTRY);
  const usual = defaultGrubEntry(menu);
  if (usual?.id === TRIAL_ENTRY) throw new BootError(next.path, 'EINVAL', 'the trial entry would become the default');
  if (!next.isWanted) return;
  if (!trial?.linux || trial.linux.path !== usual?.linux?.path) {
    throw new BootError(next.path, 'EINVAL', 'the trial entry would not start the kernel of the default entry');
  }
  checkLength(next.path, `BOOT_IMAGE=${trial.linux.path} ${trial.linux.arguments}`);
}

async function writeBlsEntry(host: Host, facts: BootFacts, value: string | null): Promise<void> {
  const path = trialPath(facts);
  if (value === null) return host.removeFile(path);
  const usual = systemdBootDefault(facts)?.path as string;
  const text = facts.files.get(usual) ?? '';
  const trial = printBlsTrial(parseBlsEntry(usual, text), text, value);
  checkLength(path, parseBlsEntry(path, trial).options);
  await host.replaceFile(path, trial);
  const after = await readBootFacts(host);
  const chosen = systemdBootDefault(after);
  if (chosen?.path === usual && readStagedCommandLine(after, detectBootLoader(after)).status === 'known') return;
  await host.removeFile(path);
  throw new BootError(
    path,
    'EINVAL',
    `with the trial entry, ${chosen?.id ?? 'nothing'} would become the default; took it out`,
  );
}

/** custom.cfg next to grub.cfg, or the entry file next to the default one. */
function trialPath(facts: BootFacts): string {
  const loader = detectBootLoader(facts);
  if (loader.kind === 'grub-mkconfig' || loader.kind === 'grub-bls') return grubNeighbour(facts, loader, 'custom.cfg');
  const usual = systemdBootDefault(facts)?.path ?? '/boot/loader/entries/x';
  return `${usual.slice(0, usual.lastIndexOf('/'))}/${BLS_TRIAL}`;
}

export { BLS_TRIAL };
