import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';

export const name = 'a boot entry that panics or hangs falls back to the one before, and a power cut is survived';

/** One boot each, chosen by grub-reboot; GRUB forgets the choice before it boots it. */
const entries = {
  'lab-panic': 'init=/nonexistent panic=5',
  'lab-hang': 'break=premount',
};

export async function run(guest: Guest, check: Check): Promise<void> {
  await addEntries(guest);
  const marker = await guest.bootId();
  await guest.ssh('grub-reboot lab-panic');
  const afterPanic = await rebootInto(guest, 900);
  const panicLog = await guest.serialLog();
  check(panicLog.includes('Booting `lab-panic'), 'the entry without an init was booted once');
  check(
    afterPanic !== marker,
    'panic=5 reset it, and GRUB fell back to the default entry',
    await readCommandLine(guest),
  );

  await guest.ssh('modprobe -a ipmi_si ipmi_devintf');
  // Set Watchdog Timer (IPMI 2.0, 27.6): use "OS load", action "hard reset", 60 s in steps of 100 ms; then start it.
  await guest.ssh('ipmitool raw 0x06 0x24 0x03 0x01 0x00 0x00 0x58 0x02 && ipmitool raw 0x06 0x22');
  await guest.ssh('grub-reboot lab-hang');
  await rebootInto(guest, 900);
  check(
    (await guest.serialLog()).includes('Booting `lab-hang'),
    'the entry that hangs in the initramfs was booted once',
  );
  const commandLine = await readCommandLine(guest);
  check(
    !commandLine.includes('break='),
    "the management controller's watchdog reset it, and GRUB fell back",
    commandLine,
  );
  const environment = await guest.read('grub-editenv list');
  check(!/next_entry=./.test(environment), 'no boot choice is left over', environment);

  await guest.ssh(
    'rm -f /etc/grub.d/42_lab && update-grub && echo kept > /root/kept && sync && echo lost > /root/lost',
  );
  await guest.powerCut();
  await guest.start();
  await guest.waitBoot();
  check((await guest.read('cat /root/kept')) === 'kept', 'what was synced before a power cut is there after it');
  const failed = await guest.read('systemctl is-system-running', { allowFail: true });
  check(failed === 'running', 'systemd reports a healthy machine', failed);
  await guest.ssh('rm -f /root/kept /root/lost');
}

async function addEntries(guest: Guest): Promise<void> {
  const lines = Object.entries(entries).map(([id, args]) => `entry ${id} '${args}'`);
  const script = `#!/bin/sh
u=$(findmnt -n -o UUID /)
v=$(uname -r)
entry() {
  printf "menuentry '%s' --id %s {\\n insmod ext2\\n search --no-floppy --fs-uuid --set=root $u\\n" "$1" "$1"
  printf " linux /boot/vmlinuz-$v root=UUID=$u ro console=ttyS0,115200 %s\\n initrd /boot/initrd.img-$v\\n}\\n" "$2"
}
${lines.join('\n')}
`;
  await guest.ssh('cat > /etc/grub.d/42_lab && chmod +x /etc/grub.d/42_lab && update-grub', { input: script });
}

/** Reboots and waits for the boot after the one that never answers. */
async function rebootInto(guest: Guest, timeoutS: number): Promise<string> {
  const before = await guest.bootId();
  await guest.ssh('systemctl reboot', { allowFail: true, timeoutS: 20 });
  return guest.waitBoot({ notBootId: before, timeoutS });
}

async function readCommandLine(guest: Guest): Promise<string> {
  return guest.read('cat /proc/cmdline');
}
