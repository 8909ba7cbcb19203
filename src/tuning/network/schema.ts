import { z } from 'zod';
import { count, size } from '../../profile/values.ts';
import { keyOf, numbers, toggle } from '../knobs/values.ts';

const name = () => z.string('expected a name such as bbr').regex(/^[a-z0-9_]+$/, 'expected a name such as bbr');
const triple = () => numbers(3, '[4096, 87380, 67108864]');

/** The kernel rounds up to a power of two, so another number would never be what it reports. */
const powerOfTwo = () =>
  count({ max: 2 ** 29 }).refine((entries) => entries === 0 || Number.isInteger(Math.log2(entries)), {
    error: 'expected 0 or a power of two, such as 32768',
  });

/** The value of a profile's `network:` key: sysctls under their kernel names, without `net.core.` and `net.ipv4.`. */
export const networkWanted = z
  .strictObject({
    rmem_max: keyOf('net.core.rmem_max', size()),
    wmem_max: keyOf('net.core.wmem_max', size()),
    rmem_default: keyOf('net.core.rmem_default', size()),
    wmem_default: keyOf('net.core.wmem_default', size()),
    optmem_max: keyOf('net.core.optmem_max', size()),
    netdev_max_backlog: keyOf('net.core.netdev_max_backlog', count({ min: 1 })),
    netdev_budget: keyOf('net.core.netdev_budget', count({ min: 1 })),
    netdev_budget_usecs: keyOf('net.core.netdev_budget_usecs', count({ min: 1 })),
    dev_weight: keyOf('net.core.dev_weight', count({ min: 1 })),
    netdev_tstamp_prequeue: keyOf('net.core.netdev_tstamp_prequeue', toggle()),
    gro_normal_batch: keyOf('net.core.gro_normal_batch', count({ min: 1 })),
    skb_defer_max: keyOf('net.core.skb_defer_max', count()),
    busy_read: keyOf('net.core.busy_read', count()),
    busy_poll: keyOf('net.core.busy_poll', count()),
    rps_sock_flow_entries: keyOf('net.core.rps_sock_flow_entries', powerOfTwo()),
    somaxconn: keyOf('net.core.somaxconn', count()),
    default_qdisc: keyOf('net.core.default_qdisc', name()),
    tcp_rmem: keyOf('net.ipv4.tcp_rmem', triple()),
    tcp_wmem: keyOf('net.ipv4.tcp_wmem', triple()),
    tcp_mem: keyOf('net.ipv4.tcp_mem', triple()),
    udp_mem: keyOf('net.ipv4.udp_mem', triple()),
    udp_rmem_min: keyOf('net.ipv4.udp_rmem_min', size()),
    udp_wmem_min: keyOf('net.ipv4.udp_wmem_min', size()),
    tcp_tw_reuse: keyOf('net.ipv4.tcp_tw_reuse', count({ max: 2 })),
    tcp_sack: keyOf('net.ipv4.tcp_sack', toggle()),
    tcp_dsack: keyOf('net.ipv4.tcp_dsack', toggle()),
    tcp_timestamps: keyOf('net.ipv4.tcp_timestamps', count({ max: 2 })),
    tcp_window_scaling: keyOf('net.ipv4.tcp_window_scaling', toggle()),
    tcp_slow_start_after_idle: keyOf('net.ipv4.tcp_slow_start_after_idle', toggle()),
    tcp_max_syn_backlog: keyOf('net.ipv4.tcp_max_syn_backlog', count()),
    tcp_congestion_control: keyOf('net.ipv4.tcp_congestion_control', name()),
    tcp_fastopen: keyOf('net.ipv4.tcp_fastopen', count()),
    tcp_autocorking: keyOf('net.ipv4.tcp_autocorking', toggle()),
    tcp_notsent_lowat: keyOf('net.ipv4.tcp_notsent_lowat', size()),
    tcp_limit_output_bytes: keyOf('net.ipv4.tcp_limit_output_bytes', size()),
    tcp_no_metrics_save: keyOf('net.ipv4.tcp_no_metrics_save', toggle()),
    tcp_mtu_probing: keyOf('net.ipv4.tcp_mtu_probing', count({ max: 2 })),
    tcp_fin_timeout: keyOf('net.ipv4.tcp_fin_timeout', count({ min: 1 })),
    tcp_keepalive_time: keyOf('net.ipv4.tcp_keepalive_time', count({ min: 1 })),
    tcp_keepalive_intvl: keyOf('net.ipv4.tcp_keepalive_intvl', count({ min: 1 })),
    tcp_keepalive_probes: keyOf('net.ipv4.tcp_keepalive_probes', count({ min: 1 })),
    tcp_syncookies: keyOf('net.ipv4.tcp_syncookies', count({ max: 2 })),
    tcp_low_latency: keyOf('net.ipv4.tcp_low_latency', toggle()),
    ip_local_port_range: keyOf('net.ipv4.ip_local_port_range', numbers(2, '[10240, 65535]')),
    igmp_max_memberships: keyOf('net.ipv4.igmp_max_memberships', count()),
    rp_filter: keyOf('net.ipv4.conf.all.rp_filter', count({ max: 2 })),
  })
  .describe('Sysctls of sockets, the receive path and TCP');

export type NetworkWanted = z.output<typeof networkWanted>;
