import { passGate } from '../agent/launch-boot.ts';
import type { HftError } from '../errors.ts';
import type { LaunchOrder } from '../launch/order.ts';
import { GateClosed, refuseUnfit } from './launch-gate.ts';
import { openLaunchSite } from './launch-site.ts';
import { type Installation, openAgent } from './target.ts';

/** Drivers and interfaces come late, and what the tune sets for them a moment after: until then a host is looked at again. */
const PATIENCE_MS = 60_000;
const PERIOD_MS = 5_000;

/** The gate at boot: the same look as that of `hft launch`, also for what was launched without one. */
export async function passBootGate(installation: Installation): Promise<LaunchOrder> {
  const { root, version } = installation;
  const site = openLaunchSite(root, version);
  return passGate(site, async ({ profile, placement, processes, isolated }) => {
    const up = processes.flatMap(({ name, goal }) => (goal === 'up' ? [name] : []));
    const placed = placement.processes.filter(({ name }) => up.includes(name));
    await untilFit(async () => {
      const agent = await openAgent(installation);
      await refuseUnfit({ agent, reader: site.host, root, profile, processes: placed, isolated });
    });
  });
}

async function untilFit(look: () => Promise<void>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const closed = await findClosed(look);
    if (closed === undefined) return;
    if (performance.now() > deadlineMs) throw closed;
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}

/** Why the gate is closed; another error is thrown: time does not mend a profile that is not there. */
async function findClosed(look: () => Promise<void>): Promise<HftError | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    if (error instanceof GateClosed) return error;
    throw error;
  }
}
