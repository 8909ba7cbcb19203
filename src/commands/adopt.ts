import { Args, Flags } from '@oclif/core';
import { BaseCommand } from './base.ts';

export default class Adopt extends BaseCommand {
  static override summary = 'Place and watch a process that somebody else started';
  static override description =
    'Each thread gets its CPUs, and its policy where one is named, through the journal: `hft rollback` gives back what it had. Without --cpus and --thread all threads stay as they are and are watched. Threads that nothing names stay as they are and are not. Nobody starts the process again when it ends. Exit code 0 when it is adopted, 2 when it cannot be, 3 when the kernel refused and all is as before, 4 when not all could be put back.';
  static override examples = [
    '<%= config.bin %> adopt 4711 --as redis --cpus housekeeping',
    '<%= config.bin %> adopt 4711 --as feed --thread md-rx=4:fifo:48 --thread md-decode=5 --cpus 0-1',
    '<%= config.bin %> adopt 4711 --as legacy',
  ];
  static override args = {
    pid: Args.string({ required: true, description: 'The process' }),
  };
  static override flags = {
    as: Flags.string({ required: true, helpValue: 'NAME', summary: 'What it is called from now on' }),
    cpus: Flags.string({
      helpValue: 'CPUS',
      summary: 'For all threads that --thread does not name: 0-1, housekeeping',
    }),
    thread: Flags.string({
      helpValue: 'NAME=CPUS[:POLICY:NUMBER]',
      multiple: true,
      summary: 'For threads of a name, a pattern or #N, the N-th that was started; a set for each: gw-*=2/4',
    }),
  };

  async run() {
    const { args, flags } = await this.parse(Adopt);
    const { adopt } = await import('../cli/adopt.ts');
    const { adoptionJson, viewAdoption } = await import('../views/adopt.ts');
    const adoption = await adopt(this.config, args.pid, flags);
    return this.show(adoptionJson(adoption), (terminal) => viewAdoption(adoption, terminal));
  }
}
