import { parseCpulist } from '../../../src/topology/cpulist.ts';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, needHft, waitForTuneUnit } from '../hft.ts';

export const name = 'processes are launched on a tuned host alone, stay where they were put, and outlive hft';

const REFERENCE = '/usr/lib/hft/dist/hft-reference';

const deployment = `
profile: colo
processes:
  market-data:
    command: [${REFERENCE}, --socket, /run/md.s, --lock, --thread, "md-rx:spin", --thread, "log:block"]
    cpus: { count: 1 }
    threads: { md-rx: { policy: fifo, priority: 48 } }
    memory: { lock: on }
    limits: { rtprio: 48, memlock: unlimited }
    ready: notify
    health: { watchdog: 10s }
    restart: { when: always, delay: 100ms, breaker: { restarts: 5, within: 300s } }
  strategy:
    command: [${REFERENCE}, --socket, /run/st.s, --thread, "strategy:spin"]
    cpus: { count: 1 }
    threads: { strategy: own }
    requires: [market-data]
`;

interface Listed {
  readonly processes: readonly {
    readonly name: string;
    readonly phase: string;
    readonly pid: number | null;
    readonly threads: readonly { readonly name: string; readonly wanted: string; readonly allowed: string }[];
  }[];
}

interface Verified {
  readonly results: readonly { readonly id: string; readonly status: string; readonly evidence: string }[];
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  await guest.ssh(`cat > /root/launch.yaml <<'END'\n${deployment}\nEND`);
  const closed = await hft(guest, 'launch /root/launch.yaml --wait');
  check(closed.code === 1, 'hft launch starts nothing on a host that is not tuned', endOf(closed));
  await tune(guest, check);
  const launched = await hft(guest, 'launch /root/launch.yaml --wait', 600);
  check(launched.code === 0, 'on the tuned host it starts all of it', endOf(launched));
  await placed(guest, check);
  await quiet(guest, check);
  await misbehaviour(guest, check);
  await outlived(guest, check);
  const stopped = await hft(guest, 'stop', 300);
  check(stopped.code === 0, 'hft stop ends with 0', endOf(stopped));
  const left = await guest.read('pgrep -a hft-reference', { allowFail: true });
  check(left === '', 'nothing of it runs any more', left);
  const undone = await hft(guest, 'rollback --all', 600);
  check(undone.code === 0, 'hft rollback --all ends with 0', endOf(undone));
  await guest.ssh('rm -f /root/launch.yaml /run/md.s /run/st.s');
}

async function tune(guest: Guest, check: Check): Promise<void> {
  const tuned = await hft(guest, 'tune --profile colo --yes', 600);
  check(tuned.code === 5, 'hft tune ends with 5: right but for a reboot', endOf(tuned));
  await hft(guest, 'confirm');
  await guest.reboot(600);
  const unit = await waitForTuneUnit(guest);
  check(unit === 'active', 'the tuned host is up and verified', unit);
}

async function list(guest: Guest): Promise<Listed> {
  return (await hftJson<Listed>(guest, 'ps')).json;
}

async function placed(guest: Guest, check: Check): Promise<void> {
  const { processes } = await list(guest);
  const isolated = parseCpulist(await guest.read('cat /sys/devices/system/cpu/isolated'));
  const threads = processes.flatMap((process) => process.threads);
  check(
    threads.every(({ wanted, allowed }) => wanted === allowed),
    'every thread is allowed where it was placed and nowhere else',
    threads,
  );
  const hot = threads.filter(({ name: thread }) => ['md-rx', 'strategy'].includes(thread));
  check(
    hot.length === 2 && hot.every(({ allowed }) => isolated.includes(Number(allowed))),
    'the hot threads have an isolated CPU each',
    hot,
  );
}

/** The answers that are no pass, after so many seconds. */
async function differences(guest: Guest, durationS: number): Promise<Record<string, string>> {
  const { json } = await hftJson<Verified>(guest, `verify processes --duration ${durationS}s`);
  const different = json.results.filter(({ status }) => status === 'fail' || status === 'unknown');
  return Object.fromEntries(different.map(({ id, evidence }) => [id, evidence]));
}

async function quiet(guest: Guest, check: Check): Promise<void> {
  const found = await differences(guest, 60);
  check(Object.keys(found).length === 0, 'hft verify processes finds nothing for 60 s', found);
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
  await guest.ssh('systemctl stop hft-stranger');
  await ask('unlock');
  await expectFound(/^processes\.locked@market-data$/, 'memory that is not locked any more');
}

/** Its supervisor killed: systemd starts another, which takes the processes over. */
async function outlived(guest: Guest, check: Check): Promise<void> {
  const before = await list(guest);
  const pids = ({ processes }: Listed) => processes.map(({ pid }) => pid);
  const supervisor = await guest.read('systemctl show -p MainPID --value hft-launch.service');
  await guest.ssh(`kill -KILL ${supervisor.trim()}`);
  await guest.ssh('sleep 20');
  const after = await list(guest);
  check(pids(before).join() === pids(after).join(), 'the processes outlive their supervisor', [before, after]);
  const unit = await guest.read('systemctl is-active hft-launch.service', { allowFail: true });
  check(unit.trim() === 'active', 'systemd has started the supervisor again', unit);
  const first = pids(after)[0];
  await guest.ssh(`kill -KILL ${first}`);
  await guest.ssh('sleep 20');
  const restarted = (await list(guest)).processes[0];
  check(
    restarted?.phase === 'running' && restarted.pid !== first,
    'a process that is killed is started again by the new one',
    restarted,
  );
}
