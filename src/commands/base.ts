/**
 * How to add a command
 *
 * 1. Write src/commands/<topic>/<name>.ts (`hft topic name`) with a default export that extends BaseCommand; at most
 *    60 lines: flags, one call, one view.
 *
 *      import { Flags } from '@oclif/core';
 *      import { BaseCommand, snapshotFlag } from '../base.ts';
 *
 *      export default class Plan extends BaseCommand {
 *        static override summary = 'Show what a profile would change on this host';
 *        static override examples = ['<%= config.bin %> plan --profile colo'];
 *        static override flags = { profile: Flags.string({ required: true, summary: '…' }), snapshot: snapshotFlag };
 *
 *        async run() {
 *          const { flags } = await this.parse(Plan);
 *          const { planner } = await import('../cli/plan.ts');            // heavy imports only in here: start-up is 50 ms
 *          const planOf = await planner(this.config, flags, {});           // once, for however many hosts
 *          return this.showHosts(flags, async (host) => answerOf(await planOf(host)));
 *        }
 *      }
 *
 * 2. Add it to the list in src/commands/index.ts (a test compares list and folder).
 *
 * `show` prints the data with --json and the view without it, and sets the exit code. Views are pure functions of data
 * and `Terminal` (src/views/terminal.ts: width, colours). What a user can act on is thrown as an HftError: it is shown
 * as message and next steps on stderr, or as `{"error": …}` on stdout with --json. Everything else that is thrown is a
 * bug: stack, exit 70. Progress and questions go to stderr with `this.logToStderr`, which is silent with --json.
 */
import { Command, Flags } from '@oclif/core';
import type { Answer } from '../cli/fleet-ask.ts';
import type { HostFlags } from '../cli/host-flag.ts';
import { chooseHosts, type NamedHost } from '../cli/named-host.ts';
import { describeTerminal, type Terminal } from '../views/terminal.ts';

export const snapshotFlag = Flags.string({
  helpValue: 'PATH',
  summary: 'Work on a captured machine, read-only: a folder with proc and sys in it, or a tar of one',
});

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;
  static override baseFlags = {
    'no-color': Flags.boolean({ summary: 'Print without colours (so does NO_COLOR=1)', helpGroup: 'GLOBAL' }),
  };

  /** Shows a result: `json` with --json, else the text. `exitCode` is 0 as wanted, 1 differs … (DESIGN.md). */
  protected show<Json>(json: Json, text: (terminal: Terminal) => string, exitCode = 0): Json {
    process.exitCode = exitCode;
    if (!this.jsonEnabled()) this.log(text(this.terminal).trimEnd());
    return json;
  }

  /** Shows what this machine or the named host answers; of many hosts their answers together, under `hosts`. */
  protected async showHosts<Json>(flags: HostFlags, ask: (host: NamedHost | undefined) => Promise<Answer<Json>>) {
    const chosen = await chooseHosts(flags);
    if (chosen.is === 'one') {
      const { json, text, exitCode } = await ask(chosen.host);
      return this.show(json, text, exitCode);
    }
    const { askFleet } = await import('../cli/fleet-ask.ts');
    const { fleetJson, viewFleet } = await import('../views/fleet.ts');
    const fleet = await askFleet(chosen, ask, (text) => this.logToStderr(text));
    return this.show(fleetJson(fleet), (terminal) => viewFleet(fleet, terminal), fleet.exitCode);
  }

  protected get terminal(): Terminal {
    return describeTerminal(process.stdout, process.env);
  }

  /** Errors are rendered in one place, src/cli/report-error.ts; oclif's own way dumps the whole configuration as JSON. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }
}
