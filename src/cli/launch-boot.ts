import { passGate } from '../agent/launch-boot.ts';
import type { LaunchOrder } from '../launch/order.ts';
import { refuseUnfit } from './launch-gate.ts';
import { openLaunchSite } from './launch-site.ts';
import { type Installation, openAgent } from './target.ts';

/** The gate at boot: the same look as that of `hft launch`, also for what was launched without one. */
export async function passBootGate(installation: Installation): Promise<LaunchOrder> {
  const { root } = installation;
  const site = openLaunchSite(installation);
  return passGate(site, async ({ profile, placement, processes, isolated }) => {
    const agent = await openAgent(installation);
    const up = processes.flatMap(({ name, goal }) => (goal === 'up' ? [name] : []));
    const placed = placement.processes.filter(({ name }) => up.includes(name));
    await refuseUnfit({ agent, reader: site.host, root, profile, processes: placed, isolated });
  });
}
