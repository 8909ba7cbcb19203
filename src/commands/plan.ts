import { Flags } from '@oclif/core';
import { forThisMachine, hostFlags } from '../cli/host-flag.ts';
import { readScope, scopeFlags } from '../cli/scope-flags.ts';
import type { Terminal } from '../views/terminal.ts';
import { BaseCommand, snapshotFlag } from './base.ts';

export default class Plan extends BaseCommand {
  static override summary = 'Show what a profile would change on this host, and why';
  static override description = 'Changes nothing. Exit code 1 when anything differs, 0 when the host is as wanted.';
  static override examples = [
    '<%= config.bin %> plan --profile colo',
    '<%= config.bin %> plan --profile colo --only irq,nic --json',
    '<%= config.bin %> plan --profile colo --host box7',
    "<%= config.bin %> plan --profile colo --inventory tokyo.ini --limit 'web*:!web3'",
    '<%= config.bin %> plan --profile ./my-profile.yaml --snapshot box7.tar.gz',
  ];
  static override flags = {
    profile: Flags.string({
      required: true,
      char: 'p',
      helpValue: 'NAME',
      summary: 'A shipped profile, or a YAML file',
    }),
    ...scopeFlags,
    ...hostFlags,
    snapshot: { ...snapshotFlag, ...forThisMachine },
  };

  async run() {
    const { flags } = await this.parse(Plan);
    const { planner } = await import('../cli/plan.ts');
    const { briefPlan } = await import('../views/brief.ts');
    const { planJson } = await import('../views/plan-json.ts');
    const { viewPlan } = await import('../views/plan.ts');
    const planOf = await planner(this.config, flags, await readScope(flags));
    return this.showHosts(flags, async (host) => {
      const plan = await planOf(host);
      const text = (terminal: Terminal) => viewPlan(plan, terminal);
      const exitCode = plan.changes.length > 0 ? 1 : 0;
      return { json: planJson(plan), text, brief: briefPlan(plan), hostname: plan.host, exitCode };
    });
  }
}
