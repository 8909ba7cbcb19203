import { Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';
import { BaseCommand } from './base.ts';

/** Clears the terminal and puts the cursor at its top. */
const CLEAR = '\x1b[2J\x1b[H';

export default class Ps extends BaseCommand {
  static override summary = 'Show what hft launched: each thread, where it should run and where it does';
  static override description =
    'Rates are those of one second. CPUs marked with ! are not those that the thread was given; `hft verify processes` says more. A supervisor that was killed is started again, and takes the processes over. Exit code 0 when all that was asked for runs, 1 when something does not.';
  static override examples = ['<%= config.bin %> ps', '<%= config.bin %> ps --watch'];
  static override flags = {
    watch: Flags.boolean({ summary: 'Show it again every second, until Ctrl-C' }),
  };

  async run() {
    const { flags } = await this.parse(Ps);
    if (flags.watch && this.jsonEnabled()) throw new UsageError('--watch is for people: with --json call it again.');
    const { list } = await import('../cli/ps.ts');
    const { psExitCode, psJson, viewPs } = await import('../views/ps.ts');
    const { watchCancellation } = await import('../cli/interruption.ts');
    const signal = watchCancellation();
    let listing = await list(this.config.root, signal);
    while (flags.watch && !signal.aborted) {
      const clear = process.stdout.isTTY ? CLEAR : '';
      this.log(`${clear}${viewPs(listing, this.terminal)}\n`);
      listing = await list(this.config.root, signal);
    }
    return this.show(
      psJson(listing),
      (terminal) => (flags.watch ? '' : viewPs(listing, terminal)),
      psExitCode(listing),
    );
  }
}
