import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, needHft, writeProfile } from '../hft.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name = 'the power goes while hft writes boot files: the host boots, and everything is put back';
export const kernels = ['stock'] as const;

/** `trial: off` writes grub.cfg itself, which is the most that can go wrong. */
const profile = `
memory: { swappiness: 0 }
boot: { trial: off, arguments: [skew_tick=1] }
`;

const moments = [
  { what: 'while the boot menu is made anew', sign: 'ls /etc/default/grub.d/*hft* 2>/dev/null' },
  { what: 'when the new boot menu is in place', sign: 'grep -q skew_tick=1 /boot/grub/grub.cfg' },
];

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  await writeProfile(guest, 'power', profile);
  // Else the first cut can take the profile itself away, which was written a moment before.
  await guest.ssh('sync');
  const before = await captureState(guest);
  for (const moment of moments) await cutPower(guest, check, moment);
  await guest.reboot();
  const differences = diffStates(before, await captureState(guest)).map(printDifference);
  check(differences.length === 0, 'after a last reboot the whole readable state is what it was before', differences);
}

async function cutPower(guest: Guest, check: Check, { what, sign }: (typeof moments)[number]): Promise<void> {
  const bootId = await guest.bootId();
  const script = `nohup hft tune --profile /root/power.yaml --no-persist --yes > /root/power.log 2>&1 &
pid=$!
while kill -0 $pid; do if ${sign} > /dev/null; then echo seen; exit; fi; done
cat /root/power.log >&2`;
  const seen = await guest.ssh('bash -s', { input: script, timeoutS: 300, allowFail: true });
  await guest.powerCut();
  check(seen.stdout.includes('seen'), `the power is cut ${what}`, seen.stdout || seen.stderr);
  await guest.start();
  await guest.waitBoot({ notBootId: bootId });
  const commandLine = await guest.read('cat /proc/cmdline');
  check(/root=/.test(commandLine), `${what}: the host boots`, commandLine);
  const status = await hft(guest, 'status');
  const isReadable = (status.code ?? 255) < 2;
  check(isReadable, `${what}: hft can read its journal`, status.stdout || status.stderr);
  const undone = await hft(guest, 'rollback');
  check(undone.code === 0, `${what}: hft rollback puts everything back`, endOf(undone));
  const left = await guest.ssh('grep -l skew_tick /boot/grub/*.cfg* /etc/default/grub* /etc/default/grub.d/*', {
    allowFail: true,
  });
  check(left.stdout === '', `${what}: nothing of it is left in the boot files`, left.stdout);
}
