import { printCpulist } from '../../topology/cpulist.ts';
import { type Fact, type HostFacts, listFacts } from '../../topology/host-facts.ts';

/** What a measurement was taken on, as far as it can make a difference. Stable as JSON; null is "not known". */
export interface Fingerprint extends HostFacts {
  /** The profile that hft has put in force. */
  readonly profileInForce: string | null;
  /** The version of hft. */
  readonly hft: string;
}

/** One thing that two machines, or one machine at two times, have different. null: not known, or not there. */
export interface FingerprintDifference {
  /** `kernel`, `microcode`, `irq eth0/rx-0` … */
  readonly what: string;
  readonly before: string | null;
  readonly after: string | null;
}

export function compareFingerprints(before: Fingerprint, after: Fingerprint): FingerprintDifference[] {
  const [one, other] = [new Map(listParts(before)), new Map(listParts(after))];
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((what) => {
    const [was, is] = [one.get(what) ?? null, other.get(what) ?? null];
    return was === is ? [] : [{ what, before: was, after: is }];
  });
}

function listParts(fingerprint: Fingerprint): readonly Fact[] {
  const { host, profileInForce, hft, mitigations } = fingerprint;
  return [
    ['host', host],
    ...listFacts(fingerprint),
    ['profile in force', profileInForce],
    ['hft version', hft],
    ...Object.entries(mitigations).map(([name, text]): Fact => [`mitigation ${name}`, text]),
    ...listIrqs(fingerprint),
  ];
}

/** By device and queue, never by number. Two interrupts of one name get their place among these: `eth0/rx-0`, `eth0/rx-0#2`. */
function listIrqs({ irqs }: Fingerprint): readonly Fact[] {
  const seen = new Map<string, number>();
  return irqs.map(({ name, cpus }) => {
    const place = (seen.get(name) ?? 0) + 1;
    seen.set(name, place);
    return [place === 1 ? `irq ${name}` : `irq ${name}#${place}`, printCpulist(cpus)];
  });
}
