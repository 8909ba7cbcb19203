/**
 * What ethtool printed for NICs of a virtual machine (QEMU 10, Debian 12, ethtool 6.1), and for older versions.
 * Shortened where a list goes on.
 */

export const IGB_RINGS = `Ring parameters for enp1s0:
Pre-set maximums:
RX:		4096
RX Mini:	n/a
RX Jumbo:	n/a
TX:		4096
Current hardware settings:
RX:		256
RX Mini:	n/a
RX Jumbo:	n/a
TX:		512
RX Buf Len:		n/a
CQE Size:		n/a
TX Push:	off
TCP data split:	n/a
`;

/** ethtool 5.4 asks by ioctl, which has 0 for what the driver lacks, and ends with an empty line. */
export const OLD_RINGS = `Ring parameters for eth0:
Pre-set maximums:
RX:		8192
RX Mini:	0
RX Jumbo:	0
TX:		8192
Current hardware settings:
RX:		1024
RX Mini:	0
RX Jumbo:	0
TX:		1024

`;

export const IGB_CHANNELS = `Channel parameters for enp1s0:
Pre-set maximums:
RX:		n/a
TX:		n/a
Other:		1
Combined:	8
Current hardware settings:
RX:		n/a
TX:		n/a
Other:		1
Combined:	4
`;

export const IGB_PAUSE = `Pause parameters for enp1s0:
Autonegotiate:	on
RX:		off
TX:		on
RX negotiated: on
TX negotiated: off

`;

export const VIRTIO_COALESCE = `Coalesce parameters for enp0s2:
Adaptive RX: off  TX: n/a
stats-block-usecs: n/a
sample-interval: n/a
pkt-rate-low: n/a
pkt-rate-high: n/a

rx-usecs: 3
rx-frames: 1
rx-usecs-irq: n/a
rx-frames-irq: n/a

tx-usecs: 64
tx-frames: n/a
tx-usecs-irq: n/a
tx-frames-irq: n/a

rx-usecs-low: n/a
rx-frame-low: 7
tx-usecs-low: n/a
tx-frame-low: n/a

rx-usecs-high: n/a
rx-frame-high: n/a
tx-usecs-high: n/a
tx-frame-high: n/a

CQE mode RX: n/a  TX: on

`;

export const VIRTIO_FEATURES = `Features for eth0:
rx-checksumming: on [fixed]
tx-checksumming: on
	tx-checksum-ipv4: off [fixed]
	tx-checksum-ip-generic: on
scatter-gather: on
	tx-scatter-gather: on
	tx-scatter-gather-fraglist: off [fixed]
tcp-segmentation-offload: on
	tx-tcp-segmentation: on
	tx-tcp-ecn-segmentation: off [requested on]
	tx-tcp-mangleid-segmentation: off
	tx-tcp6-segmentation: on
generic-segmentation-offload: on
generic-receive-offload: on
large-receive-offload: off [fixed]
rx-vlan-offload: off [fixed]
ntuple-filters: off [fixed]
receive-hashing: off [fixed]
highdma: on [fixed]
tx-nocache-copy: off
rx-gro-hw: on [fixed]
rx-udp_tunnel-port-offload: off [fixed]
`;

export const IGB_PRIVATE_FLAGS = `Private flags for enp1s0:
legacy-rx: off
`;

export const MLX5_PRIVATE_FLAGS = `Private flags for ens1f0np0:
rx_cqe_moder       : on
tx_cqe_moder       : off
rx_cqe_compress    : off
rx_striding_rq     : on
`;

export const EEE_ON = `EEE settings for eno1:
	EEE status: enabled - inactive
	Tx LPI: 17 (us)
	Supported EEE link modes:  100baseT/Full
	                           1000baseT/Full
	Advertised EEE link modes:  100baseT/Full
	                            1000baseT/Full
	Link partner advertised EEE link modes:  Not reported
`;

export const EEE_OFF_OLD = `EEE Settings for eno1:
	EEE status: disabled
	Tx LPI: disabled
	Supported EEE link modes:  100baseT/Full
`;

export const EEE_NONE = `EEE settings for eno1:
	EEE status: not supported
`;

/** The table of an igb with 8 queues: blocks. */
export const IGB_RSS = rssOf(
  'enp1s0',
  8,
  Array.from({ length: 128 }, (_, bucket) => Math.floor(bucket / 16)),
);

export const VIRTIO_NO_RSS = `RX flow hash indirection table for eth0 with 1 RX ring(s):
Operation not supported
RSS hash key:
Operation not supported
RSS hash function:
    toeplitz: on
`;

/** `ethtool -x` with this table. */
export function rssOf(device: string, rings: number, table: readonly number[]): string {
  const rows: string[] = [];
  for (let first = 0; first < table.length; first += 8) {
    const queues = table.slice(first, first + 8).map((queue) => ` ${String(queue).padStart(5)}`);
    rows.push(`${String(first).padStart(5)}: ${queues.join('')}`);
  }
  return `RX flow hash indirection table for ${device} with ${rings} RX ring(s):
${rows.join('\n')}
RSS hash key:
6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0
RSS hash function:
    toeplitz: on
    xor: off
    crc32: off
`;
}
