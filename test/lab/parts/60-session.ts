import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, needHft, writeProfile } from '../hft.ts';

export const name = 'a change to the NIC of the session is kept when confirmed, and else taken back by the host itself';
export const kernels = ['stock'] as const;

const usual = '1500';
const wanted = '1400';

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const nic = await guest.read("ip -o route get 10.0.2.2 | sed 's/.* dev \\([^ ]*\\).*/\\1/'");
  await writeProfile(guest, 'session', `nic:\n  trading: [${nic}]\n  mtu: ${wanted}\n  txqueuelen: 500\n`);
  await loseSession(guest, check, nic);
  await confirmIt(guest, check, nic);
  await comeBackAnew(guest, check, nic);
  const left = await guest.read("systemctl list-units 'hft-guard-*' --no-legend --plain");
  check(left === '', 'no guard is left running', left);
}

async function tune(guest: Guest, check: Check, within: string): Promise<void> {
  const tuned = await hft(guest, `tune --profile /root/session.yaml --no-persist --yes --confirm-within ${within}`);
  const said = tuned.stderr.includes('carries your session') && tuned.stdout.includes('hft confirm');
  check(tuned.code === 0 && said, 'hft tune says that it waits for a confirmation', endOf(tuned));
}

async function readMtu(guest: Guest, nic: string): Promise<string> {
  return guest.read(`cat /sys/class/net/${nic}/mtu`);
}

/** The link is cut before anybody confirms. The host tells on its console when it has taken the change back. */
async function loseSession(guest: Guest, check: Check, nic: string): Promise<void> {
  const mark = `session-part: mtu is ${usual} again`;
  await tune(guest, check, '60s');
  check((await readMtu(guest, nic)) === wanted, `the MTU of ${nic} is ${wanted} while it waits`);
  await guest.ssh(
    `nohup sh -c 'while sleep 1; do [ $(cat /sys/class/net/${nic}/mtu) = ${usual} ] && exec echo "${mark}" > /dev/ttyS0; done' ` +
      '> /dev/null 2>&1 < /dev/null &',
  );
  await guest.monitor('set_link', { name: 'management', up: false });
  const seconds = await waitForConsole(guest, mark, 240);
  check(
    seconds !== undefined,
    'without a link the host takes the change back by itself',
    `${seconds?.toFixed(0)} s after the cut`,
  );
  await guest.monitor('set_link', { name: 'management', up: true });
  // Not a boot: until it answers again through a fresh connection.
  await guest.waitBoot();
  check((await readMtu(guest, nic)) === usual, `and it is reachable again, with ${nic} as it was before`);
  const status = await hft(guest, 'status');
  check(
    status.code === 0 && status.stdout.includes('no profile in force'),
    'hft status: nothing is in force',
    status.stdout,
  );
}

async function waitForConsole(guest: Guest, text: string, timeoutS: number): Promise<number | undefined> {
  const startMs = performance.now();
  while (performance.now() - startMs < timeoutS * 1000) {
    if ((await guest.serialLog()).includes(text)) return (performance.now() - startMs) / 1000;
    await sleep(1000);
  }
  return undefined;
}

async function confirmIt(guest: Guest, check: Check, nic: string): Promise<void> {
  await tune(guest, check, '10m');
  const confirmed = await hft(guest, 'confirm');
  check(confirmed.code === 0, 'hft confirm keeps the run', confirmed.stdout || confirmed.stderr);
  const guards = await waitUntilEmpty(guest, "systemctl list-units 'hft-guard-*' --no-legend --plain");
  check(guards === '', 'and its guard ends', guards);
  await rollBack(guest, check, nic);
}

async function comeBackAnew(guest: Guest, check: Check, nic: string): Promise<void> {
  await tune(guest, check, '10m');
  // Drops the shared connection and comes in anew, as somebody does who looks whether the host is still there.
  await guest.waitBoot();
  const guards = await waitUntilEmpty(guest, "systemctl list-units 'hft-guard-*' --no-legend --plain");
  check(guards === '', 'a fresh connection shows that the host can be reached: its guard ends', guards);
  const status = await hft(guest, 'status');
  check(status.code === 0 && !status.stdout.includes('waiting'), 'and the run is kept', status.stdout);
  await rollBack(guest, check, nic);
}

async function rollBack(guest: Guest, check: Check, nic: string): Promise<void> {
  check((await readMtu(guest, nic)) === wanted, `the MTU of ${nic} is kept`);
  const undone = await hft(guest, 'rollback');
  check(undone.code === 0 && (await readMtu(guest, nic)) === usual, 'and hft rollback takes it back', undone.stdout);
}

async function waitUntilEmpty(guest: Guest, command: string): Promise<string> {
  return guest.read(`for i in $(seq 60); do out=$(${command}); [ -n "$out" ] || exit 0; sleep 1; done; echo "$out"`);
}
