import { z } from 'zod';
import type { HostReader } from '../../host/host.ts';
import type { ClockChoice } from './clock-choice.ts';
import { clockSource } from './meta.ts';

/** What hft-probe is told; before all other options. */
export function clockArguments(choice: ClockChoice = 'auto'): string[] {
  return choice === 'kernel' ? ['--clock', 'raw'] : [];
}

const answer = z.object({ source: clockSource, whyRaw: z.string().optional() });

/** The clock that hft-probe would time a run by now. */
export type ChosenClock = z.output<typeof answer>;

/** Asks hft-probe, which alone decides. Returns why that cannot be known. */
export async function readChosenClock(
  host: HostReader,
  program: string,
  choice?: ClockChoice,
): Promise<ChosenClock | { readonly reason: string }> {
  const asked = await host.query([program, 'clock', ...clockArguments(choice)]);
  if (!asked.found) return { reason: `${program} is not there: hft was built without a C compiler.` };
  const said = answer.safeParse(readJson(asked.stdout));
  if (asked.exitCode === 0 && said.success) return said.data;
  const answered = JSON.stringify(`${asked.stdout}${asked.stderr}`.trim());
  return { reason: `${program} clock does not say which clock the gaps will be timed by: ${answered}.` };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
