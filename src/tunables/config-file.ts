import type { Host, HostReader } from '../host/host.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { ConfigFileTunable } from './tunable.ts';

/** Takes a file out, and the folders that were made for it unless something else is in them by now. */
async function removeOwn(host: Host, { path, makesFolders = [] }: ConfigFileTunable): Promise<void> {
  await host.removeFile(path);
  for (const folder of [...makesFolders].reverse()) {
    if ((await host.list(folder))?.length === 0) await host.removeFolder(folder);
  }
}

/** The folders above a path that are not there, outermost first. */
async function listMissingFolders(reader: HostReader, path: string): Promise<string[]> {
  const folder = path.slice(0, path.lastIndexOf('/'));
  if (folder === '' || (await reader.list(folder)) !== undefined) return [];
  return [...(await listMissingFolders(reader, folder)), folder];
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
  async remember(reader, tunable) {
    const makesFolders = await listMissingFolders(reader, tunable.path);
    return makesFolders.length === 0 ? tunable : { ...tunable, makesFolders };
  },
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) await removeOwn(host, tunable);
      else await host.replaceFile(tunable.path, value, tunable.mode);
    }
    const unit = writes[0]?.tunable.restarts;
    if (unit === undefined) return;
    await host.execute(['systemctl', 'daemon-reload']);
    await host.execute(['systemctl', 'try-restart', unit]);
  },
};
