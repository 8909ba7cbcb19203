import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { hft, hftJson, installHft, makePackages } from '../hft.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name = 'the packages run on a bare Debian without Node, and a plan changes nothing';

/** A beginning of an id for every domain that `colo` has something for on this machine. */
const expectedKinds = [
  ...['services.activity@irqbalance', 'cpu.online@', 'isolation.isolcpus', 'isolation.nohz_full', 'kernel.sysctl@'],
  ...['kernel.workqueue@', 'kernel.thread@', 'kernel.boot@', 'memory.thp@', 'memory.sysctl@', 'network.sysctl@'],
  ...['nic.channels-combined@', 'nic.ring-rx@', 'nic.tx-tcp-segmentation@', 'irq.default-affinity', 'irq.affinity@'],
];

interface Plan {
  readonly changes: readonly { readonly id: string; readonly why: string; readonly evidence: string }[];
  readonly unknown: readonly unknown[];
  readonly reboot: boolean;
}

export async function run(guest: Guest, check: Check): Promise<void> {
  const node = await guest.ssh('command -v node nodejs', { allowFail: true });
  check(node.code !== 0, 'there is no Node on this host', node.stdout || 'none');
  const installed = await installHft(guest);
  check(installed.code === 0, 'the .deb installs', installed.stderr || installed.stdout.split('\n').at(-1));
  const version = await hft(guest, '--version');
  check(version.code === 0 && version.stdout.startsWith('hft/'), 'hft --version answers', version.stdout);
  if (guest.record.kernel === 'stock') await runTarball(guest, check);
  await planOnly(guest, check);
}

async function runTarball(guest: Guest, check: Check): Promise<void> {
  const { tarball: file } = await makePackages();
  // A bare host has gzip only: the lab unpacks what xz packed.
  const packed = `${file}.tmp.tar.gz`;
  await promisify(execFile)('sh', ['-c', 'xz -dc "$0" | gzip -1 > "$1"', file, packed]);
  await guest.copyIn(packed, '/root/hft.tar.gz');
  await rm(packed);
  await guest.ssh('mkdir -p /opt/hft-tar && tar -xf /root/hft.tar.gz -C /opt/hft-tar --strip-components=1', {
    timeoutS: 300,
  });
  // Hidden in a mount namespace of its own: the host keeps its library.
  const hidden = 'unshare -m sh -c "mount --bind /dev/null /usr/lib/x86_64-linux-gnu/libatomic.so.1 && exec';
  const packaged = await guest.ssh(`${hidden} /usr/lib/hft/bin/hft --version"`, { allowFail: true });
  check(packaged.code !== 0, 'without libatomic the Node of the .deb would not start', packaged.stderr);
  const tarball = await guest.ssh(`${hidden} /opt/hft-tar/bin/hft --version"`, { allowFail: true });
  check(tarball.code === 0 && tarball.stdout.startsWith('hft/'), 'the tarball runs from a folder without it', tarball);
  await guest.ssh('rm -rf /opt/hft-tar /root/hft.tar.gz');
}

async function planOnly(guest: Guest, check: Check): Promise<void> {
  const before = await captureState(guest);
  const { code, json } = await hftJson<Plan>(guest, 'plan --profile colo');
  check(code === 1, 'hft plan exits 1: something differs', code);
  // A PREEMPT_RT kernel is built without transparent hugepages.
  const kinds = expectedKinds.filter((kind) => guest.record.kernel === 'stock' || kind !== 'memory.thp@');
  const missing = kinds.filter((kind) => !json.changes.some(({ id }) => id.startsWith(kind)));
  check(missing.length === 0, `the ${json.changes.length} changes are of all kinds that colo has`, missing);
  check(
    json.changes.every((change) => change.why !== '' && change.evidence !== ''),
    'each says why and by what evidence',
  );
  check(json.unknown.length === 0, 'nothing on this host is unknown to the plan', json.unknown);
  check(json.reboot, 'the plan says that kernel arguments need a reboot', json.reboot);
  const differences = diffStates(before, await captureState(guest)).map(printDifference);
  check(differences.length === 0, 'planning changed nothing', differences);
}
