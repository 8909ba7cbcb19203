import type { Agent } from '../agent/agent.ts';
import { checkSentProfile } from '../agent/daemon/check-profile.ts';
import { AgentDaemon } from '../agent/daemon/daemon.ts';
import { PlanStore } from '../agent/daemon/plan-store.ts';
import { ServiceNotice } from '../agent/daemon/service-notice.ts';
import type { AgentServices } from '../agent/daemon/services.ts';
import { inspectMachine } from '../agent/inspect.ts';
import { AGENT_PORT } from '../agent/keys/agent-address.ts';
import { type AuthorizedControllers, parseAuthorized } from '../agent/keys/authorized.ts';
import { agentFolder, authorizedFile } from '../agent/keys/config-path.ts';
import { keyFile, readKeyPair } from '../agent/keys/key-files.ts';
import type { KeyPair } from '../agent/keys/key-text.ts';
import { localStatus } from '../agent/local-status.ts';
import { statePath } from '../agent/state-path.ts';
import { HftError, UsageError } from '../errors.ts';
import { readTrusted } from '../host/guarded-file.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { parseLookEvery, watchDrift } from './agent-drift.ts';
import { launch, stop } from './launch.ts';
import { list } from './ps.ts';
import { type Installation, openAgent } from './target.ts';

/** `127.0.0.1:7411`, `[::]:7500`: an address of this host, not a name. */
function parseListen(text: string): string {
  const match = /^(?<address>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\])(?::(?<port>\d{1,5}))?$/.exec(text);
  const port = Number(match?.groups?.port ?? AGENT_PORT);
  if (match && port < 65_536) return `tcp://${match.groups?.address}:${port}`;
  throw new UsageError(`--listen: expected ADDRESS or ADDRESS:PORT of this host, got ${JSON.stringify(text)}.`, {
    next: [
      '`127.0.0.1` is reached from this host alone, `0.0.0.0` from everywhere: authorised keys get in either way.',
    ],
  });
}

/** Serves until SIGTERM. Throws HftError where it cannot begin to. */
export async function runAgent(
  installation: Installation,
  { listen, lookEvery }: { readonly listen: string; readonly lookEvery: string },
): Promise<void> {
  const endpoint = parseListen(listen);
  const everyMs = parseLookEvery(lookEvery);
  const host = new LocalHost();
  const { env } = process;
  const agent = await openAgent(installation);
  const hostname = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? 'localhost';
  readAuthorized();
  const notice = new ServiceNotice(host, env);
  const daemon = await startDaemon({ installation, agent, endpoint, hostname });
  log('listening', { endpoint: daemon.endpoint, host: hostname, version: installation.version, pid: process.pid });
  const ended = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  process.on('SIGHUP', () => {
    daemon.reload().catch((error) => {
      log('not-reloaded', { reason: String(error), deaf: daemon.isDeaf });
      // systemd starts it again, and what was cut off is undone then.
      if (daemon.isDeaf) process.exit(DEAF);
    });
  });
  await notice.ready(`listening on ${daemon.endpoint}`);
  const drift = await watchDrift({ installation, agent, daemon, everyMs, log });
  const signal = await ended;
  log('ending', { signal, ...daemon.counters });
  await notice.stopping();
  await drift.stop();
  await daemon.stop();
}

interface Starting {
  readonly installation: Installation;
  readonly agent: Agent;
  readonly endpoint: string;
  readonly hostname: string;
}

async function startDaemon({ installation, agent, endpoint, hostname }: Starting): Promise<AgentDaemon> {
  const { root, version } = installation;
  const startedMs = performance.now();
  const plans = new PlanStore();
  const services = (daemon: AgentDaemon): AgentServices => ({
    agent,
    plans,
    check: (profile) => checkSentProfile(profile, `${root}/bin/hft`),
    status: () => localStatus(process.env),
    inspect: (wanted) => inspectMachine(new LocalHost(), { wanted, withInventory: true }),
    launch: ({ deployment, ask: _, ...request }, by) => launch(installation, deployment, { ...request, by }),
    stop: (names, by) => stop(installation, names, by),
    ps: async () => {
      const listing = await list(root, undefined, { heals: false });
      return { ...listing, rows: listing.rows.map((row) => ({ ...row, nodes: row.nodes && [...row.nodes] })) };
    },
    hello: async ({ controller: { role, name } }) => {
      const uptimeS = (performance.now() - startedMs) / 1_000;
      return { host: hostname, version, role, name, uptimeS, counters: daemon.counters, audit: daemon.auditEnd };
    },
    find: (id) => daemon.find(id),
    nowMs: () => performance.now(),
  });
  try {
    return await AgentDaemon.start({
      endpoint,
      services,
      log,
      about: { host: hostname, version, pid: process.pid },
      state: new LocalStateDirectory(statePath(process.env)),
      keys: readOwnKeys,
      authorized: keepTrying(readAuthorized),
      now: () => new Date(),
      nowMs: () => performance.now(),
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (error instanceof HftError || code === undefined) throw error;
    throw new HftError(`The agent cannot listen on ${endpoint}: ${code}.`, {
      exitCode: 3,
      cause: error,
      next: ['Is another agent running (`systemctl status hft-agent`)? `--listen` takes another address.'],
    });
  }
}

function readOwnKeys(): KeyPair {
  const file = keyFile(agentFolder(process.env), 'agent');
  const keys = readKeyPair(file);
  if (keys !== undefined) return keys;
  throw new UsageError(`This host has no key: there is no ${file}.`, { next: ['`hft agent keygen` makes one.'] });
}

const DEAF = 3;

function readAuthorized(): AuthorizedControllers {
  return parseAuthorized(readTrusted(authorizedFile(process.env)) ?? '');
}

/** While the file cannot be trusted nobody gets in, and the agent stays. It is read with each request: what is wrong is said once. */
function keepTrying(read: () => AuthorizedControllers): () => AuthorizedControllers {
  let said = '';
  const sayOnce = (event: string, about: readonly string[]) => {
    const text = about.join('\n');
    if (text !== said) for (const each of about) log(event, { file: authorizedFile(process.env), reason: each });
    said = text;
  };
  return () => {
    try {
      const authorized = read();
      sayOnce('mistake', authorized.mistakes);
      return authorized;
    } catch (error) {
      sayOnce('nobody-authorised', [String(error)]);
      return { controllers: [], mistakes: [] };
    }
  };
}

/** A line of JSON for the journal. */
function log(event: string, facts: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...facts })}\n`);
}
