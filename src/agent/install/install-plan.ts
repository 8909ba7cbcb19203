import { HftError } from '../../errors.ts';
import { AGENT_PORT } from '../keys/agent-address.ts';
import { printPublicKey } from '../keys/key-text.ts';
import type { Role } from '../keys/roles.ts';
import { architectureOf, type PackageFile } from './package-file.ts';
import type { HostSeen } from './seen.ts';

/** What is wanted of a host. */
export interface InstallWish {
  /** As it was named. */
  readonly host: string;
  readonly packages: readonly PackageFile[];
  /** base64url. */
  readonly controller: { readonly key: string; readonly role: Role | undefined; readonly name: string };
  /** ADDRESS[:PORT]; undefined: as it is, else loopback. */
  readonly listen: string | undefined;
  /** Where it gives its metrics: ADDRESS[:PORT], `off`; undefined: as it is. */
  readonly metrics: string | undefined;
  /** Where the controller asks it. */
  readonly port: number;
  /** What is pinned of it here, base64url. */
  readonly pinned: readonly string[];
}

export type StepName = 'package' | 'key' | 'controller' | 'listen' | 'metrics' | 'service' | 'pin';

export interface InstallStep {
  readonly step: StepName;
  readonly from: string | null;
  readonly to: string;
}

export interface InstallPlan {
  readonly host: string;
  readonly steps: readonly InstallStep[];
  readonly package: PackageFile;
  readonly role: Role;
  /** ADDRESS:PORT, where it will listen. */
  readonly listen: string;
}

/** What has to be done, in this order; nothing where all is as wanted. Throws HftError where the host cannot have it. */
export function planInstall(wish: InstallWish, seen: HostSeen): InstallPlan {
  const file = choosePackage(wish, seen);
  const known = seen.controllers.find(({ key }) => key === wish.controller.key);
  const role = wish.controller.role ?? known?.role ?? 'operator';
  const listen = wish.listen ?? seen.listen ?? (wish.port === AGENT_PORT ? '127.0.0.1' : `127.0.0.1:${wish.port}`);
  const listensAs = seen.listen ?? '127.0.0.1';
  const steps: InstallStep[] = [];
  const add = (step: StepName, from: string | null, to: string) => steps.push({ step, from, to });
  const { installed } = seen;
  if (installed?.version !== file.version || installed.isBroken)
    add('package', installed === undefined ? null : sayInstalled(installed), `hft ${file.version} by ${sayKind(file)}`);
  if (seen.publicKey === undefined) add('key', null, 'a key of its own in /etc/hft/agent.key');
  if (known?.role !== role) add('controller', known?.role ?? null, `${role}: ${known?.name ?? wish.controller.name}`);
  if (withPort(listensAs) !== withPort(listen)) add('listen', seen.listen ?? null, listen);
  if (wish.metrics !== undefined && wish.metrics !== seen.metrics) add('metrics', seen.metrics ?? null, wish.metrics);
  const { isEnabled, isActive } = seen;
  const isChanged = seen.isStale || steps.some(({ step }) => step !== 'controller');
  if (!isEnabled || !isActive || isChanged)
    add('service', sayService(seen), isActive ? 'restarted, ready' : 'enabled, started, ready');
  const isPinned = seen.publicKey !== undefined && wish.pinned.includes(seen.publicKey);
  if (!isPinned)
    add('pin', wish.pinned[0] === undefined ? null : printPublicKey(wish.pinned[0]), 'its key in known_agents');
  return { host: wish.host, steps, package: file, role, listen: withPort(listen) };
}

export function withPort(listen: string): string {
  return /^(?:[^:[\]]+|\[[^\]]+\])$/.test(listen) ? `${listen}:${AGENT_PORT}` : listen;
}

/** The agent can be asked on the host alone. */
export function isLoopback(listen: string): boolean {
  return /^(?:127\.|\[::1\])/.test(listen);
}

function sayInstalled({ version, isBroken }: NonNullable<HostSeen['installed']>): string {
  return `hft ${version}${isBroken ? ', not whole' : ''}`;
}

function sayKind({ kind }: PackageFile): string {
  return kind === 'deb' ? 'dpkg' : 'a tarball in /opt/hft';
}

function sayService({ isEnabled, isActive }: HostSeen): string | null {
  if (!isEnabled && !isActive) return null;
  return isActive ? 'running' : 'not running';
}

/** Debian's own where dpkg has all that it needs; else the tarball, which brings it. What is there already stays of its kind. */
function choosePackage({ host, packages }: InstallWish, seen: HostSeen): PackageFile {
  const refuse = (reason: string, next: string) => new HftError(`${host}: ${reason}.`, { exitCode: 3, next: [next] });
  const { machine, missingForDeb, installed } = seen;
  const architecture = architectureOf(machine);
  if (architecture === undefined)
    throw refuse(`it is a ${machine}, and hft is made for x86_64 and aarch64`, 'Nothing was done there.');
  if (!seen.hasSystemd)
    throw refuse(
      'systemd does not run it (no /run/systemd/system), and the agent is a unit of systemd',
      'By hand: unpack the tarball there, and have `hft agent run` kept running by what starts services there.',
    );
  const kind = installed?.kind ?? (missingForDeb?.length === 0 ? 'deb' : 'tarball');
  const fit = packages.filter((file) => file.architecture === architecture);
  if (packages.length > 0 && fit.length === 0)
    throw refuse(
      `it is ${machine} (${architecture}), and there is no package for that`,
      `\`npm run package\` on such a machine makes it: \`--package\` names its file.`,
    );
  const file = fit.find((each) => each.kind === kind);
  if (file === undefined) {
    const why = missingForDeb?.length ? `, since ${missingForDeb.join(' and ')} is missing there for the .deb` : '';
    throw refuse(
      `it takes the ${kind === 'deb' ? '.deb' : `tarball${why}`}, and there is none here`,
      '`npm run package` makes both, in out/; `--package FILE` names another one, again for more.',
    );
  }
  if (kind === 'tarball' && !seen.hasXz)
    throw refuse('xz is not installed there, which unpacks the tarball', 'Install xz there (`dnf install xz`).');
  if (seen.glibc !== undefined && isOlder(seen.glibc, '2.28'))
    throw refuse(`its C library is glibc ${seen.glibc}, and hft needs 2.28 or newer`, 'Nothing was done there.');
  return file;
}

function isOlder(version: string, than: string): boolean {
  const [a = [], b = []] = [version, than].map((text) => text.split('.').map(Number));
  return (a[0] ?? 0) < (b[0] ?? 0) || (a[0] === b[0] && (a[1] ?? 0) < (b[1] ?? 0));
}
