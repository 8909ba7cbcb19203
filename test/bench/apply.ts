import { join } from 'node:path';
import { LabError } from '../lab/lab-error.ts';
import { EMPTY_PLAYBOOK, writePlaybook, writeTunedProfile } from './apply/contenders.ts';
import type { Place } from './apply/place.ts';
import { type FileSetting, parseCapture, pathsOfJournal } from './apply/settings.ts';
import { median } from './measure.ts';

/** Contenders, rounds, and how many times faster than the other one hft should be. */
const RACES = [
  { other: 'tuned', rounds: 5, wanted: 5 },
  { other: 'ansible', rounds: 3, wanted: 20 },
] as const;

/** The sysctl, THP, interrupt and workqueue part of colo, by hft, by `tuned-adm profile` and by an Ansible playbook. */
export async function benchApply(place: Place): Promise<boolean> {
  try {
    await place.install();
    await prepare(place);
    return await raceAll(place);
  } finally {
    await place.leave();
  }
}

async function raceAll(place: Place): Promise<boolean> {
  let isMet = true;
  for (const { other, rounds, wanted } of RACES) {
    const figures = parseFigures(await place.race(rounds, ['hft', other]));
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

/** One run of hft says which files are written; the others get the same files with the same texts. */
async function prepare(place: Place): Promise<void> {
  const { folder } = place;
  await place.copyIn(join(import.meta.dirname, 'apply'), folder);
  const tune = `cd ${folder}; hft tune --profile ./part-of-colo.yaml --no-persist --yes > log 2>&1; code=$?; hft confirm > log.confirm 2>&1`;
  const read = `${tune}; [ $code = 0 ] && cat "$(ls "\${HFT_STATE_DIR:-/var/lib/hft}"/journal/* | tail -1)"`;
  const { stdout: journal } = await place.shell(read, { timeoutS: 900 });
  const input = pathsOfJournal(journal).join('\n').concat('\n');
  const { stdout: after } = await place.shell(`sh ${folder}/capture.sh`, { input });
  await place.shell('hft rollback', { timeoutS: 900 });
  const { stdout: before } = await place.shell(`sh ${folder}/capture.sh`, { input });
  const settings = parseCapture(after);
  await write(place, `${folder}/before`, printCapture(parseCapture(before)));
  await write(place, `${folder}/after`, printCapture(settings));
  await write(place, `${folder}/playbook.yml`, writePlaybook(settings));
  await write(place, `${folder}/empty.yml`, EMPTY_PLAYBOOK);
  for (const [name, text] of Object.entries(writeTunedProfile(settings))) {
    await write(place, `/etc/tuned/hft-bench/${name}`, text);
  }
  await place.startTuned();
  const { stdout: machine } = await place.shell('uname -rm; nproc');
  console.log(`\n${settings.length} settings: ${machine.trim().replace('\n', ', ')} CPUs, ${place.kind}`);
}

function printCapture(settings: readonly FileSetting[]): string {
  return settings.map(({ path, text }) => `${path}\t${text}\n`).join('');
}

async function write(place: Place, path: string, text: string): Promise<void> {
  await place.shell(`mkdir -p "$(dirname ${path})" && cat > ${path} && chmod 755 ${path}`, { input: text });
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
