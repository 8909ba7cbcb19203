import type { HostReader } from '../host/host.ts';
import { readValue } from './kernel-file.ts';

/**
 * The build options of a kernel, `CONFIG_` dropped, from where distributions put them. /proc/config.gz is compressed
 * and no text: kernels that have only that count as unreadable. undefined also without the right to read /boot.
 */
export async function readKernelConfig(
  reader: HostReader,
  release: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  for (const path of [
    `/boot/config-${release}`,
    `/usr/lib/modules/${release}/config`,
    `/lib/modules/${release}/config`,
  ]) {
    const text = await readValue(reader, path);
    if (text !== undefined) return parseKernelConfig(text);
  }
  return undefined;
}

/** `CONFIG_HZ=250` gives HZ: '250', `CONFIG_X="y z"` gives X: 'y z'; options that are not set are absent. */
export function parseKernelConfig(text: string): Readonly<Record<string, string>> {
  const options: Record<string, string> = {};
  // Some 8000 lines are searched for the 3000 to 6500 that say something, not split.
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    if (text.startsWith('CONFIG_', start)) {
      const equals = text.indexOf('=', start);
      if (equals > 0 && equals < end) {
        const value = text.slice(equals + 1, end).trim();
        options[text.slice(start + 'CONFIG_'.length, equals)] = value.startsWith('"') ? value.slice(1, -1) : value;
      }
    }
    start = end + 1;
  }
  return options;
}
