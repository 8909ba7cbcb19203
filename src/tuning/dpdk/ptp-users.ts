import type { HostReader } from '../../host/host.ts';
import { readNames, readValue } from '../../topology/kernel-file.ts';
import type { Nic } from '../../topology/machine.ts';

const DAEMONS = ['ptp4l', 'phc2sys', 'ts2phc', 'timemaster'];
const CHRONY_FOLDERS = ['/etc/chrony', '/etc/chrony/conf.d'];

/** By interface: the programs that keep time by it, or by its clock, as they run now and as chrony is configured. */
export async function readPtpUsers(
  host: HostReader,
  nics: readonly Nic[],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const words: { readonly user: string; readonly words: ReadonlySet<string> }[] = [
    ...(await readDaemons(host)),
    ...(await readChrony(host)),
  ];
  return Object.fromEntries(
    nics.map((nic) => {
      const clock = nic.phc === undefined ? undefined : `/dev/${nic.phc}`;
      const users = words.filter((each) => each.words.has(nic.name) || (clock !== undefined && each.words.has(clock)));
      return [nic.name, users.map(({ user }) => user)];
    }),
  );
}

async function readDaemons(host: HostReader) {
  const pids = (await readNames(host, '/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const name = await readValue(host, `/proc/${pid}/comm`);
      if (name === undefined || !DAEMONS.includes(name)) return [];
      // The door takes the NULs for text; readValue would join the words.
      const line = ((await host.readText(`/proc/${pid}/cmdline`)) ?? '').split('\0');
      const configs = line.filter((word) => word.startsWith('/') && /\.(?:conf|cfg)$/.test(word));
      const texts = await Promise.all(configs.map((path) => readValue(host, path)));
      const sections = texts.flatMap((text) =>
        [...(text ?? '').matchAll(/^\[([^\]\s]+)\]/gm)].map((match) => match[1] as string),
      );
      return [{ user: `${name} (pid ${pid})`, words: new Set([...line, ...sections]) }];
    }),
  );
  return found.flat();
}

async function readChrony(host: HostReader) {
  const found = [];
  for (const folder of CHRONY_FOLDERS) {
    for (const file of (await readNames(host, folder)).filter((name) => name.endsWith('.conf'))) {
      const text = (await readValue(host, `${folder}/${file}`)) ?? '';
      const clocks = [...text.matchAll(/^\s*refclock\s+PHC\s+([^\s:]+)/gim)].map((match) => match[1] as string);
      const stamped = [...text.matchAll(/^\s*hwtimestamp\s+(\S+)/gim)].map((match) => match[1] as string);
      if (clocks.length + stamped.length > 0)
        found.push({ user: `${folder}/${file}`, words: new Set([...clocks, ...stamped]) });
    }
  }
  return found;
}
