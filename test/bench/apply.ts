import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGuest, type Guest, openGuest } from '../lab/guest.ts';
import { buildImage } from '../lab/image.ts';
import { LabError } from '../lab/lab-error.ts';
import { locateGuest, locateLab } from '../lab/places.ts';
import { disconnect } from '../lab/ssh.ts';
import { EMPTY_PLAYBOOK, writePlaybook, writeTunedProfile } from './apply/contenders.ts';
import { type FileSetting, parseCapture, pathsOfJournal } from './apply/settings.ts';
import { median } from './measure.ts';

const FOLDER = '/root/bench';
const GUEST = process.env.HFT_LAB_GUEST ?? 'bench';
const PACKAGE = join(import.meta.dirname, '../../out/hft_0.1.0_amd64.deb');
/** Contenders, rounds, and how many times faster than the other one hft should be. */
const RACES = [
  { other: 'tuned', rounds: 5, wanted: 5 },
  { other: 'ansible', rounds: 3, wanted: 20 },
] as const;
const MOST_WAIT_MS = 3 * 3600 * 1000;

/**
 * The sysctl, THP, interrupt and workqueue part of colo, by hft, by `tuned-adm profile` and by an Ansible playbook, on
 * one machine of the virtual lab, never on this one. Installs tuned and ansible-core there.
 */
export async function benchApply(): Promise<boolean> {
  const guest = await bringUp();
  await install(guest);
  await prepare(guest);
  let isMet = true;
  for (const { other, rounds, wanted } of RACES) {
    const figures = parseFigures(await race(guest, rounds, ['hft', other]));
    console.log(`\nApply: hft against ${other}, medians of ${rounds} runs in turn, s`);
    const applying = compare(figures, 'applying', other);
    const whole = compare(figures, 'whole', other);
    console.log(`  applying: hft is ${times(applying)}; wanted: ${wanted} x${applying >= wanted ? '' : ' MISSED'}`);
    console.log(`  the whole command: ${times(whole)}`);
    if (applying < wanted) isMet = false;
  }
  return isMet;
}

/** Prints one kind of figure of both and gives how many times hft is as fast. */
function compare(figures: Figures, what: 'whole' | 'applying', other: string): number {
  for (const name of ['hft', other]) {
    const runs = figures.get(`${name} ${what}`) ?? [];
    console.log(
      `  ${what.padEnd(9)} ${name.padEnd(8)} ${median(runs).toFixed(2)}   all: ${runs.map((run) => run.toFixed(2)).join(' ')}`,
    );
  }
  return median(figures.get(`${other} ${what}`) ?? []) / median(figures.get(`hft ${what}`) ?? []);
}

function times(ratio: number): string {
  return `${ratio.toFixed(1)} x as fast`;
}

async function bringUp(): Promise<Guest> {
  const lab = locateLab();
  const places = locateGuest(lab, GUEST);
  const known = await openGuest(places);
  const guest = known ?? (await createGuest(places, await buildImage(lab), { kernel: 'stock', nics: ['igb'] }));
  if (known !== undefined && !(await known.isRunning())) await known.start();
  await guest.waitBoot();
  return guest;
}

/** The package of this version of hft, made by `npm run package`, and the two it is compared with. */
async function install(guest: Guest): Promise<void> {
  const sum = createHash('sha256').update(readFileSync(PACKAGE)).digest('hex');
  const installed = await guest.ssh(`cat ${FOLDER}.deb.sum`, { allowFail: true });
  if (installed.stdout !== sum) {
    await guest.copyIn(PACKAGE, `${FOLDER}.deb`);
    await guest.ssh(`dpkg -i ${FOLDER}.deb || apt-get install -yf; echo ${sum} > ${FOLDER}.deb.sum`, { timeoutS: 600 });
  }
  const missing = await guest.ssh('command -v tuned-adm && command -v ansible-playbook', { allowFail: true });
  if (missing.code === 0) return;
  const get = 'export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -yq --no-install-recommends';
  await guest.ssh(`${get} tuned ansible-core && systemctl disable --now tuned`, { timeoutS: 1800 });
}

/** One run of hft says which files are written; the others get the same files with the same texts. */
async function prepare(guest: Guest): Promise<void> {
  await guest.copyIn(join(import.meta.dirname, 'apply'), FOLDER);
  await guest.ssh('systemctl stop irqbalance tuned; hft rollback --all', { allowFail: true, timeoutS: 900 });
  const tune = `cd ${FOLDER}; hft tune --profile ./part-of-colo.yaml --no-persist --yes > log 2>&1; code=$?; hft confirm > log.confirm 2>&1`;
  const journal = await guest.read(`${tune}; [ $code = 0 ] && cat "$(ls /var/lib/hft/journal/* | tail -1)"`, {
    timeoutS: 900,
  });
  const input = pathsOfJournal(journal).join('\n').concat('\n');
  const after = await guest.read(`sh ${FOLDER}/capture.sh`, { input });
  await guest.read('hft rollback', { timeoutS: 900 });
  const before = await guest.read(`sh ${FOLDER}/capture.sh`, { input });
  const settings = parseCapture(after);
  await write(guest, `${FOLDER}/before`, printCapture(parseCapture(before)));
  await write(guest, `${FOLDER}/after`, printCapture(settings));
  await write(guest, `${FOLDER}/playbook.yml`, writePlaybook(settings));
  await write(guest, `${FOLDER}/empty.yml`, EMPTY_PLAYBOOK);
  for (const [name, text] of Object.entries(writeTunedProfile(settings))) {
    await write(guest, `/etc/tuned/hft-bench/${name}`, text);
  }
  await guest.ssh('systemctl start tuned', { timeoutS: 300 });
  console.log(
    `\n${settings.length} settings: ${await guest.read('uname -rm')}, ${await guest.read('nproc')} CPUs, emulated`,
  );
}

function printCapture(settings: readonly FileSetting[]): string {
  return settings.map(({ path, text }) => `${path}\t${text}\n`).join('');
}

async function write(guest: Guest, path: string, text: string): Promise<void> {
  await guest.ssh(`mkdir -p "$(dirname ${path})" && cat > ${path} && chmod 755 ${path}`, { input: text });
}

/**
 * Runs the rounds in the guest without a session: hft guards a session whose card it changes, the others do not. The
 * end is told on the console.
 */
async function race(guest: Guest, rounds: number, contenders: readonly string[]): Promise<string> {
  const mark = `bench-end-${Date.now()}`;
  const script = `sleep 5; sh ${FOLDER}/rounds.sh ${rounds} ${contenders.join(' ')} > ${FOLDER}/figures 2>&1; echo ${mark} > /dev/ttyS0`;
  await guest.ssh(
    `systemd-run --quiet --collect -E PATH=/usr/sbin:/usr/bin:/sbin:/bin -E HOME=/root sh -c '${script}'`,
  );
  const { sshPort: port, key } = guest.record;
  await disconnect({ port, key, control: guest.places.sockets.ssh });
  const endMs = performance.now() + MOST_WAIT_MS;
  while (!(await guest.serialLog()).includes(mark)) {
    if (performance.now() > endMs) throw new LabError(`The rounds of ${contenders.join(' and ')} did not end.`);
    await sleep(2000);
  }
  return guest.read(`cat ${FOLDER}/figures`);
}

/** Seconds, by contender and what was timed. */
type Figures = ReadonlyMap<string, readonly number[]>;

/** Throws when a contender did not set what it should have. */
function parseFigures(text: string): Figures {
  const figures = new Map<string, number[]>();
  for (const line of text.trim().split('\n')) {
    const match = /^(?<name>\w+ (?:whole|applying)) (?<ns>-?\d+)$/.exec(line);
    if (match?.groups?.name === undefined) throw new LabError(`Nothing can be compared: ${line}`);
    figures.set(match.groups.name, [...(figures.get(match.groups.name) ?? []), Number(match.groups.ns) / 1e9]);
  }
  return figures;
}
