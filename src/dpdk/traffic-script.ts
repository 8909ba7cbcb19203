/** The poll mode drivers that need no NIC of their own. */
export type Vdev = 'net_null' | 'net_af_packet' | 'net_af_xdp';

/** One run of dpdk-testpmd with traffic. */
export interface TrafficRun {
  readonly over: Vdev | 'pci';
  /** hft-probe, which reads the telemetry socket. */
  readonly probe: string;
  /** Of EAL; also the name of its folder below /var/run/dpdk, which is taken away after the run. */
  readonly filePrefix: string;
  readonly mainLcore: number;
  readonly worker: number;
  /** PCI addresses, one or two, of `pci`. */
  readonly ports: readonly string[];
  /** MiB by node, from hugepages; undefined: ordinary memory. */
  readonly memoryMib: readonly number[] | undefined;
  readonly durationS: number;
  /** Bursts of 32 packets that each port sends at first, which then go round. */
  readonly bursts: number;
}

/** Packets of one burst of testpmd. */
export const BURST = 32;

const TELEMETRY_FOLDER = '/var/run/dpdk';

/**
 * Packets go round between two ports for a while; then nothing is sent any more and what is under way is received, until no counter
 * moves: so what was sent and is not there was lost. The counters go to standard output, what testpmd says to standard error.
 * Positional: probe, folder of EAL's files, seconds, bursts, `drain` or `stop`, interface pair or `-`, then testpmd and its arguments.
 */
const SCRIPT = `
probe=$1 folder=$2 seconds=$3 bursts=$4 end=$5 pair=$6 ports=$7
shift 7
if [ "$pair" = veth ]; then
  ip link add hft0 type veth peer name hft1 || exit 90
  for name in hft0 hft1; do
    echo 1 > "/proc/sys/net/ipv6/conf/$name/disable_ipv6" 2> /dev/null
    ip link set "$name" up || exit 90
  done
fi
exec 3>&1
# What is interrupted ends everything that it started; a shell that waits hears a signal at once.
trap 'trap "" TERM; kill -TERM 0; rm -rf "$folder"; exit 143' TERM
counters() {
  if [ "$ports" = 2 ]; then set -- /ethdev/stats,0 /ethdev/stats,1; else set -- /ethdev/stats,0; fi
  "$probe" telemetry "$folder/dpdk_telemetry.v2" /ethdev/list "$@" 2> /dev/null
}
{
  printf 'start tx_first %s\\n' "$bursts"
  tries=0
  until counters | grep -q '"opackets":[1-9]' || [ "$tries" -ge 75 ]; do sleep 0.2; tries=$((tries + 1)); done
  sleep "$seconds"
  printf 'stop\\n'
  if [ "$end" = drain ]; then
    printf 'set fwd rxonly\\nstart\\n'
    before= tries=0
    while [ "$tries" -lt 40 ]; do
      sleep 0.5
      now=$(counters)
      [ "$now" = "$before" ] && break
      before=$now tries=$((tries + 1))
    done
    printf 'stop\\n'
  fi
  sleep 0.5
  counters >&3
  printf 'quit\\n'
} | "$@" 3>&- >&2 &
wait "$!"
ended=$?
rm -rf "$folder"
exit "$ended"
`;

/** The command of a run, which leaves nothing behind: the interfaces of a pair go with their network namespace. */
export function trafficCommand(run: TrafficRun): readonly string[] {
  const { over, probe, filePrefix, durationS, bursts } = run;
  const needsPair = over === 'net_af_packet' || over === 'net_af_xdp';
  const ports = over === 'pci' ? run.ports.length : 2;
  const ways = [
    String(durationS),
    String(bursts),
    over === 'net_null' ? 'stop' : 'drain',
    needsPair ? 'veth' : '-',
    String(ports),
  ];
  return [
    ...(over === 'pci' ? [] : ['unshare', '--net', '--']),
    ...['sh', '-c', SCRIPT, 'hft-verify-dpdk', probe, `${TELEMETRY_FOLDER}/${filePrefix}`, ...ways],
    ...testpmdCommand(run),
  ];
}

function testpmdCommand(run: TrafficRun): readonly string[] {
  const { over, filePrefix, mainLcore, worker, ports, memoryMib, durationS } = run;
  // Two threads share the one CPU of a small machine.
  const lcores =
    mainLcore === worker
      ? ['--lcores', `0@${mainLcore},1@${worker}`]
      : ['-l', `${mainLcore},${worker}`, `--main-lcore=${mainLcore}`];
  const memory =
    memoryMib === undefined ? ['--no-huge', '-m', '256'] : [`--socket-mem=${memoryMib.join(',')}`, '--huge-unlink'];
  const devices =
    over === 'pci'
      ? ports.flatMap((address) => ['-a', address])
      : ['--no-pci', ...[0, 1].map((port) => `--vdev=${vdev(over, port)}`)];
  // AF_XDP takes thousands of buffers for each queue of its own.
  const limit = ['timeout', '--foreground', '-k', '5', String(durationS + 60)];
  return [
    ...limit,
    'dpdk-testpmd',
    ...lcores,
    ...memory,
    ...devices,
    `--file-prefix=${filePrefix}`,
    '--',
    '-i',
    '--forward-mode=io',
    '--total-num-mbufs=16384',
  ];
}

function vdev(kind: Vdev, port: number): string {
  switch (kind) {
    case 'net_null':
      return `net_null${port}`;
    case 'net_af_packet':
      return `net_af_packet${port},iface=hft${port}`;
    case 'net_af_xdp':
      return `net_af_xdp${port},iface=hft${port},start_queue=0,queue_count=1,force_copy=1`;
  }
}
