import type { Check } from '../check.ts';
import { createGuest, type Guest, removeGuest } from '../guest.ts';
import { endOf, hft, installHft, waitForTuneUnit, writeProfile } from '../hft.ts';
import { buildImage } from '../image.ts';
import { locateGuest, locateLab } from '../places.ts';
import { espFolder, useSystemdBoot } from '../uefi.ts';

export const name =
  'under UEFI firmware and systemd-boot a trial boot is promoted, a failing one falls back, and all is undone';
export const kernels = ['stock'] as const;

/** A guest of its own: the parts share one that GRUB starts. */
export async function run(_shared: Guest, check: Check): Promise<void> {
  const lab = locateLab();
  const places = locateGuest(lab, 'uefi');
  const guest = await createGuest(places, await buildImage(lab), { kernel: 'stock', nics: [], firmware: 'uefi' });
  try {
    await tellStory(guest, check);
  } finally {
    await removeGuest(places);
  }
}

async function tellStory(guest: Guest, check: Check): Promise<void> {
  await guest.waitBoot();
  await useSystemdBoot(guest);
  await installHft(guest);
  const before = await readBoot(guest);
  const mount = await guest.read(`findmnt -n -o FSTYPE,OPTIONS ${espFolder}`);
  check(
    before.files.includes('/loader/entries/') && mount.startsWith('vfat'),
    'kernel-install made entries on vfat',
    mount,
  );
  await passes(guest, check, before);
  await fallsBack(guest, check);
  await undo(guest, check, before);
}

async function passes(guest: Guest, check: Check, before: Boot): Promise<void> {
  await writeProfile(guest, 'trial', profile([]));
  const plan = await hft(guest, 'plan --profile /root/trial.yaml');
  check(plan.code === 1 && plan.stdout.includes('skew_tick'), 'hft plan has kernel arguments to set', endOf(plan));
  await arm(guest, check, before);
  const seconds = await guest.reboot();
  const trial = await readBoot(guest);
  check(
    trial.commandLine.includes('hft.trial='),
    `systemd-boot took the trial entry (${seconds.toFixed(0)} s)`,
    trial.commandLine,
  );
  const unit = await waitForTuneUnit(guest);
  const promoted = await readBoot(guest);
  check(
    unit === 'active',
    'the trial verifies',
    unit === 'active' ? unit : await guest.read('journalctl -b -u hft-tune'),
  );
  check(promoted.variables.OneShot === undefined, 'the one-time choice is forgotten', promoted.variables);
  check(!promoted.files.includes('hft-trial'), 'the trial entry is gone', promoted.files);
  checkArguments(promoted, check);

  await guest.reboot();
  const permanent = (await readBoot(guest)).commandLine;
  check(
    /isolcpus=.*skew_tick=1/.test(permanent) && !permanent.includes('hft.trial'),
    'the next boot has the arguments',
    permanent,
  );
  await waitForTuneUnit(guest);
  const again = await hft(guest, 'plan --profile /root/trial.yaml');
  check(again.code === 0, 'hft plan has nothing left to do', endOf(again));
  await guest.ssh(`kernel-install add "$(uname -r)" "/boot/vmlinuz-$(uname -r)" "/boot/initrd.img-$(uname -r)"`);
  checkArguments(await readBoot(guest), (ok, what, got) => check(ok, `after a new kernel-install ${what}`, got));
}

/** Until the reboot the default entry is as it was, and the trial is chosen for once. */
async function arm(guest: Guest, check: Check, before: Boot): Promise<void> {
  const tuned = await hft(guest, 'tune --profile /root/trial.yaml --yes');
  check(tuned.code === 5, 'tune ends with a reboot to be made', endOf(tuned));
  const armed = await readBoot(guest);
  check(armed.variables.OneShot === '-hft-trial.conf', 'LoaderEntryOneShot names the trial entry', armed.variables);
  check(
    withoutTrial(armed.files) === before.files,
    'all else on the EFI partition is untouched while it waits',
    armed.files,
  );
}

function checkArguments({ options }: Boot, check: Check): void {
  const isComplete =
    options.length === 2 && options.every((line) => /isolcpus=.*skew_tick=1( systemd\.machine_id=\w+)?$/.test(line));
  check(isComplete, 'the default entry and /etc/kernel/cmdline have the arguments', options);
}

async function fallsBack(guest: Guest, check: Check): Promise<void> {
  const before = await readBoot(guest);
  await writeProfile(guest, 'trial', profile(['module_blacklist=virtio_blk', 'rootdelay=1']));
  await arm(guest, check, before);
  const logged = (await guest.serialLog()).length;
  const seconds = await guest.reboot(900);
  const after = await readBoot(guest);
  const log = (await guest.serialLog()).slice(logged);
  check(
    /hft\.trial=.*module_blacklist=virtio_blk/.test(log),
    'a trial that does not find its root was booted',
    log.slice(-300),
  );
  check(
    after.commandLine === before.commandLine,
    `it fell back to the default entry (${seconds.toFixed(0)} s)`,
    after.commandLine,
  );
  await waitForTuneUnit(guest);
  const cleared = await readBoot(guest);
  check(
    cleared.files === before.files && cleared.variables.OneShot === undefined,
    'the trial is cleared away',
    cleared.files,
  );
}

/** The power goes right after the undo: what hft calls done must be on the disk, also on vfat, which has no journal. */
async function undo(guest: Guest, check: Check, before: Boot): Promise<void> {
  const undone = await hft(guest, 'rollback --all');
  const bootId = await guest.bootId();
  await guest.powerCut();
  check(undone.code === 0, 'hft rollback --all ends with 0, and the power goes', endOf(undone));
  await guest.start();
  await guest.waitBoot({ notBootId: bootId });
  const after = await readBoot(guest);
  check(after.commandLine === before.commandLine, 'the kernel boots with its old arguments', after.commandLine);
  check(after.files === before.files, 'the EFI partition and /etc/kernel/cmdline are as they were', [
    before.files,
    after.files,
  ]);
  const [old, now] = [before, after].map(({ variables }) => JSON.stringify(variables));
  check(now === old, 'and so are the EFI variables', [old, now]);
}

function profile(extra: readonly string[]): string {
  return `layout: { isolated: { cores: 1 } }
memory: { swappiness: 0 }
isolation: { method: boot }
boot: { arguments: [${['skew_tick=1', ...extra].join(', ')}], trial: on }
`;
}

/** What the boot loader reads, and what it did. */
interface Boot {
  /** Of the running kernel, without `initrd=` and `systemd.machine_id=`: the lab's own entry has others. */
  readonly commandLine: string;
  /** Sums of the files on the EFI partition and of those that new entries are made from, a line each. */
  readonly files: string;
  /** The command lines in them. */
  readonly options: readonly string[];
  /** The loader's choices and the firmware's boot entries, by name. */
  readonly variables: Readonly<Record<string, string>>;
}

async function readBoot(guest: Guest): Promise<Boot> {
  const [commandLine = '', files = '', options = '', variables = ''] = (
    await guest.read(
      `cat /proc/cmdline; echo ==
find ${espFolder} /etc/kernel /etc/hft -type f ! -name random-seed -exec md5sum {} + | sort -k 2; echo ==
cat ${espFolder}/loader/entries/*.conf /etc/kernel/cmdline | grep root=; echo ==
cd /sys/firmware/efi/efivars
for v in LoaderEntryOneShot-* LoaderEntryDefault-*; do [ ! -e $v ] || echo "$v $(cat $v | tail -c +5 | tr -d '\\0')"; done
md5sum BootOrder-* Boot0* | while read -r sum v; do echo "$v $sum"; done`,
    )
  ).split('==\n');
  const named = variables
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => /^(?:LoaderEntry)?(?<name>\w+)-\S+ (?<value>.*)$/.exec(line)?.groups ?? {});
  return {
    commandLine: commandLine.replace(/(?:initrd|systemd\.machine_id)=\S+\s*/g, '').trim(),
    files,
    options: options.trim().split('\n'),
    variables: Object.fromEntries(named.map(({ name = '', value = '' }) => [name, value])),
  };
}

function withoutTrial(files: string): string {
  return files
    .split('\n')
    .filter((line) => !line.includes('-hft-trial.conf'))
    .join('\n');
}
