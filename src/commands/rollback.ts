import { Flags } from '@oclif/core';
import { hostFlags } from '../cli/host-flag.ts';
import { withHost } from '../cli/open-host.ts';
import type { RollbackRequest } from '../engine/rollback.ts';
import type { Terminal } from '../views/terminal.ts';
import { BaseCommand } from './base.ts';

export default class Rollback extends BaseCommand {
  static override summary = 'Undo what hft changed, by its journal';
  static override description =
    'Without flags: the newest profile. Also after a kill or a power cut, at any time. What somebody else changed since is left as it is, and reported. Exit code 0 when everything is back, 4 when not.';
  static override examples = [
    '<%= config.bin %> rollback',
    '<%= config.bin %> rollback --item kernel.sysctl@vm.swappiness',
    '<%= config.bin %> rollback --all',
  ];
  static override flags = {
    all: Flags.boolean({ summary: 'Everything hft ever changed', exclusive: ['to', 'item'] }),
    to: Flags.string({ helpValue: 'RUN', summary: 'Everything after this run', exclusive: ['item'] }),
    item: Flags.string({ multiple: true, helpValue: 'ID', summary: 'Only this setting' }),
    ...hostFlags,
  };

  async run() {
    const { flags } = await this.parse(Rollback);
    const { requireRoot } = await import('../cli/root.ts');
    const { briefRollback } = await import('../views/brief.ts');
    const { viewRollback } = await import('../views/rollback.ts');
    return this.showHosts(flags, async (host) => {
      if (host === undefined) requireRoot('hft rollback');
      const [recovered, rolledBack] = await withHost(this.config, host, async (control) => [
        await control.recover(),
        await control.rollback({ scope: chooseScope(flags) }),
      ]);
      const reports = [...recovered.reports, ...rolledBack.reports];
      const json = { reports, complete: recovered.complete && rolledBack.complete };
      const text = (terminal: Terminal) => viewRollback(json, terminal);
      return { json, text, brief: briefRollback(json), exitCode: json.complete ? 0 : 4 };
    });
  }
}

function chooseScope(flags: {
  all?: boolean;
  to?: string | undefined;
  item?: string[] | undefined;
}): RollbackRequest['scope'] {
  if (flags.item) return { items: flags.item };
  if (flags.to !== undefined) return { to: flags.to };
  return flags.all ? 'all' : 'last';
}
