import { hostname, userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { type InstallPlan, type InstallWish, isLoopback, planInstall } from '../agent/install/install-plan.ts';
import { install, lookAt } from '../agent/install/installing.ts';
import { type PackageFile, parsePackageFile } from '../agent/install/package-file.ts';
import { openRootShell } from '../agent/install/root-shell.ts';
import { AGENT_PORT, printAddress } from '../agent/keys/agent-address.ts';
import { printPublicKey } from '../agent/keys/key-text.ts';
import type { Role } from '../agent/keys/roles.ts';
import type { LocalStatus } from '../agent/local-status.ts';
import { HftError, UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { openSession } from '../host/ssh/open-session.ts';
import type { SshSession } from '../host/ssh/session.ts';
import { openTunnel } from '../host/ssh/tunnel.ts';
import { trust } from './agent-keys.ts';
import { readSite } from './controller-site.ts';
import { parseListen, parseMetrics, printListen } from './listen-address.ts';
import { openRemote } from './open-host.ts';
import type { SshHost, SshHostFlags } from './ssh-hosts.ts';
import type { Installation } from './target.ts';

export interface InstallFlags extends SshHostFlags {
  readonly package?: readonly string[] | undefined;
  readonly role?: string | undefined;
  readonly name?: string | undefined;
  readonly listen?: string | undefined;
  readonly metrics?: string | undefined;
}

export interface Installed {
  readonly plan: InstallPlan;
  readonly outcome: 'installed' | 'as-wanted' | 'dry-run' | 'declined';
  /** `hftpub_…` of its agent, once it has one. */
  readonly publicKey: string | undefined;
  /** What the agent answered to the first signed request. */
  readonly status: LocalStatus | undefined;
}

/** What is the same for all hosts. */
export interface InstallSite {
  readonly packages: readonly PackageFile[];
  readonly flags: InstallFlags;
}

/** Throws UsageError for flags, and where there is no package. */
export async function readInstallSite({ root }: Installation, flags: InstallFlags): Promise<InstallSite> {
  if (flags.listen !== undefined) parseListen(flags.listen, '--listen', AGENT_PORT);
  if (flags.metrics !== undefined) parseMetrics(flags.metrics);
  const given = flags.package?.map((path) => parsePackageFile(resolve(path)));
  const packages = given ?? (await findPackages(join(root, 'out')));
  for (const { path } of given ?? []) await requireFile(path);
  return { packages, flags };
}

async function requireFile(path: string): Promise<void> {
  const names = (await new LocalHost().list(dirname(path))) ?? [];
  if (!names.includes(basename(path))) throw new UsageError(`--package: there is no file ${path}.`);
}

async function findPackages(folder: string): Promise<readonly PackageFile[]> {
  const names = (await new LocalHost().list(folder)) ?? [];
  const files = names
    .filter((name) => /\.(?:deb|tar\.xz)$/.test(name))
    .map((name) => parsePackageFile(join(folder, name)));
  if (files.length > 0) return files;
  throw new UsageError('There is no package of hft here to install.', {
    next: [`\`npm run package\` makes it in ${folder}; \`--package FILE\` names another one.`],
  });
}

/** Opens a session, does something as root, and closes it. */
export async function withSession<T>(
  host: SshHost,
  act: (shell: Awaited<ReturnType<typeof openRootShell>>, session: SshSession) => Promise<T>,
): Promise<T> {
  const session = await openSession(host.destination);
  try {
    return await act(await openRootShell(host.name, session), session);
  } finally {
    session.close();
  }
}

export function planHost(host: SshHost, site: InstallSite): Promise<InstallPlan> {
  const wish = wishOf(host, site);
  return withSession(host, async (shell) => planInstall(wish, await lookAt(host.name, shell)));
}

/** What was shown, when the host is still as it was then; then the first request through the agent. */
export function installHost(
  host: SshHost,
  site: InstallSite,
  shown: InstallPlan,
  report: (text: string) => void,
): Promise<Installed> {
  const wish = wishOf(host, site);
  return withSession(host, async (shell, session) => {
    const plan = planInstall(wish, await lookAt(host.name, shell));
    if (JSON.stringify(plan.steps) !== JSON.stringify(shown.steps))
      throw new HftError(`${host.name}: it is not as it was when its plan was shown.`, {
        exitCode: 3,
        next: ['Nothing was done there. The same command shows the plan anew.'],
      });
    const { publicKey } = await install(shell, plan, wish, ({ step, to }) => report(`${host.name}: ${step}: ${to}`));
    if (plan.steps.some(({ step }) => step === 'pin')) await pin(host, publicKey);
    const status = await askStatus(host, plan, publicKey, session);
    const outcome = plan.steps.length === 0 ? 'as-wanted' : 'installed';
    return { plan, outcome, publicKey: printPublicKey(publicKey), status };
  });
}

function wishOf(host: SshHost, { packages, flags }: InstallSite): InstallWish {
  const { keys, pinned } = readSite(host);
  const listen = flags.listen ?? host.listen;
  const name = flags.name ?? `${userInfo().username}@${hostname()}`;
  const { port } = host.address;
  return {
    host: host.name,
    packages,
    controller: { key: keys.publicKey, role: flags.role as Role | undefined, name },
    listen: listen === undefined ? undefined : printListen(parseListen(listen, '--listen', port)),
    metrics: flags.metrics,
    port,
    pinned,
  };
}

async function pin(host: SshHost, publicKey: string): Promise<void> {
  if (host.keys.length === 0)
    return void (await trust(printAddress(host.address), printPublicKey(publicKey), { add: false }));
  throw new HftError(`${host.name}: its agent is ready, and has another key than hft_agent_key in the inventory.`, {
    exitCode: 3,
    next: [`Write hft_agent_key=${printPublicKey(publicKey)} there, or take it out: known_agents has it then.`],
  });
}

/** By the way that later requests take; one that listens on its loopback alone is asked through the SSH session. */
async function askStatus(
  host: SshHost,
  plan: InstallPlan,
  publicKey: string,
  session: SshSession,
): Promise<LocalStatus> {
  const port = Number(plan.listen.split(':').at(-1));
  const tunnel = isLoopback(plan.listen) ? await openTunnel(session, port) : undefined;
  const address = tunnel === undefined ? host.address : { host: '127.0.0.1', port: tunnel.port };
  try {
    const { control, close } = await openRemote({ name: host.name, address, keys: [publicKey] });
    return await control.status().finally(close);
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    const said = error.message.replace(`${printAddress(address)}: `, '');
    throw new HftError(`${host.name}: it is installed and ready, and the first request to it failed: ${said}`, {
      exitCode: 3,
      next: [`It listens on ${plan.listen}: \`--listen ADDRESS\` takes another address. ${error.next[0] ?? ''}`.trim()],
    });
  } finally {
    tunnel?.close();
  }
}
