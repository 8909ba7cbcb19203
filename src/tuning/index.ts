import { bootDomain } from './boot/boot.ts';
import { cpuDomain } from './cpu/cpu.ts';
import type { TuningDomain } from './domain.ts';
import { dpdkDomain } from './dpdk/dpdk.ts';
import { irqDomain } from './irq/irq.ts';
import { isolationDomain } from './isolation/isolation.ts';
import { kernelDomain } from './kernel/kernel.ts';
import { limitsDomain } from './limits/limits.ts';
import { memoryDomain } from './memory/memory.ts';
import { networkDomain } from './network/network.ts';
import { nicDomain } from './nic/nic.ts';
import { persistenceDomain } from './persistence/persistence.ts';
import { ptpDomain } from './ptp/ptp.ts';
import { rdmaDomain } from './rdma/rdma.ts';
import { servicesDomain } from './services/services.ts';

/** Every domain, in the order in which people see them. A new domain is a folder here and a line in this list. */
export const domains: readonly TuningDomain[] = [
  servicesDomain,
  isolationDomain,
  bootDomain,
  cpuDomain,
  kernelDomain,
  memoryDomain,
  networkDomain,
  nicDomain,
  irqDomain,
  dpdkDomain,
  rdmaDomain,
  limitsDomain,
  ptpDomain,
  persistenceDomain,
];
