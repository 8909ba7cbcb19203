import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, needHft, writeProfile } from '../hft.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name = 'another profile: nothing of the one before is left, and all of it can be taken back';
export const kernels = ['stock'] as const;

const first = `
layout: { isolated: { cores: 1 }, smt: siblings-offline }
kernel: { threads: { cpus: housekeeping }, workqueues: { cpus: housekeeping } }
memory: { swappiness: 0, thp: { enabled: never } }
network: { somaxconn: 8192 }
irq: { others: housekeeping, default: housekeeping }
services: { apt-daily.timer: stopped }
limits: { users: { root: { memlock: unlimited } } }
`;
const second = `
layout: { isolated: { cores: 0 } }
memory: { swappiness: 10, stat_interval: 10s }
services: { fstrim.timer: stopped }
`;

interface Plan {
  readonly changes: readonly { readonly id: string; readonly leftBy?: { readonly profile: string } }[];
  readonly kept: readonly { readonly id: string }[];
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  // Between two profiles irqbalance would run again and place interrupts as it likes: nothing could be compared.
  await guest.ssh('systemctl disable --now irqbalance');
  await writeProfile(guest, 'first', first);
  await writeProfile(guest, 'second', second);
  const before = await captureState(guest);
  await tune(guest, check, 'second');
  const alone = await captureState(guest);
  await rollBack(guest, check);
  await expectSame(guest, check, { wanted: before, what: 'the second profile alone is gone without a trace' });

  await tune(guest, check, 'first');
  await guest.ssh('sysctl -qw net.core.somaxconn=5000');
  const { json } = await hftJson<Plan>(guest, 'plan --profile /root/second.yaml');
  const back = json.changes.filter(({ leftBy }) => leftBy?.profile === 'first').map(({ id }) => id);
  check(back.includes('memory.thp@enabled'), 'the plan shows what goes back, and whose it was', back);
  const kept = json.kept.map(({ id }) => id);
  check(kept.join() === 'network.sysctl@net.core.somaxconn', "and what stays, being an administrator's", kept);
  await guest.ssh('sysctl -qw net.core.somaxconn=8192');
  await tune(guest, check, 'second');
  await expectSame(guest, check, { wanted: alone, what: 'nothing of the first profile is left' });
  await rollBack(guest, check);
  await expectSame(guest, check, { wanted: before, what: 'the whole readable state is what it was before' });
  await guest.ssh('systemctl enable --now irqbalance');
}

/** Where the NIC of the session is among what is moved, the run waits for its confirmation. */
async function tune(guest: Guest, check: Check, profile: string): Promise<void> {
  const tuned = await hft(guest, `tune --profile /root/${profile}.yaml --no-persist --yes`);
  check(tuned.code === 0, `hft tune --profile ${profile} ends with 0`, endOf(tuned));
  await hft(guest, 'confirm');
}

async function rollBack(guest: Guest, check: Check): Promise<void> {
  const undone = await hft(guest, 'rollback --all');
  check(undone.code === 0, 'hft rollback --all ends with 0', endOf(undone));
}

async function expectSame(
  guest: Guest,
  check: Check,
  { wanted, what }: { wanted: Awaited<ReturnType<typeof captureState>>; what: string },
): Promise<void> {
  const differences = diffStates(wanted, await captureState(guest)).map(printDifference);
  check(differences.length === 0, what, differences);
}
