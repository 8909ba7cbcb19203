import { Flags } from '@oclif/core';
import { BaseCommand } from '../../base.ts';

export default class AgentAuditVerify extends BaseCommand {
  static override summary = "Follow the chain of this host's audit log from its first line to its last";
  static override description =
    'Finds lines that were changed, left out, doubled, moved or cut off, with file and line. Exit code 0 when the log is whole, 1 when it is not or there is none. A head that was kept on another machine (--head, as `hft agent status` prints it) also shows whether the log was written anew.';
  static override examples = [
    '<%= config.bin %> agent audit verify',
    '<%= config.bin %> agent audit verify --head 214:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  ];
  static override flags = {
    head: Flags.string({ helpValue: 'LINE:HASH', summary: 'A line that has to be there' }),
  };

  async run() {
    const { flags } = await this.parse(AgentAuditVerify);
    const { auditExitCode, verifyAudit } = await import('../../../cli/agent-audit.ts');
    const { auditCheckJson, viewAuditCheck } = await import('../../../views/agent-audit.ts');
    const check = await verifyAudit(flags.head);
    return this.show(auditCheckJson(check), (terminal) => viewAuditCheck(check, terminal), auditExitCode(check));
  }
}
