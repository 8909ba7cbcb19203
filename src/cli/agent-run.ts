import type { Agent } from '../agent/agent.ts';
import { checkSentProfile } from '../agent/daemon/check-profile.ts';
import { AgentDaemon } from '../agent/daemon/daemon.ts';
import { isJournal, type Log, type LogLevel, openLog } from '../agent/daemon/log.ts';
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
import type { MetricsServer } from '../agent/metrics/metrics-server.ts';
import { statePath } from '../agent/state-path.ts';
import { HftError, UsageError } from '../errors.ts';
import { readTrusted } from '../host/guarded-file.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { identifyOwnOutput } from '../host/own-output.ts';
import { parseLookEvery, watchDrift } from './agent-drift.ts';
import type { serveMetrics } from './agent-metrics.ts';
import { verifyHere } from './agent-verify.ts';
import { launch, stop } from './launch.ts';
import { parseListen, parseMetrics, printListen } from './listen-address.ts';
import { list } from './ps.ts';
import { type Installation, openAgent } from './target.ts';

export interface AgentRunFlags {
  readonly listen: string;
  readonly metrics: string;
  readonly 'responder-port': number;
  readonly 'look-every': string;
  readonly 'log-format': string;
  readonly 'log-level': string;
}

/** Serves until SIGTERM. Throws HftError where it cannot begin to. */
export async function runAgent(installation: Installation, flags: AgentRunFlags): Promise<void> {
  const endpoint = `tcp://${printListen(parseListen(flags.listen, '--listen', AGENT_PORT))}`;
  const scraped = parseMetrics(flags.metrics);
  const log = openOwnLog(flags);
  const everyMs = parseLookEvery(flags['look-every']);
  const host = new LocalHost();
  const { env } = process;
  const agent = await openAgent(installation);
  const hostname = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? 'localhost';
  readAuthorized();
  const notice = new ServiceNotice(host, env);
  const authorized = keepTrying(readAuthorized, log);
  const responderPort = flags['responder-port'];
  const starting = { installation, agent, endpoint, hostname, responderPort, log, authorized: authorized.read };
  const daemon = await startDaemon(starting);
  const metrics =
    scraped && (await openMetrics(scraped, { installation, daemon, log, nobodyAuthorised: authorized.problem }));
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
  metrics?.close();
}

async function openMetrics(...[at, request]: Parameters<typeof serveMetrics>): Promise<MetricsServer> {
  // Who serves none has none of it in memory.
  const { serveMetrics } = await import('./agent-metrics.ts');
  try {
    return await serveMetrics(at, request);
  } catch (error) {
    await request.daemon.stop();
    throw error;
  }
}

function openOwnLog(flags: AgentRunFlags): Log {
  const isInJournal = () => isJournal(process.env.JOURNAL_STREAM, identifyOwnOutput());
  const isPrefixed = flags['log-format'] === 'journal' || (flags['log-format'] === 'auto' && isInJournal());
  return openLog({
    format: isPrefixed ? 'journal' : 'json',
    level: flags['log-level'] as LogLevel,
    now: () => new Date(),
    write: (line) => process.stdout.write(line),
  });
}

interface Starting {
  readonly installation: Installation;
  readonly agent: Agent;
  readonly endpoint: string;
  readonly hostname: string;
  readonly responderPort: number;
  readonly log: Log;
  readonly authorized: () => AuthorizedControllers;
}

async function startDaemon(starting: Starting): Promise<AgentDaemon> {
  const { installation, agent, endpoint, hostname, responderPort, log, authorized } = starting;
  const { root, version } = installation;
  const startedMs = performance.now();
  const plans = new PlanStore();
  const check: AgentServices['check'] = (profile) => checkSentProfile(profile, `${root}/bin/hft`);
  const services = (daemon: AgentDaemon): AgentServices => ({
    agent,
    plans,
    check,
    verifying: verifyHere({ installation, agent, check, responderPort }),
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
      return {
        host: hostname,
        version,
        role,
        name,
        uptimeS,
        counters: daemon.counters,
        responderPort,
        audit: daemon.audit.end,
      };
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
      authorized,
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

interface TriedFile {
  readonly read: () => AuthorizedControllers;
  /** Reads it too. Why it cannot be trusted; undefined: it can. */
  readonly problem: () => string | undefined;
}

/** While the file cannot be trusted nobody gets in, and the agent stays. It is read with each request: what is wrong is said once. */
function keepTrying(read: () => AuthorizedControllers, log: Log): TriedFile {
  let said = '';
  let problem: string | undefined;
  const sayOnce = (event: 'mistake' | 'nobody-authorised', about: readonly string[]) => {
    const text = about.join('\n');
    if (text !== said) for (const each of about) log(event, { file: authorizedFile(process.env), reason: each });
    said = text;
  };
  const tryToRead = () => {
    try {
      const authorized = read();
      sayOnce('mistake', authorized.mistakes);
      problem = undefined;
      return authorized;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      sayOnce('nobody-authorised', [String(error)]);
      return { controllers: [], mistakes: [] };
    }
  };
  return {
    read: tryToRead,
    problem: () => {
      tryToRead();
      return problem;
    },
  };
}
