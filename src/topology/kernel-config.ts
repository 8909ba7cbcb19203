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
  for (const [, name, value] of text.matchAll(/^CONFIG_([^=\s]+)=(.*)$/gm)) {
    const trimmed = (value as string).trim();
    options[name as string] = trimmed.startsWith('"') ? trimmed.slice(1, -1) : trimmed;
  }
  return options;
}
