import { Flags } from '@oclif/core';
import { hostFlags } from '../cli/host-flag.ts';
import { withHost } from '../cli/open-host.ts';
import { BaseCommand } from './base.ts';

export default class Confirm extends BaseCommand {
  static override summary = 'Keep changes that wait for a confirmation';
  static override description =
    'A change to the interface that carries the session is taken back by the host itself unless it is confirmed in time. That this command could be typed is the proof that the host can still be reached.';
  static override examples = ['<%= config.bin %> confirm', '<%= config.bin %> confirm --host box7'];
  static override flags = {
    ...hostFlags,
    watch: Flags.string({
      hidden: true,
      helpValue: 'RUN',
      summary: 'Watch a run until it is settled (started by hft tune)',
    }),
  };

  async run() {
    const { flags } = await this.parse(Confirm);
    const { requireRoot } = await import('../cli/root.ts');
    if (flags.watch !== undefined) return this.watch(flags.watch);
    return this.showHosts(flags, async (host) => {
      if (host === undefined) requireRoot('hft confirm');
      const run = await withHost(this.config, host, (control) => control.confirm());
      const text = run === undefined ? 'Nothing waits for a confirmation.' : `Run ${run} is kept.`;
      const brief = run === undefined ? 'nothing waits for a confirmation' : 'kept';
      return { json: { confirmed: run ?? null }, text: () => text, brief, exitCode: 0 };
    });
  }

  private async watch(run: string) {
    const { watchLocalRun } = await import('../agent/embedded.ts');
    const settled = await watchLocalRun({ environment: process.env, version: this.config.version, command: '' }, run);
    return this.show({ run, settled }, () => `Run ${run}: ${settled}`);
  }
}
