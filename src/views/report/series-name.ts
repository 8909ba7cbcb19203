import type { LatencyRow } from '../../latency/report/row.ts';
import { printCpulist } from '../../topology/cpulist.ts';
import { sayPacing } from '../pacing.ts';

/** `CPU 3`, `CPU 1→2`: of a pair the sender first. */
export function nameCpus(cpus: readonly number[]): string {
  if (cpus.length === 2) return `CPU ${cpus.join('→')}`;
  return `${cpus.length === 1 ? 'CPU' : 'CPUs'} ${printCpulist(cpus) || 'none'}`;
}

interface Named {
  readonly variant: string;
  readonly cpus: readonly number[];
  readonly stage?: string;
  readonly synthetic?: boolean;
  readonly split?: boolean;
  readonly part?: string | null;
}

/** `fifo:1 dma-latency 0, CPU 3`; `rate 100k socket, risk, CPU 3→4`. */
export function nameMeasure({ variant, cpus, ...of }: Named): string {
  const stage = of.stage ?? (of.synthetic || of.split ? of.part : null) ?? '';
  return [variant, stage, nameCpus(cpus)].filter((part) => part !== '').join(', ');
}

/** Direction, payload, pacing, load, way of waiting and policy: what a figure means nothing without. */
export function sayConditions(row: LatencyRow): string {
  const { direction, payloadBytes, pacing, load, wait, policy, quantity, rule } = row;
  return [
    quantity === 'delay' ? 'delay of a random arrival' : '',
    direction === 'none' ? '' : direction.replace('-', ' '),
    payloadBytes === null ? '' : `${payloadBytes} B`,
    row.synthetic ? 'synthetic work' : '',
    row.split ? 'parts of it, by timestamps' : '',
    row.peer === null || row.peer === undefined ? '' : `peer ${row.peer.address} ${row.peer.wait}s`,
    sayPacing(pacing),
    `load ${load}`,
    `${wait}s`,
    policy,
    rule === 'open' ? 'open loop' : 'closed loop',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
