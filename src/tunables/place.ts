import type { Tunable } from './tunable.ts';

/**
 * Names the place where a tunable lives: the same text exactly when what one writes is what the other reads. Two
 * domains, or two profiles, can reach one place by different ids.
 */
export function placeOf(tunable: Tunable): string {
  switch (tunable.kind) {
    case 'file':
    case 'config-file':
    case 'cgroup':
      return `file ${tunable.path}`;
    case 'irq-affinity':
      return `irq ${tunable.irq} ${tunable.action ?? ''}`;
    case 'ethtool':
      return `ethtool ${tunable.device} ${tunable.group} ${tunable.key}`;
    case 'ntuple-rule':
      return `ntuple ${tunable.device} ${tunable.rule}`;
    case 'dcb-pfc':
      return `dcb-pfc ${tunable.device} ${tunable.priority}`;
    case 'rdma':
      return `rdma ${tunable.device} ${tunable.port} ${tunable.attribute}`;
    case 'link':
      return `link ${tunable.device} ${tunable.attribute}`;
    case 'unit':
      return `unit ${tunable.name} ${tunable.aspect}`;
    case 'boot-arg':
      return `boot-arg ${tunable.names.join(' ')}`;
    case 'mount':
      return `mount ${tunable.target}`;
    case 'thread-affinity':
      return `thread ${tunable.pid} ${tunable.startTicks}`;
    case 'thread-scheduling':
      return `scheduling ${tunable.pid} ${tunable.startTicks}`;
    case 'slice-cpus':
      return `slice-cpus ${tunable.unit}`;
    case 'cpuset-partition':
      return `partition ${tunable.unit}`;
    case 'pci-driver':
      return `pci-driver ${tunable.address}`;
    case 'vf':
      return `vf ${tunable.device} ${tunable.vf} ${tunable.attribute}`;
    case 'boot-entry':
    case 'boot-once':
      return tunable.kind;
  }
}
