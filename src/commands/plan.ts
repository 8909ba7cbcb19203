import { Flags } from '@oclif/core';
import { hostFlag } from '../cli/host-flag.ts';
import { readScope, scopeFlags } from '../cli/scope-flags.ts';
import { BaseCommand, snapshotFlag } from './base.ts';

export default class Plan extends BaseCommand {
  static override summary = 'Show what a profile would change on this host, and why';
  static override description = 'Changes nothing. Exit code 1 when anything differs, 0 when the host is as wanted.';
  static override examples = [
    '<%= config.bin %> plan --profile colo',
    '<%= config.bin %> plan --profile colo --only irq,nic --json',
    '<%= config.bin %> plan --profile colo --host box7',
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
    host: hostFlag,
    snapshot: { ...snapshotFlag, exclusive: ['host'] },
  };

  async run() {
    const { flags } = await this.parse(Plan);
    const { planHost } = await import('../cli/plan.ts');
    const { planJson } = await import('../views/plan-json.ts');
    const { viewPlan } = await import('../views/plan.ts');
    const plan = await planHost(this.config, flags, await readScope(flags));
    return this.show(planJson(plan), (terminal) => viewPlan(plan, terminal), plan.changes.length > 0 ? 1 : 0);
  }
}
