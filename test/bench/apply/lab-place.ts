import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGuest, type Guest, openGuest } from '../../lab/guest.ts';
import { buildImage } from '../../lab/image.ts';
import { LabError } from '../../lab/lab-error.ts';
import { locateGuest, locateLab } from '../../lab/places.ts';
import { disconnect } from '../../lab/ssh.ts';
import type { Place } from './place.ts';

const FOLDER = '/root/bench';
const GUEST = process.env.HFT_LAB_GUEST ?? 'bench';
const PACKAGE = join(import.meta.dirname, '../../../out/hft_0.1.0_amd64.deb');
const MOST_WAIT_MS = 3 * 3600 * 1000;

/** A machine of the virtual lab with systemd and Debian's tuned and ansible-core, started when it is not up. */
export async function openLabPlace(): Promise<Place> {
  const guest = await bringUp();
  return {
    folder: FOLDER,
    kind: 'emulated',
    shell: (command, options) => guest.ssh(command, options),
    copyIn: (localPath, path) => guest.copyIn(localPath, path),
    install: () => install(guest),
    startTuned: async () => void (await guest.ssh('systemctl start tuned', { timeoutS: 300 })),
    race: (rounds, contenders) => race(guest, rounds, contenders),
    leave: async () => void (await guest.ssh('systemctl stop tuned', { timeoutS: 300 })),
  };
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

async function install(guest: Guest): Promise<void> {
  const sum = createHash('sha256').update(readFileSync(PACKAGE)).digest('hex');
  const installed = await guest.ssh(`cat ${FOLDER}.deb.sum`, { allowFail: true });
  if (installed.stdout !== sum) {
    await guest.copyIn(PACKAGE, `${FOLDER}.deb`);
    await guest.ssh(`dpkg -i ${FOLDER}.deb || apt-get install -yf; echo ${sum} > ${FOLDER}.deb.sum`, { timeoutS: 600 });
  }
  await guest.ssh('systemctl stop irqbalance tuned; hft rollback --all', { allowFail: true, timeoutS: 900 });
  const missing = await guest.ssh('command -v tuned-adm && command -v ansible-playbook', { allowFail: true });
  if (missing.code === 0) return;
  const get = 'export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -yq --no-install-recommends';
  await guest.ssh(`${get} tuned ansible-core && systemctl disable --now tuned`, { timeoutS: 1800 });
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
