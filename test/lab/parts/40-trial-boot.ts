import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { needHft, waitForTuneUnit } from '../hft.ts';

export const name =
  'a trial boot that panics, hangs or does not verify falls back to the untouched default entry by itself';

const PROFILE = '/root/trial.yaml';
const BOOT_TIMEOUT_S = 600;

function profile(extra: readonly string[]): string {
  const given = ['skew_tick=1', ...extra].join(', ');
  return `name: trial
description: kernel arguments only
layout:
  isolated: { cores: 1 }
memory:
  swappiness: 0
isolation:
  method: boot
boot:
  arguments: [${given}]
  trial: on
`;
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  await steadyTimer(guest);
  const before = await bootFiles(guest);
  await fallsBack(guest, check, {
    what: 'a trial that does not find its root',
    extra: ['module_blacklist=virtio_blk', 'rootdelay=1'],
    fail: async () => {},
  });
  await fallsBack(guest, check, {
    what: 'a trial whose PID 1 stops, by the hardware watchdog,',
    extra: ['systemd.mask=hft-tune.service'],
    fail: async (notBootId) => {
      await guest.waitBoot({ notBootId, timeoutS: BOOT_TIMEOUT_S });
      check(
        (await guest.read('cat /proc/cmdline')).includes('hft.trial='),
        'the machine runs the trial before it hangs',
        '',
      );
      await waitFor(guest, 'journalctl -b -o cat _PID=1 | grep -c "Watchdog running with a hardware timeout"');
      await guest.ssh('kill -SEGV 1', { allowFail: true, timeoutS: 20 });
    },
  });
  await installRival(guest);
  await fallsBack(guest, check, {
    what: 'a trial that boots and does not verify',
    extra: ['nosoftlockup'],
    fail: async () => {},
  });
  await removeRival(guest);
  check(
    (await bootFiles(guest)) === before,
    'at the end the boot files are as in the beginning',
    await bootFiles(guest),
  );
}

/**
 * On a busy host the emulated timer can be so late that the kernel gives up ("timer doesn't work through
 * Interrupt-remapped IO-APIC") and panics: no fault of a trial. An argument of the user's own, which hft keeps.
 */
async function steadyTimer(guest: Guest): Promise<void> {
  await guest.ssh(
    `grep -q no_timer_check /etc/default/grub || { sed -i 's/^GRUB_CMDLINE_LINUX="/&no_timer_check /' /etc/default/grub; update-grub; }`,
    { timeoutS: 300 },
  );
}

const RIVAL = '/etc/systemd/system/rival.service';

/** A tool that sets one of the profile's values back all the time, on the trial boot only. */
async function installRival(guest: Guest): Promise<void> {
  const input = `[Unit]
DefaultDependencies=no
Before=hft-tune.service
ConditionKernelCommandLine=hft.trial
[Service]
ExecStart=/bin/sh -c 'while sleep 0.05; do echo 60 > /proc/sys/vm/swappiness; done'
[Install]
WantedBy=sysinit.target
`;
  await guest.ssh(`cat > ${RIVAL} && systemctl enable rival.service`, { input });
}

async function removeRival(guest: Guest): Promise<void> {
  await guest.ssh(`systemctl disable rival.service && rm ${RIVAL}`);
}

interface Failing {
  readonly what: string;
  readonly extra: readonly string[];
  /** Brings the trial boot down; called with the id of the boot before it, once the guest reboots. */
  readonly fail: (bootId: string) => Promise<void>;
}

async function fallsBack(guest: Guest, check: Check, { what, extra, fail }: Failing): Promise<void> {
  await tune(guest, check, extra);
  const started = await guest.bootId();
  const logged = (await guest.serialLog()).length;
  await guest.ssh('systemctl reboot', { allowFail: true, timeoutS: 20 });
  await fail(started);
  await waitOrdinaryBoot(guest, started);
  const cmdline = await guest.read('cat /proc/cmdline');
  check(!cmdline.includes('hft.trial'), `${what} falls back to the default entry`, cmdline);
  const log = (await guest.serialLog()).slice(logged);
  check(log.includes('hft.trial='), 'after the trial was booted', log.slice(-300));
  await waitForTuneUnit(guest);
  const status = await guest.ssh('hft status', { allowFail: true, timeoutS: 60 });
  check(
    !(await bootFiles(guest)).includes('hft trial'),
    'the trial entry is cleared away',
    status.stdout + status.stderr,
  );
  check(!grubCfg(await bootFiles(guest)).includes('isolcpus'), 'the default entry never had the arguments', '');
  const undone = await guest.ssh('hft rollback --all', { allowFail: true, timeoutS: 300 });
  check(undone.code === 0, 'what else the profile changed is rolled back', undone.stdout + undone.stderr);
}

async function tune(guest: Guest, check: Check, extra: readonly string[]): Promise<void> {
  const before = grubCfg(await bootFiles(guest));
  await guest.ssh(`cat > ${PROFILE}`, { input: profile(extra) });
  const tuned = await guest.ssh(`hft tune --profile ${PROFILE} --yes`, { allowFail: true, timeoutS: 300 });
  check(tuned.code === 5, 'tune ends with a reboot to be made', tuned.stdout + tuned.stderr);
  const armed = await bootFiles(guest);
  check(armed.includes("menuentry 'hft trial'"), 'the trial has an entry of its own', armed);
  check(grubCfg(armed) === before, 'grub.cfg is untouched while the trial waits', armed);
}

/** The trial can still answer for a moment: an ordinary boot is one without its mark. */
async function waitOrdinaryBoot(guest: Guest, notBootId: string): Promise<void> {
  for (let tries = 0; tries < 12; tries++) {
    await guest.waitBoot({ notBootId, timeoutS: BOOT_TIMEOUT_S });
    const answer = await guest.ssh('cat /proc/cmdline', { allowFail: true, timeoutS: 15 });
    if (answer.code === 0 && !answer.stdout.includes('hft.trial')) return;
    await new Promise((resolve) => setTimeout(resolve, 30_000));
  }
}

async function waitFor(guest: Guest, command: string): Promise<void> {
  await guest.ssh(`for i in $(seq 120); do ${command} > /dev/null && exit 0; sleep 1; done; exit 1`, { timeoutS: 300 });
}

function bootFiles(guest: Guest): Promise<string> {
  return guest.read(
    'for f in /boot/grub/grub.cfg /boot/grub/custom.cfg /boot/grub/grub.cfg.* /etc/default/grub /etc/default/grub.d/*; do [ ! -e $f ] || { echo "== $f"; cat $f; }; done',
  );
}

function grubCfg(files: string): string {
  return files.split('== ').find((part) => part.startsWith('/boot/grub/grub.cfg\n')) ?? '';
}
