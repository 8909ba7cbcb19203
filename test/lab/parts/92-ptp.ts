import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, needHft, waitForTuneUnit, writeProfile } from '../hft.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name =
  'PTP clocks of real drivers: read, steered by services of a tune, back after a reboot, gone after a rollback';

interface Clocks {
  readonly results: readonly { readonly id: string; readonly status: string; readonly evidence: string }[];
  readonly clocks: readonly {
    readonly name: string;
    readonly state: {
      readonly port: { readonly state: string; readonly timestamping: string };
      readonly system: {
        readonly method: string | null;
        readonly readDelayNs: number | null;
        readonly clock: string;
      } | null;
    } | null;
  }[];
}

interface Names {
  readonly igb: string;
  readonly e1000e: string;
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const nics = await findNics(guest);
  if (nics === undefined) {
    check(false, 'the guest has igb and e1000e (QEMU 8 or newer)');
    return;
  }
  await refusals(guest, check, nics);
  // Debian's packages of time daemons exclude each other.
  const hadTimesyncd = (await guest.ssh('dpkg -s systemd-timesyncd', { allowFail: true })).code === 0;
  await guest.ssh('apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq linuxptp chrony', {
    timeoutS: 900,
  });
  // Debian starts chrony when it is installed: the rival that has to be settled.
  await guest.ssh(`ip link set ${nics.igb} up; ip link set ${nics.e1000e} up`);
  await betweenClocks(guest, check, nics);
  const before = await captureState(guest);
  await tuned(guest, check, nics);
  await rebooted(guest, check, nics);
  await undone(guest, check, before);
  await chronyReference(guest, check, nics);
  const purge = 'apt-get purge -y -qq linuxptp chrony; rm -f /root/ptp*.yaml';
  const again = hadTimesyncd ? '; apt-get install -y -qq systemd-timesyncd' : '';
  await guest.ssh(`export DEBIAN_FRONTEND=noninteractive; ${purge}${again}`, { timeoutS: 900 });
}

async function findNics(guest: Guest): Promise<Names | undefined> {
  const listing = await guest.read(
    'cd /sys/class/net && for i in *; do test -e $i/device/driver && echo "$i $(basename $(readlink $i/device/driver))"; done; true',
  );
  const of = (driver: string) =>
    listing
      .split('\n')
      .find((line) => line.endsWith(` ${driver}`))
      ?.split(' ')[0];
  const [igb, e1000e] = [of('igb'), of('e1000e')];
  return igb === undefined || e1000e === undefined ? undefined : { igb, e1000e };
}

/** One clear answer each, and nothing changes. */
async function refusals(guest: Guest, check: Check, { igb }: Names): Promise<void> {
  await writeProfile(guest, 'ptp', `ptp: { interfaces: [${igb}] }\n`);
  const missing = await hft(guest, 'plan --profile /root/ptp.yaml');
  check(
    missing.stdout.includes('apt-get install linuxptp'),
    'without linuxptp the plan names the package',
    missing.stdout.slice(-400),
  );
}

/** No QEMU card stamps packets both ways, so ptp4l cannot follow; clocks can be read and steered all the same. */
async function betweenClocks(guest: Guest, check: Check, { igb, e1000e }: Names): Promise<void> {
  const steer = `timeout -s INT 30 phc2sys -s ${e1000e} -c ${igb} -O 0 -R 2 -m`;
  const log = (await guest.ssh(steer, { allowFail: true, timeoutS: 90 })).stdout;
  check(
    /phc offset +-?\d+ s2 freq/.test(log),
    `phc2sys brings the clock of ${igb} to that of ${e1000e}`,
    log.split('\n').at(-2),
  );
  const devices = await guest.read('ls /dev/ptp*');
  const read = await guest.read(`/usr/lib/hft/dist/hft-probe read-clocks ${devices.split('\n').join(' ')}`);
  const lines = read
    .split('\n')
    .map((line) => JSON.parse(line) as { clock: string; method?: string; delayNs?: number; error?: string });
  check(lines[0]?.clock === 'CLOCK_REALTIME', 'hft-probe reads the system clock', read.split('\n')[0]);
  const clocks = lines.slice(1);
  check(
    clocks.length >= 2 && clocks.every(({ method, delayNs = 0 }) => method === 'precise' || delayNs > 0),
    'and each PTP clock with the window it was read in',
    clocks,
  );
}

async function tuned(guest: Guest, check: Check, { igb }: Names): Promise<void> {
  await writeProfile(guest, 'ptp', `ptp: { interfaces: [${igb}], domain: 24, transport: l2 }\n`);
  const made = await hft(guest, 'tune --profile /root/ptp.yaml --yes', 600);
  check(made.code === 0, 'hft tune ends with 0', endOf(made));
  await running(guest, check);
  check(!(await isActive(guest, 'chrony')), 'chrony, which steered the same clock, is stopped');
  const steering = await guest.read("pgrep -a 'chronyd|phc2sys|ntpd'");
  check(
    steering.split('\n').length === 1 && steering.includes('phc2sys'),
    'exactly one daemon steers the system clock',
    steering,
  );
  await looked(guest, check, igb);
}

async function looked(guest: Guest, check: Check, igb: string): Promise<void> {
  const { code, json } = await hftJson<Clocks>(guest, 'verify ptp');
  check(
    code === 1,
    'hft verify ptp does not pass: there is no grandmaster',
    json.results.filter(({ status }) => status === 'fail').map(({ id }) => id),
  );
  const clock = json.clocks.find((each) => each.name === igb);
  check(clock?.state?.port.timestamping === 'HARDWARE', `${igb} stamps in hardware`, clock?.state?.port);
  const system = clock?.state?.system;
  check(
    system?.method != null && system.readDelayNs !== null,
    'its PTP clock is read beside the system clock, with an error bar',
    system,
  );
  const settings = await hft(guest, 'verify settings');
  check(settings.code === 0, 'hft verify settings passes', endOf(settings));
}

async function rebooted(guest: Guest, check: Check, { igb }: Names): Promise<void> {
  await guest.reboot();
  check((await waitForTuneUnit(guest)) === 'active', 'after a reboot the profile is put back');
  await running(guest, check);
  check(!(await isActive(guest, 'chrony')), 'chrony stays away');
  await looked(guest, check, igb);
}

async function running(guest: Guest, check: Check): Promise<void> {
  for (const unit of ['hft-ptp4l', 'hft-phc2sys']) {
    check(await isActive(guest, unit), `${unit} runs`);
    const cpus = await guest.read(
      `sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/$(systemctl show -P MainPID ${unit})/status`,
    );
    const wanted = await guest.read(`sed -n 's/^CPUAffinity=//p' /etc/systemd/system/${unit}.service`);
    check(cpus === wanted, `${unit} is on the housekeeping CPUs`, `${cpus}, wanted ${wanted}`);
  }
  const answered = await guest.read("pmc -u -b 0 -d 24 -s /run/hft-ptp/ptp4l 'GET DEFAULT_DATA_SET'");
  check(
    /domainNumber +24/.test(answered) && /slaveOnly +1/.test(answered),
    'ptp4l has what the profile says',
    answered.slice(0, 300),
  );
}

async function undone(guest: Guest, check: Check, before: Awaited<ReturnType<typeof captureState>>): Promise<void> {
  const back = await hft(guest, 'rollback --all', 600);
  check(back.code === 0, 'hft rollback --all ends with 0', endOf(back));
  const left = await guest.read("pgrep -a 'ptp4l|phc2sys'; ls /etc/hft/ptp /etc/systemd/system/hft-p* 2>/dev/null", {
    allowFail: true,
  });
  check(left === '', 'nothing of it runs or is there any more', left);
  check(await isActive(guest, 'chrony'), 'chrony steers again');
  const differences = diffStates(before, await captureState(guest))
    .map(printDifference)
    .filter((each) => !REMEMBERED.test(each));
  check(differences.length === 0, 'the whole readable state is what it was before', differences);
}

/** systemd remembers until the next boot that a unit ran, whose file is gone. To stop it would stop what requires it. */
const REMEMBERED = /^unit\/hft-tune\.service: new: ActiveState=active\n.*LoadState=not-found/s;

async function chronyReference(guest: Guest, check: Check, { igb }: Names): Promise<void> {
  await writeProfile(guest, 'ptp-chrony', `ptp: { interfaces: [${igb}], systemClock: chrony }\n`);
  // As a grandmaster would have it: chrony takes the difference of TAI and UTC off, and must not set the clock of this guest by it.
  await guest.ssh(`phc_ctl ${igb} set adj 37`);
  const made = await hft(guest, 'tune --profile /root/ptp-chrony.yaml --yes --no-persist', 600);
  check(made.code === 0, 'hft tune with chrony ends with 0', endOf(made));
  check(await isActive(guest, 'chrony'), 'chrony stays');
  check(!(await isActive(guest, 'hft-phc2sys')), 'and phc2sys is not started');
  const sources = await guest.read('sleep 5; chronyc -n -c sources');
  check(/^#,.,PTP0,/m.test(sources), 'chrony has the PTP clock as a reference clock', sources);
  const back = await hft(guest, 'rollback --all', 600);
  check(back.code === 0, 'hft rollback --all ends with 0', endOf(back));
  const after = await guest.read('chronyc -n -c sources', { allowFail: true });
  check(!after.includes('PTP0'), 'the reference clock is gone', after);
}

async function isActive(guest: Guest, unit: string): Promise<boolean> {
  return (await guest.ssh(`systemctl is-active --quiet ${unit}`, { allowFail: true })).code === 0;
}
