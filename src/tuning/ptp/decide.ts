import type { PlacedMachine } from '../../layout/layout.ts';
import type { Refusal } from '../domain.ts';
import { NOT_CAPTURED } from '../knobs/directories.ts';
import type { PtpFacts, Stamping } from './facts.ts';
import type { Decided } from './render.ts';
import type { PtpWanted } from './schema.ts';

/**
 * What all of a `ptp:` comes to on this host, or every reason why it cannot be had. What an administrator can settle is a conflict, by
 * which `hft verify settings` fails: a clock that was asked for and is not there is no detail.
 */
export function decide(
  wanted: PtpWanted,
  facts: PtpFacts,
  machine: PlacedMachine,
): { readonly decided: Decided } | { readonly refused: readonly Refusal[] } {
  const early = refuseHost(facts);
  if (early !== undefined) return { refused: [early] };
  const refused: Refusal[] = [];
  const interfaces = [...new Set(wanted.interfaces.flatMap((name) => resolve(name, { facts, machine, refused })))];
  const stamps = chooseStamps(wanted, { interfaces, facts, refused });
  refused.push(...refuseVersion(wanted, facts), ...refuseChrony(wanted, facts, stamps), ...refuseStrays(facts));
  if (wanted.ts2phc !== undefined) refused.push(...refusePulse(wanted.ts2phc.interface, facts));
  const { version } = facts;
  if (refused.length > 0 || version === undefined) return { refused };
  return {
    decided: { wanted, version, interfaces, stamps, clocks: interfaces.map((name) => facts.stamping.get(name)?.clock) },
  };
}

function refuseHost({ isWhole, hasSystemd, version }: PtpFacts): Refusal | undefined {
  if (!isWhole) return { id: 'ptp.unit@hft-ptp4l.service', kind: 'unknown', reason: NOT_CAPTURED };
  if (!hasSystemd)
    return {
      id: 'ptp.unit@hft-ptp4l.service',
      kind: 'unsupported',
      reason: 'This host is not run by systemd: start ptp4l and phc2sys by the means it has.',
    };
  if (version !== undefined) return undefined;
  const reason = 'linuxptp is not installed: apt-get install linuxptp (dnf install linuxptp).';
  return { id: 'ptp.package@linuxptp', kind: 'conflict', reason };
}

interface Resolving {
  readonly facts: PtpFacts;
  readonly machine: PlacedMachine;
  readonly refused: Refusal[];
}

function resolve(name: string, { facts, machine, refused }: Resolving): readonly string[] {
  const found = name === 'trading' ? machine.layout.nic : name;
  const known = [...facts.stamping.keys()];
  if (found !== undefined && known.includes(found)) return [found];
  const reason =
    found === undefined
      ? 'This machine has no trading NIC (see `hft profile explain`): name the interfaces.'
      : `There is no interface ${found} here; there are ${known.join(', ') || 'none'}.`;
  refused.push({ id: `ptp.interface@${name}`, kind: 'conflict', reason });
  return [];
}

interface Choosing {
  readonly interfaces: readonly string[];
  readonly facts: PtpFacts;
  readonly refused: Refusal[];
}

/** What ptp4l asks of a card before it starts. */
const HARDWARE = ['hardware-transmit', 'hardware-receive', 'hardware-raw-clock'];
const SOFTWARE = ['software-transmit', 'software-receive'];

function chooseStamps(wanted: PtpWanted, { interfaces, facts, refused }: Choosing): Decided['stamps'] {
  const lacks = interfaces.map((name) => ({ name, missing: findMissing(facts.stamping.get(name)) }));
  const isHardware =
    wanted.timestamps === 'hardware' ||
    (wanted.timestamps === 'auto' && lacks.every(({ missing }) => missing === undefined));
  if (!isHardware) return refuseSoftware(wanted, { interfaces, facts, refused });
  for (const { name, missing } of lacks) {
    if (missing !== undefined)
      refused.push({
        id: `ptp.timestamps@${name}`,
        kind: 'conflict',
        reason: `${name} cannot stamp packets in hardware (${missing}): another NIC, or timestamps: software.`,
      });
    else if (!wanted.twoStep && facts.stamping.get(name)?.hasOneStep !== true)
      refused.push({
        id: `ptp.timestamps@${name}`,
        kind: 'conflict',
        reason: `${name} cannot put stamps into Sync itself (ethtool -T has no onestep-sync): leave twoStep on.`,
      });
  }
  return 'hardware';
}

function findMissing(stamping: Stamping | undefined): string | undefined {
  if (stamping === undefined) return 'ethtool -T does not answer for it';
  if (stamping.clock === undefined) return 'ethtool -T shows no PTP clock';
  const missing = HARDWARE.filter((name) => !stamping.capabilities.includes(name));
  if (missing.length > 0) return `ethtool -T lacks ${missing.join(', ')}`;
  const hasFilter = stamping.receiveFilters.some((name) => name === 'all' || name.startsWith('ptpv2'));
  return hasFilter ? undefined : 'it stamps no received PTP packets';
}

function refuseSoftware(wanted: PtpWanted, { interfaces, facts, refused }: Choosing): 'software' {
  for (const name of interfaces) {
    const { capabilities = [] } = facts.stamping.get(name) ?? {};
    const missing = SOFTWARE.filter((each) => !capabilities.includes(each));
    if (missing.length > 0)
      refused.push({
        id: `ptp.timestamps@${name}`,
        kind: 'conflict',
        reason: `${name} cannot stamp packets in software: ethtool -T lacks ${missing.join(', ')}.`,
      });
  }
  if (!wanted.twoStep)
    refused.push({
      id: 'ptp.twoStep@ptp4l',
      kind: 'conflict',
      reason: 'Stamps of software cannot be put into Sync: leave twoStep on.',
    });
  return 'software';
}

function refuseVersion(
  { minorVersion }: PtpWanted,
  { version: [major, minor] = [0, 0] }: PtpFacts,
): readonly Refusal[] {
  if (minorVersion === undefined || major > 4 || (major === 4 && minor >= 2)) return [];
  // What is older speaks 2.0 and nothing else.
  if (minorVersion === 0 && major < 4) return [];
  const reason = `linuxptp ${major}.${minor} cannot choose its minor version: 4.2 can.`;
  return [{ id: 'ptp.minorVersion@ptp4l', kind: 'conflict', reason }];
}

function refuseChrony({ systemClock }: PtpWanted, { chrony }: PtpFacts, stamps: Decided['stamps']): readonly Refusal[] {
  if (systemClock !== 'chrony') return [];
  const id = 'ptp.chrony@refclock';
  if (stamps === 'software')
    return [
      {
        id,
        kind: 'conflict',
        reason:
          'Stamped in software, ptp4l steers the system clock itself and leaves chrony nothing: systemClock: none.',
      },
    ];
  if (chrony !== undefined) return [];
  return [
    {
      id,
      kind: 'conflict',
      reason: 'chrony is not installed, or its configuration has no confdir: apt-get install chrony.',
    },
  ];
}

/** Two that steer one clock pull it to and fro; what no unit started, no plan can stop. */
function refuseStrays({ strays }: PtpFacts): readonly Refusal[] {
  return strays.map((stray) => ({
    id: `ptp.steering@${stray.replace(/ \(\d+\)$/, '')}`,
    kind: 'conflict',
    reason: `${stray} steers a clock and was started by hand: stop it first.`,
  }));
}

function refusePulse(name: string, { stamping }: PtpFacts): readonly Refusal[] {
  if (stamping.get(name)?.clock !== undefined) return [];
  const why = stamping.has(name) ? 'has no PTP clock' : 'is not there';
  return [
    { id: `ptp.ts2phc@${name}`, kind: 'conflict', reason: `${name} ${why}: pulses have no clock to come in on.` },
  ];
}
