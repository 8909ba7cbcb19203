import type { Agent } from '../agent/agent.ts';
import { Bench } from '../agent/daemon/bench.ts';
import { Refused } from '../agent/daemon/refused.ts';
import type { Of, VerifyServices } from '../agent/daemon/verify-services.ts';
import type { Work } from '../agent/daemon/work.ts';
import type { SentProfile } from '../agent/protocol/request.ts';
import type { Wanted } from '../engine/scope.ts';
import type { Verification } from '../engine/verify.ts';
import { UsageError } from '../errors.ts';
import type { Installation } from './target.ts';

export interface VerifyingSite {
  readonly installation: Installation;
  readonly agent: Agent;
  readonly check: (profile: SentProfile) => Promise<Wanted>;
  /** Where it answers the network probe. */
  readonly responderPort: number;
}

/** What the daemon of this host measures and watches for controllers. What it needs is loaded when it is first asked for. */
export function verifyHere(site: VerifyingSite): VerifyServices {
  const bench = new Bench();
  const alone = <T>(work: Work, what: string, act: () => Promise<T>) =>
    bench.take({ by: work.controller.name, what }, act);
  return {
    latency: (request, work) =>
      alone(work, 'verify latency', async () => {
        const { measureForController } = await import('./agent-latency.ts');
        return measureForController(site, request, work);
      }),
    ptp: (request, { signal }) => watchPtpFor(site, request, signal),
    processes: async ({ durationS }, { signal }) => {
      const { verifyProcesses } = await import('./verify-processes.ts');
      return verifyProcesses(site.installation.root, durationS, signal);
    },
    dpdk: (request, work) => alone(work, 'verify dpdk', () => verifyDpdkFor(site, request, work)),
    respond: (request, work) =>
      alone(work, `answers ${work.asker?.address}`, async () => {
        const { respondForController } = await import('./agent-respond.ts');
        return respondForController(site, request, work);
      }),
  };
}

async function watchPtpFor({ installation }: VerifyingSite, request: Of<'verify-ptp'>, signal: AbortSignal) {
  const { lookAtPtpHere, readInterval } = await import('./verify-ptp.ts');
  const { limitNs, timescale, grandmaster, freeRunning, durationS, intervalS } = request;
  return lookAtPtpHere(installation.root, {
    expectation: { limitNs, timescale, grandmaster, allowsFreeRunning: freeRunning },
    everyMs: readInterval({ interval: `${intervalS}s` }),
    durationMs: durationS * 1000,
    signal,
  });
}

/** Only over devices that the profile in force here gives to DPDK. */
async function verifyDpdkFor({ installation, agent, check }: VerifyingSite, request: Of<'verify-dpdk'>, work: Work) {
  const { DPDK_SETTINGS, verifyDpdkHere } = await import('./verify-dpdk.ts');
  const { port, vdev, durationS, bursts, profile } = request;
  if (port.length > 0) requireGiven(port, await agent.verifyInForce({ only: ['dpdk'] }));
  const wanted = profile && (await check(profile));
  return verifyDpdkHere(installation.root, {
    ...{ port, vdev, durationS, bursts, profile: profile?.name, signal: work.signal },
    verifySettings: () => {
      if (wanted === undefined) throw new UsageError('No profile was sent.');
      return agent.verify(wanted, DPDK_SETTINGS);
    },
  });
}

function requireGiven(ports: readonly string[], inForce: Verification | undefined): void {
  const given = (inForce?.results ?? []).flatMap(
    ({ id, expected }) => (expected === 'vfio-pci' && /^dpdk\.driver@(?<address>.+)$/.exec(id)?.groups?.address) || [],
  );
  const other = ports.find((address) => !given.includes(address));
  if (other === undefined) return;
  throw new Refused(
    `--port ${other}: the profile in force does not give it to DPDK (it gives ${given.join(', ') || 'nothing'}).`,
    ['Packets are sent only over what `dpdk: {devices: …}` of that profile names; on the host itself over any.'],
  );
}
