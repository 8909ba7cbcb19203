import { Flags } from '@oclif/core';
import { parseSeconds } from '../../cli/duration.ts';
import { hostFlags } from '../../cli/host-flag.ts';
import type { Terminal } from '../../views/terminal.ts';
import { BaseCommand } from '../base.ts';

const VDEVS = ['net_null', 'net_af_packet', 'net_af_xdp'] as const;

export default class VerifyDpdk extends BaseCommand {
  static override summary = 'Verify that DPDK works here: devices, hugepages, and packets that all arrive';
  static override description =
    'Looks at the devices that VFIO gives out and at free hugepages, then lets dpdk-testpmd forward packets between two ports and compares what was sent with what was received, by the counters of its telemetry socket: drivers lose packets that they count nowhere. --vdev needs no NIC and no hugepages (the pair of interfaces is in a network namespace of its own); --port takes a NIC that is bound to vfio-pci, twice for two that are wired to each other. Exit code 0 when all arrived, 1 when not, when it could not be told, or without dpdk-testpmd.';
  static override examples = [
    '<%= config.bin %> verify dpdk',
    '<%= config.bin %> verify dpdk --vdev net_af_packet --vdev net_af_xdp',
    '<%= config.bin %> verify dpdk --profile colo-dpdk --port 0000:3b:00.0 --port 0000:3b:00.1',
  ];
  static override flags = {
    profile: Flags.string({ char: 'p', helpValue: 'NAME', summary: 'Verify the DPDK settings of this profile too' }),
    vdev: Flags.option({ multiple: true, options: VDEVS })({
      summary: 'Forward over such devices (default: net_null)',
    }),
    port: Flags.string({ multiple: true, helpValue: 'ADDRESS', summary: 'Forward over this NIC: 0000:3b:00.0' }),
    duration: Flags.string({ default: '2s', helpValue: 'TIME', summary: 'How long packets go round' }),
    bursts: Flags.integer({ default: 1, min: 1, max: 512, summary: 'Bursts of 32 packets that each port starts with' }),
    ...hostFlags,
  };

  async run() {
    const { flags } = await this.parse(VerifyDpdk);
    const { dpdkExitCode } = await import('../../cli/verify-dpdk.ts');
    const { dpdkVerifier } = await import('../../cli/verify-remote.ts');
    const { briefVerification } = await import('../../views/brief.ts');
    const { viewDpdk } = await import('../../views/verify-dpdk.ts');
    const { vdev = [], port = [] } = flags;
    const durationS = parseSeconds('--duration', flags.duration);
    const verify = await dpdkVerifier(this.config, { ...flags, vdev, port, durationS });
    return this.showHosts(flags, async (host) => {
      const json = await verify(host);
      const text = (terminal: Terminal) => viewDpdk(json, terminal);
      return { json, text, brief: briefVerification(json), hostname: json.host, exitCode: dpdkExitCode(json) };
    });
  }
}
