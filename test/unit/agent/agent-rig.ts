import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dealer } from 'zeromq';
import type { Agent } from '../../../src/agent/agent.ts';
import { AgentConnection, type ConnectionSite } from '../../../src/agent/client/connection.ts';
import { controlRemotely, type RemoteHost } from '../../../src/agent/client/remote-host.ts';
import { AgentDaemon } from '../../../src/agent/daemon/daemon.ts';
import { PlanStore } from '../../../src/agent/daemon/plan-store.ts';
import type { VerifyServices } from '../../../src/agent/daemon/verify-services.ts';
import { agentOn } from '../../../src/agent/embedded.ts';
import type { Controller } from '../../../src/agent/keys/authorized.ts';
import { type KeyPair, makeKeyPair, toZ85 } from '../../../src/agent/keys/key-text.ts';
import type { Role } from '../../../src/agent/keys/roles.ts';
import { sealBetween } from '../../../src/agent/keys/seal.ts';
import type { SentProfile } from '../../../src/agent/protocol/request.ts';
import type { Wanted } from '../../../src/engine/scope.ts';
import type { Engine } from '../../../src/engine/tune.ts';
import type { StateDirectory } from '../../../src/host/state-directory.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { makeRig, type Rig } from '../../faults/rig.ts';
import { freePort } from '../../free-port.ts';

/** What the schemas of the rig's domains take. */
export function wantedOfSent({ name, keys }: SentProfile): Wanted {
  const { layout: _, ...domains } = keys;
  return { name, layout: layoutWanted.parse({}), domains };
}

export interface LoggedEvent {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** An agent that listens on loopback, with a machine in memory behind it, and controllers that may ask it. */
export class AgentRig {
  readonly machine: Rig = makeRig();
  keys = makeKeyPair();
  readonly controllers: Controller[] = [];
  readonly log: LoggedEvent[] = [];
  readonly #open: { close(): void }[] = [];
  readonly state: StateDirectory = this.machine.state;
  agent: Agent = agentOf(this.machine.engine);
  verifying: VerifyServices = NOTHING_VERIFIED;
  nowMs = 0;
  daemon: AgentDaemon | undefined;
  #port = 0;

  /** As after a restart when it was started before: the same port, nothing in memory. */
  async start(): Promise<this> {
    const plans = new PlanStore();
    this.#port ||= await freePort();
    this.daemon = await AgentDaemon.start({
      endpoint: `tcp://127.0.0.1:${this.#port}`,
      state: this.state,
      keys: () => this.keys,
      authorized: () => ({ controllers: this.controllers, mistakes: [] }),
      log: (event, facts) => this.log.push({ event, ...facts }),
      about: { version: '0' },
      now: () => new Date(),
      nowMs: () => this.nowMs,
      services: (daemon) => ({
        agent: this.agent,
        plans,
        status: async () => ({ ...(await this.agent.status()), launched: undefined, watch: undefined }),
        check: async (profile) => wantedOfSent(profile),
        launch: () => Promise.reject(new Error('nothing can be launched')),
        stop: () => Promise.reject(new Error('nothing was launched')),
        ps: () => Promise.reject(new Error('nothing was launched')),
        inspect: () => Promise.reject(new Error('the rig has no machine to inspect')),
        verifying: this.verifying,
        hello: async ({ controller: { role, name } }) => ({
          ...{ host: 'fake', version: '0', role, name, uptimeS: 1 },
          counters: daemon.counters,
          audit: daemon.audit.end,
        }),
        find: (id) => daemon.find(id),
        nowMs: () => this.nowMs,
      }),
    });
    return this;
  }

  get port(): number {
    return this.#port;
  }

  /** A new controller that may ask. */
  admit(role: Role, name: string = role): KeyPair {
    const keys = makeKeyPair();
    this.controllers.push({ role, name, key: keys.publicKey });
    return keys;
  }

  async connect(keys: KeyPair, more: Partial<ConnectionSite> = {}): Promise<AgentConnection> {
    const connection = await AgentConnection.open({
      address: { host: '127.0.0.1', port: this.#port },
      keys,
      pinned: [this.keys.publicKey],
      knownFile: '~/.config/hft/known_agents',
      ...more,
    });
    this.#open.push(connection);
    return connection;
  }

  async control(role: Role): Promise<RemoteHost> {
    return controlRemotely(await this.connect(this.admit(role)));
  }

  /** A socket that may connect, for messages that no hft sends. */
  dealer(keys: KeyPair): Dealer {
    const dealer = new Dealer({
      curvePublicKey: toZ85(keys.publicKey),
      curveSecretKey: toZ85(keys.secretKey),
      curveServerKey: toZ85(this.keys.publicKey),
      linger: 0,
    });
    dealer.connect(`tcp://127.0.0.1:${this.#port}`);
    this.#open.push(dealer);
    return dealer;
  }

  /** The proof that a body is of a controller. */
  proof(keys: KeyPair, body: Buffer): Buffer {
    const ends = { controller: keys.publicKey, agent: this.keys.publicKey };
    const seal = sealBetween(keys, this.keys.publicKey, ends);
    return Buffer.concat([Buffer.from(keys.publicKey, 'base64url'), seal.sum(body)]);
  }

  async end(): Promise<void> {
    for (const each of this.#open) each.close();
    await this.daemon?.stop();
  }
}

/** A rig has no machine to measure, and nothing that could be watched. */
const nothing = () => Promise.reject(new Error('the rig has nothing to verify'));
export const NOTHING_VERIFIED: VerifyServices = {
  latency: nothing,
  ptp: nothing,
  processes: nothing,
  dpdk: nothing,
  respond: nothing,
};

export function agentOf(engine: Engine): Agent {
  return agentOn(engine, { environment: {}, command: '/opt/hft/bin/hft', probeProgram: '/opt/hft/dist/hft-probe' });
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'hft-agent-'));
}
