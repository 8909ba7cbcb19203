import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';

export const name = 'a new command line is tried once; what panics, hangs or does not come up falls back by itself';

const ARGUMENTS = ['isolcpus=managed_irq,domain,2-3', 'nohz_full=2-3', 'skew_tick=1'];
const PROFILE = '/root/trial.yaml';

function profile(extra: readonly string[]): string {
  const given = ['skew_tick=1', ...extra].join(', ');
  return `name: trial
description: kernel arguments only
layout:
  isolated: { cores: 1 }
isolation:
  method: boot
boot:
  arguments: [${given}]
  trial: on
`;
}

export async function run(guest: Guest, check: Check): Promise<void> {
  const before = await bootFiles(guest);
  await promoted(guest, check, before);
  await fallsBack(guest, check, {
    what: 'a trial that does not find its root',
    extra: ['module_blacklist=virtio_blk', 'rootdelay=1'],
    fail: async () => {},
  });
  await fallsBack(guest, check, {
    what: 'a trial whose PID 1 stops, by the hardware watchdog,',
    extra: ['systemd.mask=hft-tune.service'],
    fail: async () => {
      await guest.waitBoot();
      check(
        (await guest.read('cat /proc/cmdline')).includes('hft.trial='),
        'the machine runs the trial before it hangs',
        '',
      );
      await waitFor(guest, 'journalctl -b -o cat _PID=1 | grep -c "Watchdog running with a hardware timeout"');
      await guest.ssh('kill -SEGV 1', { allowFail: true, timeoutS: 20 });
    },
  });
  await guest.ssh('hft rollback --all --yes', { allowFail: true, timeoutS: 300 });
  check(
    (await bootFiles(guest)) === before,
    'at the end the boot files are as in the beginning',
    await bootFiles(guest),
  );
}

async function promoted(guest: Guest, check: Check, before: string): Promise<void> {
  await tune(guest, check, []);
  const armed = await bootFiles(guest);
  check(armed.includes("menuentry 'hft trial'"), 'the trial has an entry of its own', armed);
  check(grubCfg(armed) === grubCfg(before), 'grub.cfg is untouched while the trial waits', armed);

  await guest.reboot();
  const cmdline = await guest.read('cat /proc/cmdline');
  check(
    [...ARGUMENTS, 'hft.trial='].every((text) => cmdline.includes(text)),
    'the next boot is the trial',
    cmdline,
  );
  await waitFor(guest, 'systemctl show -p ActiveState --value hft-tune.service | grep -cx -e active -e failed');
  const after = await bootFiles(guest);
  check(
    ARGUMENTS.every((text) => grubCfg(after).includes(text)),
    'a trial that verifies becomes the default entry',
    after,
  );
  check(!after.includes('hft trial'), 'nothing of the trial is left', after);

  await guest.reboot();
  const lasting = await guest.read(
    'cat /proc/cmdline; cat /sys/devices/system/cpu/isolated /sys/devices/system/cpu/nohz_full',
  );
  check(!lasting.includes('hft.trial'), 'the boot after that is an ordinary one', lasting);
  check(lasting.endsWith('2-3\n2-3'), 'the kernel has the CPUs isolated', lasting);
  const verify = await guest.ssh(`hft verify settings --profile ${PROFILE}`, { allowFail: true, timeoutS: 120 });
  check(verify.code === 0, 'everything verifies', verify.stdout + verify.stderr);

  const undone = await guest.ssh('hft rollback --all --yes', { allowFail: true, timeoutS: 300 });
  check(undone.code === 0, 'it is rolled back', undone.stdout + undone.stderr);
  check((await bootFiles(guest)) === before, 'the boot files are as before', await bootFiles(guest));
  await guest.reboot();
  const gone = await guest.read('cat /proc/cmdline');
  check(!ARGUMENTS.some((text) => gone.includes(text)), 'after a reboot the arguments are gone', gone);
}

interface Failing {
  readonly what: string;
  readonly extra: readonly string[];
  /** Brings the trial boot down; called once the guest reboots. */
  readonly fail: () => Promise<void>;
}

async function fallsBack(guest: Guest, check: Check, { what, extra, fail }: Failing): Promise<void> {
  await tune(guest, check, extra);
  const started = await guest.bootId();
  await guest.ssh('systemctl reboot', { allowFail: true, timeoutS: 20 });
  await fail();
  await waitOrdinaryBoot(guest, started);
  const cmdline = await guest.read('cat /proc/cmdline');
  check(!cmdline.includes('hft.trial'), `${what} falls back to the default entry`, cmdline);
  check((await guest.serialLog()).includes('hft.trial='), 'after the trial was booted', '');
  await waitFor(
    guest,
    'systemctl show -p ActiveState --value hft-tune.service | grep -cx -e active -e failed -e inactive',
  );
  const status = await guest.ssh('hft status', { allowFail: true, timeoutS: 60 });
  check(
    !(await bootFiles(guest)).includes('hft trial'),
    'the trial entry is cleared away',
    status.stdout + status.stderr,
  );
  check(!grubCfg(await bootFiles(guest)).includes('isolcpus'), 'the default entry never had the arguments', '');
  await guest.ssh('hft rollback --all --yes', { allowFail: true, timeoutS: 300 });
}

async function tune(guest: Guest, check: Check, extra: readonly string[]): Promise<void> {
  await guest.ssh(`cat > ${PROFILE}`, { input: profile(extra) });
  const tuned = await guest.ssh(`hft tune --profile ${PROFILE} --yes`, { allowFail: true, timeoutS: 300 });
  check(tuned.code === 5, 'tune ends with a reboot to be made', tuned.stdout + tuned.stderr);
}

/** The trial can still answer for a moment: an ordinary boot is one without its mark. */
async function waitOrdinaryBoot(guest: Guest, notBootId: string): Promise<void> {
  for (let tries = 0; tries < 4; tries++) {
    await guest.waitBoot({ notBootId, timeoutS: 600 });
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
