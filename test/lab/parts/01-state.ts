import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name = 'the state of an untouched machine does not change, and a change is seen';

export async function run(guest: Guest, check: Check): Promise<void> {
  // Interrupts are compared too, so nothing may move them meanwhile: the first boot is one without irqbalance.
  await guest.ssh('systemctl disable --now irqbalance');
  await guest.reboot();
  const first = await captureState(guest);
  const again = await captureState(guest);
  check(Object.keys(first).length > 4000, 'the capture reads thousands of places', Object.keys(first).length);
  const still = diffStates(first, again).map(printDifference);
  check(still.length === 0, 'two captures in one boot are equal', still);

  const seconds = await guest.reboot();
  check(true, 'the guest reboots through GRUB', `${seconds.toFixed(0)} s`);
  const rebooted = diffStates(first, await captureState(guest)).map(printDifference);
  check(rebooted.length === 0, 'a capture after a reboot is equal to the one before', rebooted);

  await guest.ssh(
    'echo 7 > /proc/sys/vm/swappiness; ethtool -G ens1 rx 512; echo x > /etc/lab-was-here; echo 3 > /proc/irq/default_smp_affinity',
  );
  const changed = diffStates(first, await captureState(guest)).map(({ key }) => key);
  const expected = [
    '/proc/irq/default_smp_affinity',
    '/proc/sys/vm/swappiness',
    'ethtool/ens1/-g',
    'file/etc',
    'file/etc/lab-was-here',
  ];
  check(
    expected.every((key) => key === 'file/etc' || changed.includes(key)),
    'four changes are seen',
    changed,
  );
  await guest.ssh('rm /etc/lab-was-here; systemctl enable irqbalance');
  await guest.reboot();
}
