import { type Config, type Interfaces, run } from '@oclif/core';
import { reportError } from './report-error.ts';
import type { Invocation } from './start.ts';
import { describeUnknownCommand } from './unknown-command.ts';

/** Runs one command line. Sets process.exitCode and never ends the process: what is on its way to a pipe arrives. */
export async function main({ root, argv }: Invocation, load: Partial<Interfaces.Options> = {}): Promise<void> {
  if (argv.includes('--no-color')) process.env.NO_COLOR = '1';
  process.env.OCLIF_COLUMNS ??= process.env.COLUMNS;
  handleOutputErrors();
  try {
    // hft has no plug-ins: nothing is looked for in the home of whoever types.
    await run([...argv], { root, userPlugins: false, devPlugins: false, ...load });
  } catch (error) {
    process.exitCode = reportError(error, argv);
  }
}

/** oclif's `command_not_found` hook: also reached by `hft profil list`, whose id is `profil:list`. */
export async function commandNotFound({ id, config }: { id: string; config: Config }): Promise<never> {
  throw describeUnknownCommand(id.replaceAll(':', ' '), config);
}

/** A reader that went away (`hft plan | head`) is no error, and must not end a command that is changing the machine. */
function handleOutputErrors(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      if (stream === process.stdout) process.stderr.write(`hft: cannot write the output: ${error.code}\n`);
      process.exitCode = 2;
    });
  }
}
