import { Flags } from '@oclif/core';
import { hostFlag } from '../cli/host-flag.ts';
import { UsageError } from '../errors.ts';
import { BaseCommand } from './base.ts';

/** Clears the terminal and puts the cursor at its top. */
const CLEAR = '\x1b[2J\x1b[H';

export default class Ps extends BaseCommand {
  static override summary = 'Show what hft launched: each thread, where it should run and where it does';
  static override description =
    'Rates are those of one second. CPUs marked with ! are not those that the thread was given. --watch also says what is not as it was placed, who did it, and since when, as `hft verify processes` does. A supervisor that was killed is started again, and takes the processes over. Exit code 0 when all that was asked for runs, 1 when something does not.';
  static override examples = ['<%= config.bin %> ps', '<%= config.bin %> ps --watch'];
  static override flags = {
    host: hostFlag,
    watch: Flags.boolean({ summary: 'Show it again every second, until Ctrl-C', exclusive: ['host'] }),
  };

  async run() {
    const { flags } = await this.parse(Ps);
    if (flags.watch && this.jsonEnabled()) throw new UsageError('--watch is for people: with --json call it again.');
    const { listAgainAndAgain } = await import('../cli/ps.ts');
    const { listHost } = await import('../cli/launch-host.ts');
    const { psExitCode, psJson, viewPs } = await import('../views/ps.ts');
    const { watchCancellation } = await import('../cli/interruption.ts');
    const signal = watchCancellation();
    if (!flags.watch) {
      const listing = await listHost(this.config.root, flags.host, signal);
      return this.show(psJson(listing), (terminal) => viewPs(listing, terminal), psExitCode(listing));
    }
    let exitCode = 0;
    for await (const listing of listAgainAndAgain(this.config.root, signal)) {
      this.log(`${process.stdout.isTTY ? CLEAR : ''}${viewPs(listing, this.terminal)}\n`);
      exitCode = psExitCode(listing);
    }
    process.exitCode = exitCode;
    return undefined;
  }
}
