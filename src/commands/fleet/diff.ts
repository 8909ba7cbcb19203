import { Flags } from '@oclif/core';
import { forThisMachine, hostFlags } from '../../cli/host-flag.ts';
import { BaseCommand } from '../base.ts';

export default class FleetDiff extends BaseCommand {
  static override summary = 'Show what hosts that should be equal differ in, and which is the odd one out';
  static override description =
    'BIOS, microcode, firmware, kernel and each of its arguments, mitigations, settings, drift, verdicts of the last measurement of latency. What more than half of the hosts have is usual; the others are odd. Without --profile the settings are those of the profile in force. Changes nothing. Exit code 0 when all are equal, 1 when something differs.';
  static override examples = [
    '<%= config.bin %> fleet diff --inventory tokyo.ini --limit market_data',
    '<%= config.bin %> fleet diff --host box7 --host box8 --profile colo',
    '<%= config.bin %> fleet diff --snapshot box7.tar.gz --snapshot box8.tar.gz --json',
  ];
  static override flags = {
    profile: Flags.string({ char: 'p', helpValue: 'NAME', summary: 'Compare the settings that this profile is about' }),
    ...hostFlags,
    snapshot: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'PATH',
      summary: 'Compare captured machines, read-only; give it twice or more',
      ...forThisMachine,
    }),
  };

  async run() {
    const { flags } = await this.parse(FleetDiff);
    const { diffFleet } = await import('../../cli/fleet-diff.ts');
    const { fleetDiffJson, viewFleetDiff } = await import('../../views/fleet-diff.ts');
    const diff = await diffFleet(this.config, flags, (text) => this.logToStderr(text));
    return this.show(fleetDiffJson(diff), (terminal) => viewFleetDiff(diff, terminal), diff.exitCode);
  }
}
