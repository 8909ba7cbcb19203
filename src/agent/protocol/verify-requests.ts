import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** What may be said of a measurement, a watch or an answering to be made on a host: words of fixed lists, numbers with bounds. No path. */

/** Of a CPU set (`2-5,8`, `isolated`, `node(0)`): resolved on the host. */
const cpuSet = z.string().regex(/^[A-Za-z0-9_,() *.:&!-]{1,300}$/, 'expected a set of CPUs');
/** Of a saved measurement of the host. */
const savedName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected the name of a saved measurement');
/** Of a probe: looked up in the host's list. */
const probe = z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected the name of a probe');

/** Where a responder listens: an address of one host, and no port of the system's own services. */
const place = z.strictObject({
  address: z.union([z.ipv4(), z.ipv6()]).refine(isUnicast, 'expected the address of one host'),
  port: z.number().int().min(1_024).max(65_535),
});

function isUnicast(address: string): boolean {
  const first = Number(/^\d+(?=\.)/.exec(address)?.[0] ?? 1);
  return first > 0 && first < 224 && !/^(::|ff.*)$/i.test(address);
}

export const latencyShape = {
  suite: z.enum(['quick', 'full']),
  probes: z.array(probe).max(32).optional(),
  cpus: cpuSet.optional(),
  durationS: z.number().int().min(1).max(LIMITS.measuringS),
  scheduler: z.enum(['other', 'fifo']).optional(),
  clock: z.enum(['auto', 'kernel']).optional(),
  load: z.enum(['none', 'housekeeping', 'network']).optional(),
  causes: z.boolean(),
  peer: place.optional(),
  save: z.strictObject({ name: savedName, mode: z.enum(['new', 'append', 'force']) }).optional(),
  baseline: savedName.optional(),
  /** What beside the result is wanted: the histograms of every second, what a page is drawn from. */
  wants: z.strictObject({ hdr: z.boolean(), page: z.boolean() }),
};

export const ptpShape = {
  limitNs: z.number().positive().max(1e12),
  durationS: z.number().int().min(0).max(LIMITS.watchingS),
  intervalS: z.number().int().min(1).max(LIMITS.watchingS),
  grandmaster: z
    .string()
    .regex(/^[0-9a-f]{6}\.[0-9a-f]{4}\.[0-9a-f]{6}$/)
    .optional(),
  timescale: z.enum(['ptp', 'arbitrary']),
  freeRunning: z.boolean(),
};

export const processesShape = { durationS: z.number().int().min(0).max(LIMITS.watchingS) };

export const dpdkShape = {
  vdev: z.array(z.enum(['net_null', 'net_af_packet', 'net_af_xdp'])).max(3),
  /** Of those alone that the profile in force on the host gives to DPDK. */
  port: z.array(z.string().regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/, 'expected a PCI address')).max(2),
  durationS: z.number().int().min(0).max(LIMITS.trafficS),
  bursts: z.number().int().min(1).max(512),
};

export const respondShape = {
  /** Of one measurement of the network, with its warm-up. */
  durationS: z.number().int().min(1).max(LIMITS.measuringS),
  /** The CPU that answers; a housekeeping CPU when left out. */
  cpu: z.number().int().min(0).max(65_535).optional(),
};
