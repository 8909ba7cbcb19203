import { observeAndPlan } from '../engine/observe.ts';
import type { Wanted } from '../engine/scope.ts';
import { HftError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { type Recording, RecordingHost } from '../host/recording.ts';
import { readInspection } from '../topology/inspection.ts';
import { readMachine } from '../topology/read.ts';
import { LIST_UNIT_FILES } from '../topology/unit-files.ts';
import { domains } from '../tuning/index.ts';

/**
 * Everything that inspect, plan and verify settings read on a machine: by inspecting it and planning each profile, so
 * that the capture answers what they will ask. A profile that this machine cannot have is captured as far as it goes.
 */
export async function captureMachine(reader: HostReader, profiles: readonly Wanted[]): Promise<Recording> {
  const recorder = new RecordingHost(reader);
  await readInspection(recorder, await readMachine(recorder));
  await recorder.query(LIST_UNIT_FILES);
  for (const wanted of profiles) {
    try {
      await observeAndPlan({ reader: recorder, domains, wanted });
    } catch (error) {
      if (!(error instanceof HftError)) throw error;
    }
  }
  return recorder.finish();
}
