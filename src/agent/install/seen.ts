import { plainText } from '../client/plain-text.ts';
import { type Controller, parseAuthorized } from '../keys/authorized.ts';
import { parsePublicKey } from '../keys/key-text.ts';

/** A host as its shell told it. */
export interface HostSeen {
  /** uname -m. */
  readonly machine: string;
  readonly hasSystemd: boolean;
  readonly hasXz: boolean;
  /** undefined: not glibc. */
  readonly glibc: string | undefined;
  /** Whether dpkg is there, and what of the dependencies of the .deb is not installed; undefined: no dpkg. */
  readonly missingForDeb: readonly string[] | undefined;
  readonly installed: Installed | undefined;
  /** HFT_AGENT_LISTEN of agent.env. */
  readonly listen: string | undefined;
  /** HFT_AGENT_METRICS of agent.env. */
  readonly metrics: string | undefined;
  readonly isEnabled: boolean;
  readonly isActive: boolean;
  /** The agent has not been started since what it is made of was changed. */
  readonly isStale: boolean;
  /** base64url; undefined: it has none. */
  readonly publicKey: string | undefined;
  readonly controllers: readonly Controller[];
  /** What `hft status --json` says; undefined: not asked, or no hft there. */
  readonly status: string | undefined;
  /** Files and folders of hft that are there. */
  readonly present: readonly string[];
}

export interface Installed {
  readonly kind: 'deb' | 'tarball';
  readonly version: string;
  /** A .deb that dpkg did not finish. */
  readonly isBroken: boolean;
}

export const PROGRAM = { deb: '/usr/lib/hft', tarball: '/opt/hft' } as const;
export const STALE = '/run/hft/agent.stale';
export const ENVIRONMENT = '/etc/hft/agent.env';
/** Of the .deb; the tarball has what else it needs beside its Node. */
const DEPENDENCIES = 'libc6 libstdc++6 libatomic1 util-linux';
/** All that hft has on a host beside its program; those that others may have put something into end with a slash. */
export const TRACES = ['/etc/hft/', '/var/lib/hft', '/var/cache/hft', '/run/hft', '/opt/hft', '/usr/local/bin/hft'];

/** Reads alone. A line `hft:NAME=VALUE` for each thing: what else a login prints is passed over. */
export const LOOK = `
say() { printf 'hft:%s=%s\\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
say machine "$(uname -m)"
say glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
if [ -d /run/systemd/system ]; then say systemd yes; fi
if has xz; then say xz yes; fi
if has dpkg-query; then
  say dpkg yes
  for p in ${DEPENDENCIES}; do
    dpkg-query -W -f '\${db:Status-Status}\\n' "$p" 2>/dev/null | grep -qx installed || say missing "$p"
  done
  say deb "$(dpkg-query -W -f '\${db:Status-Status} \${Version}' hft 2>/dev/null)"
fi
if [ -f ${PROGRAM.tarball}/package.json ]; then
  say tarball "$(sed -n 's/.*"version": "\\([^"]*\\)".*/\\1/p' ${PROGRAM.tarball}/package.json | head -n 1)"
fi
say listen "$(sed -n 's/^HFT_AGENT_LISTEN=//p' ${ENVIRONMENT} 2>/dev/null | tail -n 1)"
say metrics "$(sed -n 's/^HFT_AGENT_METRICS=//p' ${ENVIRONMENT} 2>/dev/null | tail -n 1)"
say enabled "$(systemctl is-enabled hft-agent.service 2>/dev/null)"
say active "$(systemctl is-active hft-agent.service 2>/dev/null)"
if [ -e ${STALE} ]; then say stale yes; fi
if [ -f /etc/hft/authorized_controllers ]; then sed 's/^/hft:authorized=/' /etc/hft/authorized_controllers; fi
for f in ${TRACES.join(' ')}; do if [ -e "$f" ] || [ -L "$f" ]; then say present "$f"; fi; done
for h in ${PROGRAM.deb}/bin/hft ${PROGRAM.tarball}/bin/hft; do
  [ -x "$h" ] || continue
  if [ -f /etc/hft/agent.key ]; then
    say key "$("$h" agent keygen --show --json 2>/dev/null | sed -n 's/.*"publicKey": "\\([^"]*\\)".*/\\1/p')"
  fi
  if [ -n "\${WITH_STATUS-}" ]; then say status "$("$h" status --json 2>/dev/null | tr '\\n' ' ')"; fi
  break
done
`;

export function parseSeen(text: string): HostSeen {
  const lines = text.split('\n').flatMap((line) => {
    const match = /^hft:(?<name>[a-z]+)=(?<value>.*)$/.exec(line.replace(/\r$/, ''));
    return match?.groups ? [{ name: match.groups.name as string, value: plainText(match.groups.value as string) }] : [];
  });
  const all = (name: string) => lines.filter((line) => line.name === name).map(({ value }) => value);
  const one = (name: string) => all(name)[0] || undefined;
  return {
    machine: one('machine') ?? 'unknown',
    hasSystemd: one('systemd') === 'yes',
    hasXz: one('xz') === 'yes',
    glibc: /^glibc (?<version>\d+\.\d+)/.exec(one('glibc') ?? '')?.groups?.version,
    missingForDeb: one('dpkg') === undefined ? undefined : all('missing'),
    installed: readInstalled(one('deb'), one('tarball')),
    listen: one('listen'),
    metrics: one('metrics'),
    isEnabled: one('enabled') === 'enabled',
    isActive: one('active') === 'active',
    isStale: one('stale') === 'yes',
    publicKey: parsePublicKey(one('key') ?? ''),
    controllers: parseAuthorized(all('authorized').join('\n')).controllers,
    status: one('status'),
    present: all('present'),
  };
}

function readInstalled(deb: string | undefined, tarball: string | undefined): Installed | undefined {
  const [status = '', version = ''] = deb?.split(' ') ?? [];
  if (version !== '' && status !== 'config-files' && status !== 'not-installed')
    return { kind: 'deb', version, isBroken: status !== 'installed' };
  return tarball === undefined ? undefined : { kind: 'tarball', version: tarball, isBroken: false };
}
