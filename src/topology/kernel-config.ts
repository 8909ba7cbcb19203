import type { HostReader } from '../host/host.ts';
import { readValue } from './kernel-file.ts';
import type { KernelConfig } from './machine.ts';

/**
 * The build options of a kernel, `CONFIG_` dropped, from where distributions put them. /proc/config.gz is compressed
 * and no text: kernels that have only that count as unreadable. undefined also without the right to read /boot.
 */
export async function readKernelConfig(reader: HostReader, release: string): Promise<KernelConfig | undefined> {
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

/**
 * `CONFIG_HZ=250` gives HZ: '250', `CONFIG_X="y z"` gives X: 'y z'; options that are not set are absent. Of some 6000
 * that are set a handful is asked for, so each is looked for when it is.
 */
export function parseKernelConfig(text: string): KernelConfig {
  const lines = `\n${text}\n`;
  return {
    get(option) {
      const mark = `\nCONFIG_${option}=`;
      const found = lines.lastIndexOf(mark);
      return found < 0 ? undefined : parseValue(lines.slice(found + mark.length, lines.indexOf('\n', found + 1)));
    },
    toJSON: () =>
      Object.fromEntries(
        [...lines.matchAll(/^CONFIG_([^=\n]+)=(.*)$/gm)].map(([, name, value]) => [name, parseValue(value as string)]),
      ),
  };
}

function parseValue(written: string): string {
  const value = written.trim();
  return value.startsWith('"') ? value.slice(1, -1) : value;
}
