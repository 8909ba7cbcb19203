import type { Host, HostReader } from '../../host/host.ts';
import { readNames, readValue } from '../../topology/kernel-file.ts';

/**
 * Linux before 6.4 has no event for each TLB shootdown: tlb_flush is silent where nothing is left to flush, or another address
 * space is loaded. There the keeper adds a kprobe event of our own at the function that handles them. Such events are the whole
 * machine's, so its group says whose it is, as the name of the instance does. https://docs.kernel.org/trace/kprobetrace.html
 */
export const SHOOTDOWN_EVENT = 'tlb_shootdown';

/** `hft_4026531836_70_500`: a group is an identifier of C. */
export function shootdownGroup(instance: string): string {
  return instance.replaceAll('-', '_');
}

/** Whether the kernel's own events leave some unnamed, and an event can be added. */
export async function needsShootdownEvent(host: HostReader, tracefs: string): Promise<boolean> {
  if ((await readNames(host, `${tracefs}/events/csd`)).includes('csd_function_entry')) return false;
  return (await readNames(host, tracefs)).includes('kprobe_events');
}

/** Takes away what a keeper that was killed added for this instance. Throws HostError (EBUSY: somebody else records it). */
export async function removeShootdownEvent(host: Host, tracefs: string, instance: string): Promise<void> {
  const group = shootdownGroup(instance);
  const added = (await readValue(host, `${tracefs}/kprobe_events`)) ?? '';
  if (!added.includes(`:${group}/${SHOOTDOWN_EVENT} `)) return;
  const enable = `${tracefs}/instances/${instance}/events/${group}/enable`;
  if ((await readValue(host, enable)) !== undefined) await host.writeText(enable, '0');
  await host.writeText(`${tracefs}/kprobe_events`, `-:${group}/${SHOOTDOWN_EVENT}`);
}
