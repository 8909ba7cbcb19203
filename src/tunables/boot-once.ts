import { HostError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { BootError } from './boot/boot-error.ts';
import { type BootFacts, LOADER_ONE_SHOT, loaderInfo, readBootFacts } from './boot/facts.ts';
import { editGrubenv, parseGrubenv } from './boot/grubenv.ts';
import { detectBootLoader } from './boot/loader.ts';
import { grubNeighbour } from './boot/staged.ts';
import { TRIAL_ENTRY } from './boot/trial-entry.ts';
import { readTrialRefusal, refuseTrial } from './boot/trial-refusal.ts';
import { BLS_TRIAL } from './boot-entry.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { BootOnceTunable } from './tunable.ts';

/**
 * The entry that the next boot takes, and only that one: `next_entry` in GRUB's environment block, LoaderEntryOneShot of
 * systemd-boot. The boot loader forgets it as it takes it. grub-editenv empties the block before it fills it again;
 * here it is replaced in one rename.
 */
export const bootOnceKind: TunableKind<BootOnceTunable> = {
  persistent: true,
  async read(reader) {
    try {
      const refusal = await readTrialRefusal(reader);
      if (refusal !== undefined) return { status: 'missing', evidence: refusal };
      const facts = await readBootFacts(reader);
      return readChoice(facts);
    } catch (error) {
      return unreadable(error, 'the boot loader');
    }
  },
  canonical: (_tunable, value) => value,
  async write(host, writes) {
    for (const { value } of writes) await choose(host, value);
  },
};

function readChoice(facts: BootFacts) {
  const path = choicePath(facts);
  const code = facts.unreadable.get(path);
  if (code !== undefined) return { status: 'unreadable', code, evidence: `${path}: ${code}` } as const;
  const text = facts.files.get(path);
  const choice = path === LOADER_ONE_SHOT ? nameOfBls(loaderInfo(text)) : parseGrubenv(text).get('next_entry');
  const value = choice === undefined || choice === '' ? null : choice;
  return {
    status: 'value',
    value,
    evidence: `${path}: ${value === null ? 'no one-time entry' : `once ${value}`}`,
  } as const;
}

async function choose(host: Host, value: string | null): Promise<void> {
  const facts = await readBootFacts(host);
  const refusal = refuseTrial(facts);
  if (refusal !== undefined) throw new BootError('/boot', 'ENOTSUP', refusal);
  const path = choicePath(facts);
  if (path === LOADER_ONE_SHOT) return chooseWithBootctl(host, value);
  const block = editGrubenv(facts.files.get(path), 'next_entry', value);
  if (block === undefined) throw new BootError(path, 'ENOSPC', 'no room in GRUB’s environment block of 1024 bytes');
  await host.replaceFile(path, block);
}

async function chooseWithBootctl(host: Host, value: string | null): Promise<void> {
  const entry = value === TRIAL_ENTRY ? BLS_TRIAL : (value ?? '');
  const result = await host.execute(['bootctl', 'set-oneshot', '--', entry]);
  if (!result.found) throw new HostError('run', 'bootctl', 'ENOENT');
  // 0 proves nothing and is read back; what bootctl says of a failure (read-only or full EFI variables) is worth telling.
  if (result.exitCode !== 0)
    throw new BootError(LOADER_ONE_SHOT, 'EIO', `bootctl set-oneshot failed: ${result.stderr.trim()}`);
}

function choicePath(facts: BootFacts): string {
  const loader = detectBootLoader(facts);
  if (loader.kind === 'grub-mkconfig' || loader.kind === 'grub-bls') return grubNeighbour(facts, loader, 'grubenv');
  return LOADER_ONE_SHOT;
}

/** hft calls its entry the same under every boot loader. */
function nameOfBls(entry: string): string {
  return entry === BLS_TRIAL ? TRIAL_ENTRY : entry;
}
