import type { HostReader } from '../../host/host.ts';
import { type BootFacts, readBootFacts } from './facts.ts';
import { defaultGrubEntry } from './grub-menu.ts';
import { detectBootLoader, type GrubBls, type GrubMkconfig } from './loader.ts';
import { grubMenu } from './staged.ts';
import { TRIAL_ENTRY } from './trial-entry.ts';

/** File systems whose blocks GRUB can overwrite in place without breaking a checksum. */
const WRITABLE = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'vfat', 'msdos']);

/** As refuseTrial says of this machine as it is now. */
export function readTrialRefusal(reader: HostReader): Promise<string | undefined> {
  return reader.remember?.(judgeTrialHere) ?? judgeTrialHere(reader);
}

/** Plays a whole grub.cfg, which takes longer than anything else that is asked about booting. */
async function judgeTrialHere(reader: HostReader): Promise<string | undefined> {
  return refuseTrial(await readBootFacts(reader));
}

/**
 * Why this machine cannot boot an entry once and fall back by itself; undefined when it can. GRUB forgets a one-time
 * choice by writing to its environment block: where it cannot write, the machine would boot the trial for ever.
 */
export function refuseTrial(facts: BootFacts): string | undefined {
  const loader = detectBootLoader(facts);
  if (loader.kind === 'none') return `${loader.reason}. ${loader.byHand.replace(/\.$/, '')}`;
  if (loader.kind === 'systemd-boot') return undefined;
  return refuseUnwritable(facts, loader) ?? refuseDeaf(facts, loader);
}

function refuseUnwritable(facts: BootFacts, loader: GrubMkconfig | GrubBls): string | undefined {
  const path = facts.links.get(`${folderOf(loader.config)}/grubenv`) ?? `${folderOf(loader.config)}/grubenv`;
  const mount = findMount(facts.files.get('/proc/self/mountinfo') ?? '', path);
  if (!mount) return `it is not known on which file system ${path} lies`;
  if (!WRITABLE.has(mount.type))
    return `GRUB cannot write to ${mount.type}, where ${path} lies: it would boot the trial entry for ever`;
  if (/^\/dev\/(?:mapper\/|dm-|md)/.test(mount.source)) {
    return `GRUB cannot write to ${mount.source} (LVM, RAID or encryption), where ${path} lies: it would boot the trial entry for ever`;
  }
  return undefined;
}

/** Plays the one-time choice through grub.cfg: it must be obeyed, and forgotten. */
function refuseDeaf(facts: BootFacts, loader: GrubMkconfig | GrubBls): string | undefined {
  const script = facts.files.get(loader.config) ?? '';
  if (!/\bload_env\b/.test(script) || !/\bsave_env\s+next_entry\b/.test(script)) {
    return `${loader.config} does not obey a one-time choice (next_entry); run update-grub`;
  }
  const custom = new Map(facts.files).set(
    `${folderOf(loader.config)}/custom.cfg`,
    `menuentry 'trial' --id ${TRIAL_ENTRY} {\n}\n`,
  );
  const menu = grubMenu({ ...facts, files: custom }, loader, script, new Map([['next_entry', TRIAL_ENTRY]]));
  if (defaultGrubEntry(menu)?.id === TRIAL_ENTRY) return undefined;
  return `${loader.config} does not read custom.cfg (is /etc/grub.d/41_custom there and executable?)`;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The mount that a path lies on, out of /proc/self/mountinfo. proc_pid_mountinfo(5) */
export function findMount(mountinfo: string, path: string): { type: string; source: string } | undefined {
  let found: { point: string; type: string; source: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const point = left.split(' ')[4];
    const [type = '', source = ''] = right.split(' ');
    if (point === undefined || type === '' || type === 'autofs') continue;
    const covers = point === '/' || path === point || path.startsWith(`${point}/`);
    if (covers && point.length >= (found?.point.length ?? 0)) found = { point, type, source };
  }
  return found;
}
