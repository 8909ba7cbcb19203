import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, needHft, writeProfile } from '../hft.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name = 'hft killed anywhere, stopped, doubled or without disk leaves the host as it was before';
export const kernels = ['stock'] as const;

/** Something of most kinds, and quick to make: values, threads, a NIC with a shape of its own, units, files. */
const profile = `
kernel:
  timer_migration: off
  scheduler: { migration_cost_ns: 5000000 }
  watchdogs: { cpus: housekeeping }
  workqueues: { cpus: housekeeping }
  threads: { cpus: housekeeping }
memory:
  thp: { enabled: never, defrag: never }
  swappiness: 0
  dirty: { limit: 64M, background: 32M }
network:
  rmem_max: 134217728
  tcp_rmem: [4096, 87380, 67108864]
nic:
  trading: [driver=igb]
  rings: { rx: 1024, tx: 1024 }
  offloads: { tso: off, gro: off }
services:
  irqbalance: stopped
`;
const bootProfile = `${profile}boot: { arguments: [skew_tick=1, nosoftlockup] }\n`;
const points = 17;

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const lab = await prepare(guest);
  const before = await captureState(guest);
  const moments = await listMoments(lab, check);
  for (let point = 0; point < points; point += 1) {
    const records = moments[Math.round((point * (moments.length - 1)) / points)] ?? 0;
    await killAndRollBack(lab, check, { profile: 'kill', records });
  }
  await killTrial(lab, check);
  await killAndTuneAgain(lab, check, moments[Math.round(moments.length / 2)] ?? 0);
  await tuneTwice(lab, check);
  await interrupt(lab, check);
  for (const size of ['4k', '8k']) await fillDisk(lab, check, size);
  const differences = diffStates(before, await captureState(guest)).map(printDifference);
  check(differences.length === 0, 'after all of it the whole readable state is what it was before', differences);
}

interface Lab {
  readonly guest: Guest;
  readonly state: () => Promise<string>;
  /** What `state` has to give after every undo. */
  readonly before: string;
}

async function prepare(guest: Guest): Promise<Lab> {
  for (const script of ['kill-tune.sh', 'kill-state.sh']) {
    const input = await readFile(path.join(import.meta.dirname, '..', script), 'utf8');
    await guest.ssh(`cat > /root/${script}`, { input });
  }
  await writeProfile(guest, 'kill', profile);
  await writeProfile(guest, 'boot', bootProfile);
  const nic = await guest.read('basename /sys/bus/pci/drivers/igb/*/net/*');
  const state = () => guest.read(`bash /root/kill-state.sh ${nic}`);
  return { guest, state, before: await state() };
}

/** A whole run, for the lengths that its journal had one after the other: intents that stand together came at once. */
async function listMoments({ guest, state, before }: Lab, check: Check): Promise<readonly number[]> {
  const whole = await hft(guest, 'tune --profile /root/kill.yaml --no-persist --yes');
  check(whole.code === 0, 'the profile is applied when nobody interrupts', endOf(whole));
  const journal = (await guest.read('cat $(ls -t /var/lib/hft/journal/*.jsonl | head -1)')).trim().split('\n');
  const isIntent = journal.map((line) => line.includes('"type":"intent"'));
  const moments = isIntent.flatMap((intent, index) => (intent && isIntent[index + 1] ? [] : [index + 1]));
  check((await state()) !== before, `it changes the host, in ${journal.length} records`);
  await hft(guest, 'rollback');
  checkSame(check, 'and rollback brings everything back', { before, now: await state() });
  return [0, ...moments];
}

interface Kill {
  readonly profile: 'kill' | 'boot';
  readonly records: number;
}

async function killAndRollBack(
  { guest, state, before }: Lab,
  check: Check,
  { profile: of, records }: Kill,
): Promise<void> {
  const persist = of === 'boot' ? '' : '--no-persist';
  const command = `bash /root/kill-tune.sh ${records} --profile /root/${of}.yaml ${persist} --yes`;
  const [found, ended] = (await guest.read(command, { timeoutS: 300 })).split(' ');
  const undone = await hft(guest, 'rollback');
  const at = `killed at ${found} records${ended === '0' ? '' : ', when it was through'} (${of})`;
  // Killed before its first record a run has never been.
  const saysSo = /Everything is as it was|Nothing to undo: no run of hft is in force/.test(undone.stdout);
  check(undone.code === 0 && saysSo, `${at}: rollback says so`, undone.stdout);
  checkSame(check, `${at}: everything is as it was`, { before, now: await state() });
}

/** With kernel arguments: the trial entry, the one-time choice and the units are the last that is written. */
async function killTrial(lab: Lab, check: Check): Promise<void> {
  const { guest } = lab;
  const whole = await hft(guest, 'tune --profile /root/boot.yaml --yes');
  check(whole.code === 5, 'with kernel arguments it ends with 5', endOf(whole));
  const total = Number(await guest.read('cat $(ls -t /var/lib/hft/journal/*.jsonl | head -1) | wc -l'));
  await hft(guest, 'rollback');
  for (const left of [12, 7, 3]) await killAndRollBack(lab, check, { profile: 'boot', records: total - left });
}

async function killAndTuneAgain({ guest, state, before }: Lab, check: Check, records: number): Promise<void> {
  await guest.ssh(`bash /root/kill-tune.sh ${records} --profile /root/kill.yaml --no-persist --yes`, { timeoutS: 300 });
  const status = await hft(guest, 'status');
  check(
    status.code === 1 && status.stdout.includes('cut off'),
    'hft status tells of the run that was cut off',
    status.stdout,
  );
  const again = await hft(guest, 'tune --profile /root/kill.yaml --no-persist --yes');
  const said = again.stderr.includes('An earlier run was cut off; it was undone first');
  check(again.code === 0 && said, 'the next hft tune undoes it first, says so, and applies', endOf(again));
  await hft(guest, 'rollback --all');
  checkSame(check, 'and rollback --all brings everything back', { before, now: await state() });
}

/** The first is held in the middle, so that the second meets it for certain. */
async function tuneTwice({ guest, state, before }: Lab, check: Check): Promise<void> {
  const first = startAndWait('tune --profile /root/kill.yaml --no-persist --yes', 5);
  const script = `${first}
kill -STOP $pid
hft tune --profile /root/kill.yaml --no-persist --yes > /root/second.log 2>&1
echo "second $?"
kill -CONT $pid
wait $pid
echo "first $? pid $pid"
cat /root/second.log >&2`;
  const both = await guest.ssh('bash -s', { input: script, timeoutS: 300, allowFail: true });
  const pid = /pid (\d+)/.exec(both.stdout)?.[1] ?? 'none';
  check(/^second 3$/m.test(both.stdout), 'a second hft tune beside the first exits 3', both.stdout);
  check(both.stderr.includes(pid), `and names the process that is at work, ${pid}`, both.stderr.slice(-500));
  check(/^first 0/m.test(both.stdout), 'the first goes on and ends well', both.stdout);
  await hft(guest, 'rollback');
  checkSame(check, 'and rollback brings everything back', { before, now: await state() });
}

async function interrupt({ guest, state, before }: Lab, check: Check): Promise<void> {
  const script = `${startAndWait('tune --profile /root/kill.yaml --no-persist --yes', 10)}
kill -INT $pid
wait $pid
echo "code $?"
cat /root/first.log`;
  const { stdout } = await guest.ssh('bash -s', { input: script, timeoutS: 300 });
  check(
    /^code 3$/m.test(stdout) && stdout.includes('interrupted'),
    'Ctrl-C in the middle: undone, exit 3',
    stdout.slice(-600),
  );
  checkSame(check, 'and everything is as it was', { before, now: await state() });
  const status = await hft(guest, 'status');
  check(
    status.code === 0 && status.stdout.includes('no profile in force'),
    'hft status: nothing is in force',
    status.stdout,
  );
}

/** Bash that starts hft in the background and goes on when its journal holds so many records. */
function startAndWait(args: string, records: number): string {
  return `shopt -s nullglob
old=(/var/lib/hft/journal/*.jsonl)
hft ${args} > /root/first.log 2>&1 &
pid=$!
files=("\${old[@]}")
while [ "\${#files[@]}" -eq "\${#old[@]}" ] && kill -0 $pid; do files=(/var/lib/hft/journal/*.jsonl); done
lines=()
while [ "\${#lines[@]}" -lt ${records} ] && kill -0 $pid; do mapfile -t lines < "\${files[-1]}"; done`;
}

async function fillDisk({ guest, state, before }: Lab, check: Check, size: string): Promise<void> {
  await guest.ssh(`mount -t tmpfs -o size=${size} none /var/lib/hft`);
  const full = await hft(guest, 'tune --profile /root/kill.yaml --no-persist --yes');
  const said = /ENOSPC|no space/i.test(full.stdout + full.stderr);
  check(
    full.code === 3 && said,
    `a disk of ${size} for the journal: exit 3, and it says that it is full`,
    full.stderr.slice(-600),
  );
  checkSame(check, `a disk of ${size} for the journal: everything is as it was`, { before, now: await state() });
  await guest.ssh('umount /var/lib/hft');
}

function checkSame(check: Check, what: string, { before, now }: { before: string; now: string }): void {
  const [old, found] = [before.split('\n'), now.split('\n')];
  const differing = [...old.filter((line) => !found.includes(line)), ...found.filter((line) => !old.includes(line))];
  check(differing.length === 0, what, differing.length === 0 ? undefined : differing);
}
