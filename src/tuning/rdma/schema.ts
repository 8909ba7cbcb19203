import { z } from 'zod';
import { count } from '../../profile/values.ts';

const MTUS = 'expected 256, 512, 1024, 2048 or 4096';

/** The value of a profile's `rdma:` key. What is left out is left alone. */
export const rdmaWanted = z
  .strictObject({
    devices: z
      .union([z.enum(['auto', 'none']), z.array(z.string().min(1)).min(1)], 'expected auto, none, or a list of devices')
      .default('auto')
      .describe('auto (those of the NIC of the layout), none, or a list of names such as mlx5_0 or rxe0'),
    pfc: z
      .array(count({ max: 7 }))
      .optional()
      .describe(
        'Priorities that are paused by themselves (IEEE 802.1Qbb); all others are not; the switch has to agree',
      ),
    mode: z
      .enum(['v1', 'v2'])
      .optional()
      .describe('RoCE of connections that rdma_cm makes: v2 is routed over UDP, v1 stays on the link'),
    tos: count({ max: 255 })
      .optional()
      .describe('Type of service of connections that rdma_cm makes: DSCP times 4, such as 104 for DSCP 26, and ECN'),
    trafficClass: count({ max: 255 })
      .optional()
      .describe(
        "Traffic class that NVIDIA's own driver (DOCA, MLNX_OFED) gives all connections, whatever they ask for",
      ),
    mtu: z
      .union(
        [256, 512, 1024, 2048, 4096].map((size) => z.literal(size)),
        MTUS,
      )
      .optional()
      .describe('MTU that RDMA has at least (active_mtu): it follows from the MTU of the interface, which is nic.mtu'),
  })
  .describe('RDMA over Converged Ethernet (RoCE)');

export type RdmaWanted = z.output<typeof rdmaWanted>;
