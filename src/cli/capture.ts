import { captureMachine } from '../agent/capture.ts';
import { LocalHost } from '../host/local.ts';
import { scrubRecording } from '../host/scrub.ts';
import { writeSnapshot } from '../host/snapshot-write.ts';
import { listProfiles } from '../profile/list.ts';
import { openProfileStore } from './profile-store.ts';
import { loadWanted } from './wanted.ts';

export interface Captured {
  readonly file: string;
  readonly host: string;
  readonly files: number;
  readonly commands: number;
  readonly scrubbed: boolean;
}

/** Captures this machine for every profile that is installed, into `file` or hft-HOST.tar.gz. */
export async function captureToFile(
  root: string,
  file: string | undefined,
  { scrub }: { scrub: boolean },
): Promise<Captured> {
  const host = new LocalHost({ probe: `${root}/dist/hft-probe` });
  const profiles = await listProfiles(openProfileStore(root));
  const wanted = await Promise.all(profiles.map(async ({ name }) => (await loadWanted(name, root)).wanted));
  const whole = await captureMachine(host, wanted);
  const recording = scrub ? scrubRecording(whole) : whole;
  const name = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? 'host';
  const target = file ?? `hft-${scrub ? 'host' : name}.tar.gz`;
  await writeSnapshot(recording, target);
  const read = recording.answers.filter((answer) => answer.question === 'read').length;
  return { file: target, host: name, files: read, commands: recording.commands.length, scrubbed: scrub };
}
