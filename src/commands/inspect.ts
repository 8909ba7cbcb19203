import { Flags } from '@oclif/core';
import { forThisMachine, hostFlags } from '../cli/host-flag.ts';
import type { Terminal } from '../views/terminal.ts';
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
    svg: Flags.string({
      helpValue: 'FILE',
      relationships: [{ type: 'none', flags: ['inventory'] }],
      summary: 'Draw packages, caches, cores and NICs, with the CPU roles',
    }),
    profile: Flags.string({ char: 'p', helpValue: 'NAME', summary: 'Show the CPU roles that this profile gives' }),
    ...hostFlags,
    snapshot: { ...snapshotFlag, ...forThisMachine },
  };

  async run() {
    const { flags } = await this.parse(Inspect);
    const { inspector } = await import('../cli/inspect.ts');
    const { briefInspected } = await import('../views/brief.ts');
    const { inspectJson, viewInspected } = await import('../views/inspect.ts');
    const inspectedOf = await inspector(this.config.root, flags);
    return this.showHosts(flags, async (host) => {
      const inspected = await inspectedOf(host);
      const brief = briefInspected(inspected);
      const text = (terminal: Terminal) => viewInspected(inspected, terminal);
      return { json: inspectJson(inspected), text, brief, hostname: inspected.machine.host, exitCode: 0 };
    });
  }
}
