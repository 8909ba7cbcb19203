import { z } from 'zod';
import { onOff } from '../../profile/values.ts';

export const isolation = z
  .strictObject({
    method: z
      .enum(['boot', 'partition', 'none'])
      .describe(
        'boot: kernel arguments, needs a reboot. partition: a cgroup v2 cpuset partition, at once, without nohz_full.',
      ),
    managedIrq: onOff()
      .default(true)
      .describe(
        'isolcpus=managed_irq: keep kernel-managed interrupts (NVMe, virtio-blk) off isolated CPUs where they can.',
      ),
    nohzFull: onOff().default(true).describe('nohz_full= on the isolated CPUs: no timer tick while one thread runs.'),
    rcuNocbs: onOff().default(true).describe('rcu_nocbs= on the isolated CPUs: their RCU callbacks run elsewhere.'),
    rcuNocbPoll: onOff()
      .default(false)
      .describe(
        'rcu_nocb_poll: the RCU threads poll, so isolated CPUs need not wake them; costs housekeeping CPU time.',
      ),
    irqAffinity: onOff()
      .default(true)
      .describe('irqaffinity=: interrupts start on housekeeping and IRQ CPUs already at boot.'),
    serviceAffinity: onOff()
      .default(true)
      .describe('CPUAffinity= of systemd: services and logins start on housekeeping CPUs.'),
  })
  .describe('Keeps everything but the trading threads off the isolated CPUs of the layout.');

export type Isolation = z.infer<typeof isolation>;
