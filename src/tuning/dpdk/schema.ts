import { z } from 'zod';
import { count, onOff, size } from '../../profile/values.ts';

const address = z
  .string()
  .regex(
    /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/,
    'expected a PCI address such as 0000:3b:00.0, in lower case',
  );

const selector = (what: string) =>
  z.string().min(1).describe(`${what}: trading (the NIC of the layout), a name, driver=NAME or pci=ADDRESS`);

const vfs = z
  .strictObject({
    of: selector('The NIC whose virtual functions are made'),
    count: count({ min: 1, max: 256 }).describe('How many; a NIC says the most it has in sriov_totalvfs'),
    bind: onOff().default(true).describe('on: they are given to vfio-pci'),
    vlan: count({ max: 4094 }).optional().describe('VLAN of all of them; 0: none'),
    trust: onOff().optional().describe('They may set addresses of their own and become promiscuous'),
    spoofCheck: onOff().optional().describe('What they send from another address than their own is dropped'),
    maxRateMbps: count().optional().describe('The most that each may send; 0: no limit'),
    macs: z
      .array(
        z
          .string()
          .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'expected a MAC address such as 02:00:00:00:00:01, in lower case'),
      )
      .optional()
      .describe('Their MAC addresses, in order; without them a driver makes new ones at every boot'),
  })
  .refine(
    ({ macs, count: wanted }) => macs === undefined || macs.length === wanted,
    'expected one MAC address for each virtual function',
  );

const eal = z
  .strictObject({
    memoryPerNode: size()
      .optional()
      .describe('Hugepages that a process takes on each of its nodes (--socket-mem); all that are free when left out'),
    workers: count({ min: 1 }).optional().describe('Worker lcores; all isolated CPUs of the NIC’s node when left out'),
  })
  .describe('What `hft dpdk eal` computes its arguments from');

/** The value of a profile's `dpdk:` key. */
export const dpdkWanted = z
  .strictObject({
    devices: z
      .array(selector('A NIC'))
      .default([])
      .describe(
        'NICs that are given to vfio-pci: trading, names, driver=NAME, pci=ADDRESS. mlx4, mlx5 and mana stay with their driver',
      ),
    iommu: z
      .enum(['pt', 'on', 'leave'])
      .default('pt')
      .describe('Kernel arguments: pt (on, devices of the kernel are not translated), on, or leave'),
    override: z
      .array(address)
      .default([])
      .describe(
        'PCI addresses that are taken although hft would refuse: the session, a bond or bridge, a VLAN or PTP goes with them',
      ),
    vfs: z.array(vfs).default([]).describe('Virtual functions (SR-IOV)'),
    eal: eal.optional(),
  })
  .describe('NICs for DPDK: IOMMU, vfio-pci, virtual functions. Hugepages are in memory');

export type DpdkWanted = z.output<typeof dpdkWanted>;
export type VfsWanted = z.output<typeof vfs>;
