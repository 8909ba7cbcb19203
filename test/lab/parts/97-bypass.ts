import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { endOf, hft, hftJson, needHft, writeProfile } from '../hft.ts';

export const name = 'Past the kernel: queues for AF_XDP, RoCE in software, a process behind a library';
/** 6.12 tells what drivers can do with XDP, 6.1 does not. */
export const kernels = ['stock', 'backports-rt'] as const;

interface Plan {
  readonly changes: readonly {
    readonly id: string;
    readonly current: string | null;
    readonly desired: string | null;
  }[];
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

interface Verification {
  readonly results: readonly { readonly id: string; readonly status: string; readonly evidence: string }[];
}

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const card = await findCard(guest, 'igb');
  if (card !== undefined) {
    await keepQueues(guest, check, card);
    await markConnections(guest, check, card);
  }
  await refuse(guest, check);
  await loadBefore(guest, check);
}

async function findCard(guest: Guest, driver: string): Promise<string | undefined> {
  const found = await guest.read(`basename /sys/bus/pci/drivers/${driver}/0*/net/* 2>/dev/null`, { allowFail: true });
  return found === '' || found === '*' ? undefined : found;
}

/** What AF_XDP settings change on a card. */
async function describeCard(guest: Guest, card: string): Promise<string> {
  const files = ['napi_defer_hard_irqs', 'gro_flush_timeout'].map((file) => `/sys/class/net/${card}/${file}`);
  return guest.read(
    `{ ethtool -x ${card} | sed -n '/table/,/hash key/p'; ethtool -k ${card} | grep ntuple; ethtool -n ${card}; cat ${files.join(' ')}; } 2>&1`,
    { allowFail: true },
  );
}

async function keepQueues(guest: Guest, check: Check, card: string): Promise<void> {
  await guest.ssh(`ip link set ${card} up; sleep 3`);
  const before = await describeCard(guest, card);
  const queues = Number(/with (\d+) RX ring/.exec(before)?.[1]);
  check(queues > 2, `${card} has a table of its receive queues`, before);
  const flow = '{ protocol: ether, mac: "01:00:5e:01:01:01" }';
  await writeProfile(
    guest,
    'xdp',
    `nic: { trading: [${card}], busyPoll: { deferHardIrqs: 2, groFlushTimeoutNs: 200us }, xdp: { queues: 2, flows: [${flow}] } }\n`,
  );
  const { json: plan } = await hftJson<Plan>(guest, 'plan --profile /root/xdp.yaml');
  const ids = plan.changes.map(({ id }) => id);
  check(ids.includes(`nic.rss@${card}`) && plan.refused.length === 0, 'the plan keeps two queues', plan);
  const features = await guest.ssh(`/usr/lib/hft/dist/hft-probe xdp-features ${card}`, { allowFail: true });
  const tells = guest.record.kernel === 'backports-rt';
  const isRight = tells ? /xdp-features basic redirect/.test(features.stdout) : features.code === 3;
  check(
    isRight,
    tells ? 'the kernel tells that igb has XDP' : 'this kernel does not tell, which is said',
    endOf(features),
  );
  const tuned = await hft(guest, 'tune --profile /root/xdp.yaml --yes', 600);
  check(tuned.code === 0, 'hft tune keeps them', endOf(tuned));
  const now = await describeCard(guest, card);
  const named = new Set([...now.matchAll(/^ +\d+: +([\d ]+)$/gm)].flatMap(([, row]) => (row ?? '').trim().split(/ +/)));
  const kept = [queues - 2, queues - 1].map(String);
  check(named.size === queues - 2 && !kept.some((queue) => named.has(queue)), 'RSS sends nothing to the last two', now);
  check(now.includes(`Direct to queue ${queues - 2}`), 'the flow goes to the first of them', now);
  check(/^2\n200000$/m.test(now), 'interrupts are deferred for those who poll', now);
  const { json } = await hftJson<Verification>(guest, 'verify settings --profile /root/xdp.yaml');
  const wrong = json.results.filter(({ status }) => status !== 'pass');
  check(wrong.length === 0 && json.results.length >= 4, 'hft verify settings passes', wrong);
  const undone = await hft(guest, 'rollback --all', 600);
  const after = await describeCard(guest, card);
  check(undone.code === 0 && after === before, 'table, rules and polling are as before after a rollback', [
    before,
    after,
  ]);
}

async function markConnections(guest: Guest, check: Check, card: string): Promise<void> {
  const folder = '/sys/kernel/config/rdma_cm/rxe0';
  await guest.ssh(`ip link set ${card} up; modprobe rdma_rxe; modprobe rdma_cm`, { allowFail: true });
  const added = await guest.ssh(`rdma link add rxe0 type rxe netdev ${card}`, { allowFail: true });
  check(added.code === 0, `RoCE in software on ${card}`, endOf(added));
  await writeProfile(guest, 'roce', `rdma: { devices: [rxe0], mode: v2, tos: 106, pfc: [3] }\n`);
  const { json: plan } = await hftJson<Plan>(guest, 'plan --profile /root/roce.yaml');
  const changes = plan.changes.map(({ id, current, desired }) => `${id}: ${current} -> ${desired}`);
  check(changes.join() === 'rdma.cma-tos@rxe0/1: 0 -> 106', 'the plan marks its connections', plan);
  const reasons = plan.refused.filter(({ id }) => id === `rdma.pfc@${card}/3`).map(({ reason }) => reason);
  check(/not supported/.test(reasons.join()), 'a card without DCB has no PFC, which is said', plan.refused);
  const tuned = await hft(guest, 'tune --profile /root/roce.yaml --yes', 600);
  const set = await guest.read(`cat ${folder}/ports/1/default_roce_tos ${folder}/ports/1/default_roce_mode`, {
    allowFail: true,
  });
  check(set === '106\nRoCE v2', 'rdma_cm gives new connections this mark', [endOf(tuned), set]);
  const { json } = await hftJson<Verification>(guest, 'verify settings --profile /root/roce.yaml');
  const passed = json.results.filter(({ status }) => status === 'pass').map(({ id }) => id);
  check(
    passed.sort().join() === 'rdma.cma-mode@rxe0/1,rdma.cma-tos@rxe0/1',
    'hft verify settings passes',
    json.results,
  );
  const undone = await hft(guest, 'rollback --all', 600);
  const left = await guest.ssh(`ls ${folder}`, { allowFail: true });
  await guest.ssh(`mkdir -p ${folder}`);
  const tos = await guest.read(`cat ${folder}/ports/1/default_roce_tos`);
  check(undone.code === 0 && left.code !== 0 && tos === '0', 'no folder and no mark is left after a rollback', [
    left,
    tos,
  ]);
  await guest.ssh(`rmdir ${folder}; rdma link delete rxe0`, { allowFail: true });
}

/** Nothing changes, and the reason is in the plan. */
async function refuse(guest: Guest, check: Check): Promise<void> {
  const management = await guest.read(`ip -o route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/' | head -n 1`);
  await checkRefused(guest, check, management, /default route or a session/);
  await guest.ssh('ip link add hftv0 type veth peer name hftv1');
  await checkRefused(guest, check, 'hftv0', /virtual interface/);
  await guest.ssh('ip link del hftv0');
  const card = await findCard(guest, 'e1000e');
  if (card !== undefined && guest.record.kernel === 'backports-rt')
    await checkRefused(guest, check, card, /driver e1000e gives no packets to AF_XDP/);
}

async function checkRefused(guest: Guest, check: Check, card: string, why: RegExp): Promise<void> {
  await writeProfile(guest, 'refused', `nic: { trading: [${card}], xdp: { queues: 1 } }\n`);
  const { json } = await hftJson<Plan>(guest, 'plan --profile /root/refused.yaml');
  const reason = json.refused.find(({ id }) => id === `nic.xdp@${card}`)?.reason ?? '';
  check(why.test(reason) && json.changes.length === 0, `${card} is not given to AF_XDP`, json);
}

/** A library that needs nothing and does nothing, under the name of VMA. */
async function loadBefore(guest: Guest, check: Check): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hft-lab-'));
  try {
    const source = path.join(folder, 'library.c');
    const library = path.join(folder, 'libvma.so.9');
    await writeFile(source, 'int stands_in = 1;\nint answer(void) { return stands_in; }\n');
    await execa('gcc', ['-shared', '-fPIC', '-nostdlib', source, '-o', library]);
    await guest.copyIn(library, '/root/libvma.so.9');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const bypass = '{ library: vma, path: /root/libvma.so.9, profile: latency }';
  const processOf = (command: string) => `processes: { md: { command: [${command}], bypass: ${bypass} } }\n`;
  await writeProfile(guest, 'static', processOf('/usr/lib/hft/dist/hft-probe, clock'));
  const refused = await hft(guest, 'launch /root/static.yaml --gate none', 300);
  check(refused.code === 2 && /statically linked/.test(refused.stderr), 'a static program is refused', endOf(refused));
  await writeProfile(guest, 'behind', processOf('/usr/bin/sleep, infinity'));
  const launched = await hft(guest, 'launch /root/behind.yaml --gate none --wait', 600);
  check(launched.code === 0, 'hft launch starts a process behind a library', endOf(launched));
  const { json } = await hftJson<Verification>(guest, 'verify processes --duration 2s');
  const mapped = json.results.find(({ id }) => id === 'processes.bypass@md');
  const isMapped = mapped?.status === 'pass' && mapped.evidence.endsWith('/maps: /root/libvma.so.9');
  check(isMapped, 'its maps have the library', mapped ?? json.results);
  const maps = await guest.read('grep -c libvma.so.9 /proc/$(systemctl show -P MainPID hft-trading-md)/maps', {
    allowFail: true,
  });
  check(Number(maps) > 0, 'as the kernel says it', maps);
  const stopped = await hft(guest, 'stop', 300);
  check(stopped.code === 0, 'hft stop ends it', endOf(stopped));
}
