import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, needHft, waitForTuneUnit } from '../hft.ts';
import {
  deployment,
  differences,
  FILE,
  find,
  type Listed,
  list,
  PROFILE,
  placed,
  profile,
  quiet,
  REFERENCE,
  until,
  write,
} from '../launched.ts';

export const name =
  'processes are launched by systemd on a tuned host alone, stay where they were put, outlive hft, and come back with the boot';

/** Ends with 7 at each start. */
const loop = `
processes:
  loop:
    command: [/bin/sh, -c, "exit 7"]
    restart: { when: always, delay: 100ms, breaker: { restarts: 2, within: 3600s } }
`;

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  await write(guest, PROFILE, profile);
  await write(guest, FILE, deployment);
  const closed = await hft(guest, `launch ${FILE} --wait`);
  check(closed.code === 1, 'hft launch starts nothing on a host that is not tuned', endOf(closed));
  await tune(guest, check);
  const before = await unitFiles(guest);
  // Before anything spins: swapon waits for a kernel thread of each CPU, which gets no time beside a FIFO thread that never sleeps.
  await guest.ssh('fallocate -l 64M /swap && chmod 600 /swap && mkswap -q /swap && swapon /swap');
  const launched = await hft(guest, `launch ${FILE} --wait`, 600);
  check(launched.code === 0, 'on the tuned host it starts all of it', endOf(launched));
  await bySystemd(guest, check);
  await placed(guest, check);
  await quiet(guest, check, 60);
  await misbehaviour(guest, check);
  await restarted(guest, check);
  await outlived(guest, check);
  await changed(guest, check);
  await rebooted(guest, check);
  await broken(guest, check);
  const stopped = await hft(guest, 'stop', 300);
  check(stopped.code === 0, 'hft stop ends with 0', endOf(stopped));
  const left = await guest.read('pgrep -a hft-reference', { allowFail: true });
  check(left === '', 'nothing of it runs any more', left);
  const after = await unitFiles(guest);
  check(after === before, 'hft stop leaves the folder of units as it was', [before, after]);
  await breaker(guest, check);
  const undone = await hft(guest, 'rollback --all', 600);
  check(undone.code === 0, 'hft rollback --all ends with 0', endOf(undone));
  const units = await guest.read('find /etc/systemd /run/systemd/system -name "*hft*"', { allowFail: true });
  check(units === '', 'after stop and rollback there is no unit of hft', units);
  await guest.ssh(`rm -f ${FILE} ${PROFILE} /swap /root/loop.yaml /run/md.s /run/st.s`);
}

/** Each file and folder with its mode and what is in it. */
function unitFiles(guest: Guest): Promise<string> {
  return guest.read(
    'find /etc/systemd -printf "%p %y %m %l\\n" | sort; find /etc/systemd -type f | sort | xargs -r md5sum',
  );
}

async function tune(guest: Guest, check: Check): Promise<void> {
  const tuned = await hft(guest, `tune --profile ${PROFILE} --yes`, 600);
  check(tuned.code === 5, 'hft tune ends with 5: right but for a reboot', endOf(tuned));
  await hft(guest, 'confirm');
  await guest.reboot(600);
  const unit = await waitForTuneUnit(guest);
  check(unit === 'active', 'the tuned host is up and verified', unit);
}

async function misbehaviour(guest: Guest, check: Check): Promise<void> {
  const ask = (request: string) => guest.ssh(`${REFERENCE} ask /run/md.s ${request}`);
  const expectFound = async (id: RegExp, what: string) => {
    const found = await differences(guest, 5);
    check(
      Object.keys(found).some((each) => id.test(each)),
      `${what} is seen and named`,
      found,
    );
  };
  const { processes } = await list(guest);
  const threads = processes.flatMap((process) => process.threads);
  const cpu = threads.find((thread) => thread.name === 'md-rx')?.wanted;
  await ask('move md-rx 0');
  await expectFound(/^processes\.cpus@market-data\/md-rx$/, 'a thread that moved itself');
  await ask(`move md-rx ${cpu}`);
  await ask('policy md-rx other 0');
  await expectFound(/^processes\.policy@market-data\/md-rx$/, 'a thread that changed its policy');
  await ask('policy md-rx fifo 48');
  await guest.ssh(`systemd-run --quiet --unit=hft-stranger taskset -c ${cpu} sleep 1000`);
  await expectFound(new RegExp(`^processes\\.strangers@cpu${cpu}$`), 'a stranger pinned onto an isolated CPU');
  // Beside a FIFO thread that spins it gets no time, not even to die.
  await guest.ssh('taskset -pc 0 $(systemctl show -p MainPID --value hft-stranger); systemctl stop hft-stranger');
  // Those that come while hft looks are new.
  await whileDone(
    guest,
    `i=0; while :; do i=$((i+1)); ${REFERENCE} ask /run/st.s thread intruder-$i block; sleep 2; done`,
    async () => expectFound(/^processes\.threads@strategy$/, 'a new thread'),
  );
  const storm = `while :; do ${REFERENCE} ask /run/st.s fault strategy 2000; sleep 0.2; done`;
  await whileDone(guest, storm, async () =>
    expectFound(/^processes\.faults@strategy\/strategy$/, 'a storm of page faults'),
  );
  await interrupted(guest, check, Number(cpu));
  await ask('unlock');
  const found = await differences(guest, 5);
  check('processes.locked@market-data' in found, 'memory that is not locked any more is seen and named', found);
  check('processes.swap@market-data' in found, 'and so is what was swapped out', found);
}

/** While this shell runs in the background. */
async function whileDone(guest: Guest, shell: string, look: () => Promise<void>): Promise<void> {
  await guest.ssh(`systemd-run --quiet --unit=hft-disturber sh -c '${shell}'`);
  await look();
  await guest.ssh('systemctl stop hft-disturber');
}

/** Somebody moves a device's interrupt onto the CPU of a hot thread. */
async function interrupted(guest: Guest, check: Check, cpu: number): Promise<void> {
  const irq = await guest.read(
    `for i in /proc/irq/[0-9]*; do old=$(cat $i/smp_affinity_list); [ -n "$(cat /sys/kernel/irq/\${i##*/}/actions)" ] || continue; ` +
      `if echo ${cpu} > $i/smp_affinity_list 2>/dev/null; then [ "$(cat $i/effective_affinity_list)" = ${cpu} ] && { echo "\${i##*/} $old"; break; }; echo $old > $i/smp_affinity_list; fi; done`,
  );
  const [number, old] = irq.trim().split(' ');
  const found = await differences(guest, 5);
  const told = Object.entries(found).find(([id]) => id === `processes.interrupts@cpu${cpu}`);
  check(
    told?.[1].includes(`${number}`) === true,
    `interrupt ${number}, moved onto CPU ${cpu}, is seen and named`,
    found,
  );
  await guest.ssh(`echo ${old} > /proc/irq/${number}/smp_affinity_list`);
}

async function bySystemd(guest: Guest, check: Check): Promise<void> {
  const { supervisor } = await list(guest);
  check(supervisor === 'systemd', 'systemd runs them', supervisor);
  const units = await guest.read('systemctl is-active hft-trading-market-data hft-trading-strategy hft-launch', {
    allowFail: true,
  });
  check(
    units.split('\n').every((state) => state === 'active'),
    'each is a service that is active',
    units,
  );
  const shown = await guest.read('systemctl show hft-trading-market-data; systemctl cat hft-trading-market-data');
  check(!shown.includes('hunter2'), 'systemd shows nobody the variables of a process', '');
  const modes = await guest.read('stat -c %a /var/lib/hft/launch/environment/*');
  check(modes === '600', 'root alone reads the file in which they are', modes);
  const told = await guest.read('grep -rl hunter2 /etc /run /var/lib/hft 2>/dev/null', { allowFail: true });
  check(/^\/var\/lib\/hft\/launch\/environment\/[^\n]*$/.test(told), 'and they are nowhere else', told);
  const environ = await guest.read('tr "\\0" "\\n" < /proc/$(pgrep -f "[r]un/md.s")/environ');
  check(environ.includes('PASSWORD=hunter2'), 'the process has them', '');
}

/** Killed, or silent: started again in its place, and the one that needs it goes on. */
async function restarted(guest: Guest, check: Check): Promise<void> {
  const strategy = (await find(guest, 'strategy')).pid;
  const killed = await find(guest, 'market-data');
  await guest.ssh(`kill -KILL ${killed.pid}`);
  const again = await until(guest, 'market-data', ({ phase, pid }) => phase === 'running' && pid !== killed.pid);
  check(again.phase === 'running' && again.restarts > 0, 'a process that is killed is started again', again);
  await placed(guest, check);
  await guest.ssh(`${REFERENCE} ask /run/md.s silence`);
  const beaten = await until(guest, 'market-data', ({ phase, pid }) => phase === 'running' && pid !== again.pid);
  check(beaten.pid !== again.pid, 'so is one that does not say that it lives', beaten);
  check((await find(guest, 'strategy')).pid === strategy, 'the process that requires it was left alone', strategy);
}

/** Who watches killed, and an hft in the middle of its work. */
async function outlived(guest: Guest, check: Check): Promise<void> {
  const pids = ({ processes }: Listed) => processes.map(({ pid }) => pid).join();
  const before = await list(guest);
  await guest.ssh('kill -KILL $(systemctl show -p MainPID --value hft-launch.service)');
  for (const seconds of [1, 3, 6]) {
    await guest.ssh(`hft launch ${FILE} >/dev/null 2>&1 & p=$!; sleep ${seconds}; kill -KILL $p`, { allowFail: true });
    const after = await list(guest);
    check(pids(before) === pids(after), `processes outlive an hft that is killed after ${seconds} s`, [before, after]);
  }
  await placed(guest, check);
  const again = await hft(guest, `launch ${FILE} --wait`, 600);
  check(again.code === 0, 'the next hft launch goes on from there', endOf(again));
  check(pids(before) === pids(await list(guest)), 'and leaves alone what runs', before);
  const watcher = await guest.read('systemctl is-active hft-launch.service', { allowFail: true });
  check(watcher === 'active', 'who watches was started again', watcher);
}

/** A changed file is refused, and with --restart only what changed is started again. */
async function changed(guest: Guest, check: Check): Promise<void> {
  const before = await list(guest);
  await write(
    guest,
    FILE,
    deployment.replace('requires: [market-data]', 'requires: [market-data]\n    oomScoreAdjust: -500'),
  );
  const refused = await hft(guest, `launch ${FILE}`);
  check(refused.code === 3, 'what runs is not started again by the way', endOf(refused));
  const taken = await hft(guest, `launch ${FILE} --restart --wait`, 600);
  check(taken.code === 0, 'with --restart it is', endOf(taken));
  const after = await list(guest);
  const [md, strategy] = [before, after].map(({ processes }) => processes.map(({ pid }) => pid)) as [
    number[],
    number[],
  ];
  check(md[0] === strategy[0] && md[1] !== strategy[1], 'only what changed', [before, after]);
}

/** Until systemd has nothing of hft to do any more. */
async function bootDone(guest: Guest): Promise<string> {
  const tune = await waitForTuneUnit(guest);
  await guest.ssh(
    'for i in $(seq 150); do [ -z "$(systemctl list-jobs --no-legend "hft-*")" ] && break; sleep 2; done',
    {
      timeoutS: 400,
    },
  );
  return tune;
}

async function rebooted(guest: Guest, check: Check): Promise<void> {
  await guest.reboot(600);
  const tune = await bootDone(guest);
  check(tune === 'active', 'after a reboot the host is tuned', tune);
  const states = await guest.read('systemctl is-active hft-gate.service hft-trading.target', { allowFail: true });
  check(states === 'active\nactive', 'its gate has let the processes start', await gateLog(guest));
  const settings = await hft(guest, `verify settings --profile ${PROFILE}`);
  check(settings.code === 0, 'it verifies', endOf(settings));
  const { processes } = await list(guest);
  check(processes.length === 2 && processes.every(({ phase }) => phase === 'running'), 'the processes run', processes);
  await placed(guest, check);
  await quiet(guest, check, 20);
}

function gateLog(guest: Guest): Promise<string> {
  return guest.read(
    'systemctl --no-pager status hft-gate.service hft-trading.target; journalctl -b -u hft-gate --no-pager',
    {
      allowFail: true,
    },
  );
}

/** The tune at boot does nothing any more: nothing starts, and everything says why. */
async function broken(guest: Guest, check: Check): Promise<void> {
  const dropIn = '/etc/systemd/system/hft-tune.service.d';
  await guest.ssh(`mkdir ${dropIn}`);
  await write(guest, `${dropIn}/broken.conf`, '[Service]\nExecStart=\nExecStart=/bin/false\n');
  await guest.reboot(600);
  await bootDone(guest);
  const running = await guest.read('pgrep -a hft-reference', { allowFail: true });
  check(running === '', 'with a broken tune nothing is launched at boot', running);
  const target = await guest.read('systemctl is-active hft-trading.target', { allowFail: true });
  check(target === 'inactive', 'the target is down', target);
  const said = await gateLog(guest);
  check(said.includes('not as the profile wants them'), 'the journal says why', said);
  const { processes } = await list(guest);
  check(
    processes.every(({ phase, why }) => phase === 'down' && why?.includes('not as the profile wants them')),
    'hft ps says why',
    processes,
  );
  await guest.ssh(`rm -r ${dropIn} && systemctl daemon-reload && systemctl reset-failed`);
  await guest.ssh('systemctl start hft-trading.target', { allowFail: true, timeoutS: 900 });
  await bootDone(guest);
  const repaired = await until(guest, 'strategy', ({ phase }) => phase === 'running');
  check(repaired.phase === 'running', 'with the tune repaired the target starts them', [
    repaired,
    await gateLog(guest),
  ]);
}

async function breaker(guest: Guest, check: Check): Promise<void> {
  await write(guest, '/root/loop.yaml', loop);
  const looped = await hft(guest, 'launch /root/loop.yaml --gate none --wait', 300);
  check(looped.code === 1, 'a process that keeps failing does not come up', endOf(looped));
  const found = await until(guest, 'loop', ({ phase }) => phase === 'broken');
  check(found.phase === 'broken' && found.restarts === 2, 'its breaker has stopped it after two restarts', found);
  const stopped = await hft(guest, 'stop', 300);
  check(stopped.code === 0, 'hft stop takes it away', endOf(stopped));
}
