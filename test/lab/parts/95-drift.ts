import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, needHft, writeProfile } from '../hft.ts';
import { REFERENCE, write } from '../launched.ts';

export const name =
  'the agent notices what drifts, names who did it, heals what the profile allows, and takes next to nothing while idle';

const PROFILE = '/root/drift.yaml';
const FILE = '/root/drift-launch.yaml';
/** swappiness may be healed, twice; nothing else may. */
const profile = (nic: string | undefined) => `
layout: { irq: { cores: 0 }${nic === undefined ? '' : `, nic: ${nic}`} }
memory: { swappiness: 7 }
kernel: { sysctl: { kernel.panic: 11 } }
irq: { queues: housekeeping }
services: { irqbalance: stopped }
drift: { heal: [memory], breaker: { heals: 2, within: 3600s } }
`;
const deployment = `
processes:
  md:
    command: [${REFERENCE}, --socket, /run/md.s, --thread, "md-rx:block"]
    threads: { md-rx: 1, "*": housekeeping }
`;
/** A look every five seconds, at all of it at most once a minute; an emulated guest takes some time of its own to look. */
const WITHIN_S = 240;
const RUN = 'systemd-run --quiet --collect --unit=hft-agent-lab --property=CPUAffinity=0 hft agent run --look-every 5s';
const STATUS = 'systemctl show -P MainPID hft-agent-lab';

const SYSCTLS = 'sysctl -n kernel.panic vm.swappiness';

interface Watched {
  readonly id: string;
  readonly is: string | null;
  readonly suspects: readonly { readonly who: string; readonly certainty: string }[];
  readonly isBroken: boolean;
  readonly how?: string;
}

interface Status {
  readonly watch: {
    readonly blind: string | null;
    readonly drifted: readonly Watched[];
    readonly ended: readonly Watched[];
    readonly settings: { readonly quick: number; readonly whole: number };
  } | null;
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const nic = await findIgb(guest);
  const before = await guest.read(SYSCTLS);
  if (nic !== undefined) await guest.ssh(`ip link set ${nic} up`);
  await writeProfile(guest, 'drift', profile(nic));
  const tuned = await hft(guest, `tune --profile ${PROFILE} --no-persist --yes`, 600);
  check(tuned.code === 0, 'hft tune ends with 0', endOf(tuned));
  await write(guest, FILE, deployment);
  await hft(guest, `launch ${FILE} --gate none --wait`, 300);
  await guest.ssh(`hft agent keygen >/dev/null; touch /etc/hft/authorized_controllers; ${RUN}`);
  const first = await until(guest, ({ watch }) => (watch?.settings.whole ?? 0) > 0);
  check(first !== undefined, 'the agent watches what is in force', first?.watch?.settings);
  await bySysctl(guest, check);
  await healed(guest, check);
  if (nic === undefined) check(false, 'the guest has an igb card');
  else {
    await byLink(guest, check, nic);
    await byIrqbalance(guest, check, nic);
  }
  await byThread(guest, check);
  await idle(guest, check);
  await guest.ssh('systemctl stop hft-agent-lab');
  const audit = await hft(guest, 'agent audit verify');
  check(audit.code === 0, 'the audit log is whole', endOf(audit));
  await hft(guest, 'stop', 300);
  const undone = await hft(guest, 'rollback --all', 600);
  check(undone.code === 0, 'hft rollback --all ends with 0', endOf(undone));
  await guest.ssh(`rm -f ${PROFILE} ${FILE} /run/md.s /etc/hft/agent.key /etc/hft/authorized_controllers`);
  if (nic !== undefined) await guest.ssh(`ip link set ${nic} down`);
  // A rollback leaves what somebody wrote by hand while hft held it: that is put back by hand too.
  const [panic, swappiness] = before.split('\n');
  await guest.ssh(`sysctl -q -w kernel.panic=${panic} vm.swappiness=${swappiness}`);
  check((await guest.read(SYSCTLS)) === before, 'the sysctls are what they were before', before);
}

async function bySysctl(guest: Guest, check: Check): Promise<void> {
  await guest.ssh('sysctl -q -w kernel.panic=12');
  const seen = await untilDrifted(guest, /^kernel\..*panic$/);
  check(seen?.is === '12', 'a sysctl that somebody wrote by hand is noticed', seen);
  check((await guest.read('sysctl -n kernel.panic')) === '12', 'and left, since the profile allows nothing else');
  await guest.ssh('sysctl -q -w kernel.panic=11');
  const back = await until(
    guest,
    ({ watch }) => watch?.ended.some(({ id, how }) => /panic$/.test(id) && how === 'itself') === true,
  );
  check(back !== undefined, 'that it came back is told', back?.watch?.ended.at(-1));
}

async function healed(guest: Guest, check: Check): Promise<void> {
  for (const round of [1, 2]) {
    await guest.ssh('sysctl -q -w vm.swappiness=44');
    const again = await eventually(async () => (await guest.read('sysctl -n vm.swappiness')) === '7');
    check(again, `what may be healed is healed, round ${round}`, await guest.read('sysctl -n vm.swappiness'));
  }
  await guest.ssh('sysctl -q -w vm.swappiness=44');
  const broken = await until(guest, ({ watch }) => watch?.drifted.some(({ isBroken }) => isBroken) === true);
  check(broken !== undefined, 'the third time the breaker is open', broken?.watch?.drifted);
  check((await guest.read('sysctl -n vm.swappiness')) === '44', 'and the setting stays as somebody else has it');
  await guest.ssh('sysctl -q -w vm.swappiness=7');
}

/** The last queue's interrupt goes to a CPU where it is not. */
async function moveQueue(guest: Guest, nic: string): Promise<void> {
  await guest.ssh(
    `i=$(awk '/${nic}/ {sub(":", "", $1); print $1}' /proc/interrupts | tail -1); f=/proc/irq/$i/smp_affinity_list; [ "$(cat $f)" = 3 ] && echo 2 > $f || echo 3 > $f`,
  );
}

/** Another number of queues makes the driver ask for its interrupts anew; a link that only goes down may keep them. */
async function byLink(guest: Guest, check: Check, nic: string): Promise<void> {
  await guest.ssh(`ip link set ${nic} down; ip link set ${nic} up`);
  await guest.ssh(
    `n=$(ethtool -l ${nic} | awk '/Combined/ {n=$2} END {print n}'); ethtool -L ${nic} combined 1; ethtool -L ${nic} combined $n`,
    {
      allowFail: true,
    },
  );
  await moveQueue(guest, nic);
  const seen = await untilDrifted(guest, new RegExp(`^irq\\.affinity@${nic}/`));
  check(seen !== undefined, `an interrupt of ${nic} that is elsewhere after a reset is noticed`, seen);
  check(
    seen?.suspects[0]?.who === `a reset of ${nic}`,
    'and the reset of its link is named as the cause',
    seen?.suspects,
  );
  await hft(guest, `tune --profile ${PROFILE} --no-persist --yes`, 600);
}

async function byIrqbalance(guest: Guest, check: Check, nic: string): Promise<void> {
  await guest.ssh('systemctl start irqbalance');
  await moveQueue(guest, nic);
  // What only a command shows (a unit that runs again) waits for a whole look; an interrupt does not.
  const seen = await until(
    guest,
    ({ watch }) =>
      watch?.drifted.some(
        ({ id, suspects }) => id.startsWith('irq.') && suspects.some(({ who }) => who.startsWith('irqbalance')),
      ) === true,
  );
  check(seen !== undefined, 'irqbalance, started by hand, is named for the interrupts that move', seen?.watch?.drifted);
  await guest.ssh('systemctl stop irqbalance');
  await hft(guest, `tune --profile ${PROFILE} --no-persist --yes`, 600);
}

async function byThread(guest: Guest, check: Check): Promise<void> {
  await guest.ssh(`${REFERENCE} ask /run/md.s move md-rx 2`);
  const seen = await untilDrifted(guest, /^processes\.cpus@md\/md-rx$/);
  check(seen !== undefined, 'a thread that left its CPU is noticed', seen);
  await guest.ssh(`${REFERENCE} ask /run/md.s move md-rx 1`);
  const back = await until(
    guest,
    ({ watch }) => watch?.drifted.every(({ id }) => !id.startsWith('processes.')) === true,
  );
  check(back !== undefined, 'and that it is back');
}

/** As it is by default: the agent of this part looks more often. */
async function idle(guest: Guest, check: Check): Promise<void> {
  await guest.ssh(`systemctl stop hft-agent-lab; ${RUN.replace(' --look-every 5s', '')}`);
  await until(guest, ({ watch }) => (watch?.settings.whole ?? 0) > 0);
  const read = async () =>
    (await guest.read(`cut -d' ' -f14-17 /proc/$(${STATUS})/stat`))
      .split(' ')
      .reduce((sum, each) => sum + Number(each), 0);
  await sleep(30_000);
  const start = await read();
  await guest.ssh('sleep 120');
  const share = ((await read()) - start) / 100 / 120;
  // Emulation makes every instruction some ten times as dear; of a real CPU it is a tenth of a percent.
  check(share < 0.01, 'the agent is idle while nothing happens', `${(share * 100).toFixed(3)} % of an emulated CPU`);
  const kib = await guest.read(`awk '/VmRSS/ {print $2}' /proc/$(${STATUS})/status`);
  check(Number(kib) < 100 * 1024, 'and small', `${kib} KiB`);
}

async function untilDrifted(guest: Guest, id: RegExp): Promise<Watched | undefined> {
  const found = (status: Status) => status.watch?.drifted.find((each) => id.test(each.id));
  const status = await until(guest, (each) => found(each) !== undefined);
  return status && found(status);
}

async function until(guest: Guest, isSo: (status: Status) => boolean): Promise<Status | undefined> {
  let last: Status | undefined;
  await eventually(async () => {
    const { json } = await hftJson<Status>(guest, 'status');
    if (isSo(json)) last = json;
    return last !== undefined;
  });
  return last;
}

async function eventually(isSo: () => Promise<boolean>): Promise<boolean> {
  const startMs = performance.now();
  while (performance.now() - startMs < WITHIN_S * 1000) {
    if (await isSo()) return true;
    await sleep(2_000);
  }
  return false;
}

async function findIgb(guest: Guest): Promise<string | undefined> {
  const listing = await guest.read(
    'cd /sys/class/net && for i in *; do test -e $i/device/driver && echo "$i $(basename $(readlink $i/device/driver))"; done; true',
  );
  return listing
    .split('\n')
    .find((line) => line.endsWith(' igb'))
    ?.split(' ')[0];
}
