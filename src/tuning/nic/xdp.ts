import { type Decision, type NicCase, refuse, refuseUntold, wish } from './decision.ts';
import type { XdpWanted } from './schema.ts';
import { sayMode, takesXdp } from './xdp-features.ts';

/** Receive queues that are kept for AF_XDP: the last ones. */
export interface KeptQueues {
  readonly first: number;
}

/** undefined: none are asked for, or they cannot be kept (which `desireXdp` says). */
export function keptQueues(nicCase: NicCase): KeptQueues | undefined {
  const { xdp } = nicCase.wanted;
  const { facts } = nicCase;
  if (xdp === undefined || !facts?.indirection.ok || refuseXdp(nicCase, xdp) !== undefined) return undefined;
  return { first: facts.indirection.output.rings - xdp.queues };
}

/** Whether rules are to send flows to queues. */
export function needsFilters(nicCase: NicCase): boolean {
  return keptQueues(nicCase) !== undefined && (nicCase.wanted.xdp?.flows.length ?? 0) > 0;
}

/**
 * Queues for AF_XDP sockets: RSS leaves them out, and flows are sent to them by rule. The sockets themselves are the
 * program's. https://docs.kernel.org/networking/af_xdp.html
 */
export function desireXdp(nicCase: NicCase): readonly Decision[] {
  const { wanted, nic } = nicCase;
  const { xdp } = wanted;
  if (xdp === undefined) return [];
  const refused = refuseXdp(nicCase, xdp);
  if (refused !== undefined) return [refused];
  if (xdp.flows.length > 0 && wanted.offloads?.ntuple === false) {
    return [refuse(nic, 'flow', 'nic.offloads says ntuple: off, and flows to queues need it.', 'conflict')];
  }
  return desireFlows(nicCase, xdp, nic);
}

function refuseXdp({ wanted, nic, facts }: NicCase, xdp: XdpWanted): Decision | undefined {
  const no = (reason: string, kind: 'unsupported' | 'refused' | 'conflict' = 'refused') =>
    refuse(nic, 'xdp', reason, kind);
  if (nic.carriesSession) {
    return no(
      `${nic.name} carries the default route or a session that this host is managed through: an XDP program on it sees those packets first.`,
    );
  }
  if (facts?.master !== undefined) {
    return no(
      `${nic.name} is a part of ${facts.master}, which takes its packets: AF_XDP needs a NIC of its own.`,
      'conflict',
    );
  }
  if (facts?.xdp.known === true && !takesXdp(facts.xdp.features)) {
    const has = facts.xdp.features.join(', ') || 'none';
    return no(
      `The driver ${nic.driver ?? 'of it'} gives no packets to AF_XDP sockets (XDP features: ${has}).`,
      'unsupported',
    );
  }
  if (xdp.zeroCopy === 'required' && (facts?.xdp.known !== true || !facts.xdp.features.includes('xsk-zerocopy'))) {
    return no(`The profile asks for zero copy. ${sayMode(facts?.xdp)}`, 'unsupported');
  }
  if (!facts?.indirection.ok) return refuseUntold(nic, 'xdp', facts?.indirection);
  const { rings } = facts.indirection.output;
  if (xdp.queues >= rings) {
    return no(`${nic.name} has ${rings} receive queues: with ${xdp.queues} for AF_XDP none is left for other traffic.`);
  }
  if (Array.isArray(wanted.rss)) {
    return no(
      'A list of weights in nic.rss says itself which queues get flows: give those for AF_XDP the weight 0, or say how many queues in nic.rss.',
      'conflict',
    );
  }
  const astray = xdp.flows.find(({ queue }) => queue >= xdp.queues);
  if (astray !== undefined) {
    return no(
      `A flow goes to queue ${astray.queue} of those for AF_XDP, of which there are ${xdp.queues}: count from 0.`,
    );
  }
  return undefined;
}

function desireFlows(nicCase: NicCase, { flows }: XdpWanted, nic: NicCase['nic']): readonly Decision[] {
  const kept = keptQueues(nicCase);
  if (kept === undefined) return [];
  return flows.map((flow) => {
    const queue = kept.first + flow.queue;
    const words = matchOf(flow);
    const rule = `flow-type ${flow.protocol} ${words.map(([option, value]) => `${option} ${value}`).join(' ')}`;
    const target = [flow.protocol, ...words.map(([option, value]) => `${option}=${value}`)].join(',');
    return wish(nic, {
      name: `flow@${target}`,
      tunable: { kind: 'ntuple-rule', device: nic.name, rule },
      value: `action ${queue}`,
      why: `This flow goes to receive queue ${queue}, which is kept for AF_XDP. ${sayMode(nicCase.facts?.xdp)}`,
    });
  });
}

function matchOf(flow: XdpWanted['flows'][number]): readonly (readonly [option: string, value: string])[] {
  const all: readonly (readonly [string, string | number | undefined])[] = [
    ['src-ip', flow.source],
    ['dst-ip', flow.destination],
    ['src-port', flow.sourcePort],
    ['dst-port', flow.destinationPort],
    ['dst', flow.mac],
  ];
  return all.flatMap(([option, value]) => (value === undefined ? [] : [[option, String(value)] as const]));
}
