import { partsInForce } from '../../engine/in-force.ts';
import { readRuns } from '../../engine/journal.ts';
import { planParts } from '../../engine/plan-parts.ts';
import type { Engine } from '../../engine/tune.ts';
import { verifyPlan } from '../../engine/verify.ts';
import { NOT_READ } from '../../host/not-read.ts';
import type { SettingsReading } from '../../metrics/host-families.ts';

/** Verifies what is in force. Plans for it, which is what costs most of all readings. Changes nothing. */
export async function readSettings(engine: Engine): Promise<SettingsReading> {
  const runs = await readRuns(engine.state);
  const names = engine.domains.map(({ name }) => name);
  const parts = partsInForce(runs, names);
  if (parts.length === 0) return { results: [], notRead: 0 };
  const { plan } = await planParts(engine, parts, { scope: {}, runs });
  const unread = plan.unread.filter(({ code }) => code !== NOT_READ);
  return { results: verifyPlan({ ...plan, unread }).results, notRead: plan.unread.length - unread.length };
}
