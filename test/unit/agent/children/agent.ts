import { AgentDaemon } from '../../../../src/agent/daemon/daemon.ts';
import { PlanStore } from '../../../../src/agent/daemon/plan-store.ts';
import { parseAuthorized } from '../../../../src/agent/keys/authorized.ts';
import { readKeyPair } from '../../../../src/agent/keys/key-files.ts';
import type { KeyPair } from '../../../../src/agent/keys/key-text.ts';
import { LocalHost } from '../../../../src/host/local.ts';
import { LocalStateDirectory } from '../../../../src/host/local-state.ts';
import { defineDomain, type Setting } from '../../../../src/tuning/domain.ts';
import { agentOf, NOTHING_VERIFIED, wantedOfSent } from '../agent-rig.ts';

/**
 * An agent of its own process on files in a folder, which are its machine: `knob-0` and on. Told to, it stops for ever after
 * the write of one of them, and says so; or it takes its time for each (`slow`). For tests that kill it.
 */
const [folder, port, stopsAt] = process.argv.slice(2) as [string, string, string | undefined];

const SLOW_MS = 300;

class StoppingHost extends LocalHost {
  override async writeText(path: string, text: string): Promise<void> {
    await super.writeText(path, text);
    if (stopsAt === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    if (stopsAt === undefined || !path.endsWith(stopsAt)) return;
    process.stdout.write('stopped\n');
    await new Promise(() => {});
  }
}

const KNOBS = 10;

const settings = Array.from({ length: KNOBS }, (_, knob): Setting => {
  const tunable = { kind: 'file', path: `${folder}/knob-${knob}`, format: 'integer' } as const;
  const id = `memory.knob@${knob}`;
  return { id, stage: 'values', tunable, value: '1', why: 'A test.', ifRefused: 'fail', disruption: 'none' };
});

const domain = defineDomain<unknown, unknown>({
  name: 'memory',
  schema: () => Promise.reject(new Error('the test checks nothing')),
  observe: async () => ({}),
  desire: () => ({ settings, refused: [] }),
});

const state = new LocalStateDirectory(`${folder}/state`);
let runs = 0;
const agent = agentOf({
  host: new StoppingHost(),
  state,
  domains: [domain],
  version: '0',
  now: () => new Date(),
  nameRun: () => `20260101T00000${runs++}Z-${process.pid}`,
});
const plans = new PlanStore();
const nowMs = () => performance.now();

const daemon = await AgentDaemon.start({
  endpoint: `tcp://127.0.0.1:${port}`,
  state,
  nowMs,
  keys: () => readKeyPair(`${folder}/agent.key`) as KeyPair,
  authorized: () => parseAuthorized(process.env.AUTHORIZED ?? ''),
  log: () => {},
  about: { version: '0' },
  now: () => new Date(),
  services: (own) => ({
    ...{ agent, plans, nowMs },
    status: async () => ({ ...(await agent.status()), launched: undefined, watch: undefined }),
    check: async (profile) => wantedOfSent(profile),
    launch: () => Promise.reject(new Error('nothing can be launched')),
    stop: () => Promise.reject(new Error('nothing was launched')),
    ps: () => Promise.reject(new Error('nothing was launched')),
    inspect: () => Promise.reject(new Error('there is no machine to inspect')),
    hello: () => Promise.reject(new Error('nobody is greeted')),
    find: (id) => own.find(id),
    verifying: NOTHING_VERIFIED,
  }),
});
process.stdout.write(`${daemon.endpoint.split(':').at(-1)}\n`);
process.once('SIGTERM', () => void daemon.stop());
