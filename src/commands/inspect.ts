import { Flags } from '@oclif/core';
import { hostFlag } from '../cli/host-flag.ts';
import { BaseCommand, snapshotFlag } from './base.ts';

export default class Inspect extends BaseCommand {
  static override summary = 'Show the facts of this machine that matter for latency';
  static override description =
    'CPUs, caches, NUMA nodes, kernel, interrupts, network interfaces, and the services that fight tuning. Changes nothing.';
  static override examples = [
    '<%= config.bin %> inspect',
    '<%= config.bin %> inspect --json',
    '<%= config.bin %> inspect --svg topology.svg --profile colo',
    '<%= config.bin %> inspect --snapshot box7.tar.gz',
  ];
  static override flags = {
    svg: Flags.string({ helpValue: 'FILE', summary: 'Draw packages, caches, cores and NICs, with the CPU roles' }),
    profile: Flags.string({ char: 'p', helpValue: 'NAME', summary: 'Show the CPU roles that this profile gives' }),
    host: hostFlag,
    snapshot: { ...snapshotFlag, exclusive: ['host'] },
  };

  async run() {
    const { flags } = await this.parse(Inspect);
    const { inspect } = await import('../cli/inspect.ts');
    const { inspectJson, viewInspected } = await import('../views/inspect.ts');
    const inspected = await inspect(this.config.root, flags);
    return this.show(inspectJson(inspected), (terminal) => viewInspected(inspected, terminal));
  }
}
