import type { Host } from '../host/host.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { ConfigFileTunable } from './tunable.ts';

/** Takes a drop-in out, and its `.d` folder too when nothing else is in it: it was made for the drop-in. */
async function removeOwn(host: Host, path: string): Promise<void> {
  await host.removeFile(path);
  const folder = path.slice(0, path.lastIndexOf('/'));
  if (folder.endsWith('.d') && (await host.list(folder))?.length === 0) await host.removeFolder(folder);
}

/** A whole file that hft owns. null: not there. */
export const configFileKind: TunableKind<ConfigFileTunable> = {
  persistent: true,
  async read(reader, tunable) {
    try {
      const text = await reader.readText(tunable.path);
      if (text === undefined) return { status: 'value', value: null, evidence: `${tunable.path}: not there` };
      return { status: 'value', value: text, evidence: `${tunable.path}: ${Buffer.byteLength(text)} bytes` };
    } catch (error) {
      return unreadable(error, tunable.path);
    }
  },
  canonical: (_tunable, value) => value,
  // The files of one unit change together: one restart.
  batchKey: ({ path, restarts }) => (restarts === undefined ? `file ${path}` : `files of ${restarts}`),
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) await removeOwn(host, tunable.path);
      else await host.replaceFile(tunable.path, value, tunable.mode);
    }
    const unit = writes[0]?.tunable.restarts;
    if (unit === undefined) return;
    await host.execute(['systemctl', 'daemon-reload']);
    await host.execute(['systemctl', 'try-restart', unit]);
  },
};
