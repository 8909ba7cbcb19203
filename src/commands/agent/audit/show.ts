import { Flags } from '@oclif/core';
import { BaseCommand } from '../../base.ts';

export default class AgentAuditShow extends BaseCommand {
  static override summary = "Show the last lines of this host's audit log";
  static override description =
    'Who asked the agent to change what, what came of it, what was refused, and what the agent saw and did by itself. Whether the log is whole: `hft agent audit verify`.';
  static override examples = [
    '<%= config.bin %> agent audit show',
    '<%= config.bin %> agent audit show --last 100 --json',
  ];
  static override flags = {
    last: Flags.integer({ default: 20, min: 1, max: 10_000, helpValue: 'N', summary: 'How many lines' }),
  };

  async run() {
    const { flags } = await this.parse(AgentAuditShow);
    const { showAudit } = await import('../../../cli/agent-audit.ts');
    const { viewAuditLines } = await import('../../../views/agent-audit.ts');
    const lines = await showAudit(flags.last);
    return this.show({ lines }, (terminal) => viewAuditLines(lines, terminal));
  }
}
