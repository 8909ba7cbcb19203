import { Flags } from '@oclif/core';
import { forThisMachine, hostFlags } from '../cli/host-flag.ts';
import { UsageError } from '../errors.ts';
import type { Terminal } from '../views/terminal.ts';
import { BaseCommand } from './base.ts';

/** Clears the terminal and puts the cursor at its top. */
const CLEAR = '\x1b[2J\x1b[H';

export default class Ps extends BaseCommand {
  static override summary = 'Show what hft launched: each thread, where it should run and where it does';
  static override description =
    'Rates are those of one second. CPUs marked with ! are not those that the thread was given. --watch also says what is not as it was placed, who did it, and since when, as `hft verify processes` does. A supervisor that was killed is started again, and takes the processes over. Exit code 0 when all that was asked for runs, 1 when something does not.';
  static override examples = ['<%= config.bin %> ps', '<%= config.bin %> ps --watch'];
  static override flags = {
    ...hostFlags,
    watch: Flags.boolean({ summary: 'Show it again every second, until Ctrl-C', ...forThisMachine }),
  };

  async run() {
    const { flags } = await this.parse(Ps);
    if (flags.watch && this.jsonEnabled()) throw new UsageError('--watch is for people: with --json call it again.');
    const { listAgainAndAgain } = await import('../cli/ps.ts');
    const { listHost } = await import('../cli/launch-host.ts');
    const { briefListing } = await import('../views/brief.ts');
    const { psExitCode, psJson, viewPs } = await import('../views/ps.ts');
    const { watchCancellation } = await import('../cli/interruption.ts');
    const signal = watchCancellation();
    if (!flags.watch) {
      return this.showHosts(flags, async (host) => {
        const listing = await listHost(this.config.root, host, signal);
        const text = (terminal: Terminal) => viewPs(listing, terminal);
        const { host: hostname } = listing;
        return { json: psJson(listing), text, brief: briefListing(listing), hostname, exitCode: psExitCode(listing) };
      });
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
