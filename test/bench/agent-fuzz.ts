import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Dealer } from 'zeromq';
import { parsePublicKey, parseSecretKey, toZ85 } from '../../src/agent/keys/key-text.ts';
import { sealBetween } from '../../src/agent/keys/seal.ts';
import { printRequest, readAnswer } from '../../src/agent/protocol/message.ts';
import type { Hello } from '../../src/agent/protocol/results.ts';
import { fuzzed, seeded } from '../unit/agent/fuzzed.ts';
import type { BenchPlaces } from './report.ts';

const MESSAGES = 1_000_000;
const MOST_GROWTH_MIB = 64;
const PORT = 17_411;
const LAST = randomUUID();
const HOST = `127.0.0.1:${PORT}`;

/**
 * A million messages that are none, from a controller that may connect, to a real agent: none is followed, it answers as before, and
 * its memory has not grown.
 */
export async function benchAgentFuzz({ scratch, hft }: BenchPlaces): Promise<boolean> {
  const folder = join(scratch, 'agent');
  mkdirSync(folder);
  const env = { ...process.env, HFT_CONFIG_DIR: folder, HFT_STATE_DIR: join(folder, 'state') };
  const run = (...line: string[]) =>
    execFileSync(hft, line, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const agentKey = JSON.parse(run('agent', 'keygen', '--json')).publicKey;
  const ownKey = JSON.parse(run('agent', 'keygen', '--controller', '--json')).publicKey;
  run('agent', 'authorize', ownKey, '--role', 'operator', '--name', 'fuzz');
  run('agent', 'trust', HOST, agentKey);
  const agent = spawn(hft, ['agent', 'run', '--listen', HOST], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const greet = (): Hello => JSON.parse(run('agent', 'status', '--host', HOST, '--json'));
    await untilUp(greet);
    const beforeMib = readRssMib(agent);
    const startedMs = performance.now();
    await sendAll(agentKey, readFileSync(join(folder, 'controller.key'), 'utf8'));
    const tookS = (performance.now() - startedMs) / 1_000;
    const { counters } = greet();
    const grownMib = readRssMib(agent) - beforeMib;
    console.log(`${MESSAGES} messages in ${tookS.toFixed(0)} s: ${JSON.stringify(counters)}`);
    console.log(`agent: ${beforeMib.toFixed(0)} MiB before, ${grownMib.toFixed(0)} MiB more after, and it answers`);
    const seen = Object.values(counters).reduce((sum, each) => sum + each, 0);
    return grownMib <= MOST_GROWTH_MIB && seen >= MESSAGES;
  } finally {
    agent.kill('SIGTERM');
  }
}

async function untilUp(greet: () => Hello): Promise<void> {
  for (let attempts = 0; attempts < 50; attempts++) {
    try {
      greet();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  throw new Error('the agent does not answer');
}

async function sendAll(printedAgentKey: string, keyFile: string): Promise<void> {
  const serverKey = parsePublicKey(printedAgentKey);
  const keys = parseSecretKey(/hftkey_\S+/.exec(keyFile)?.[0] ?? '');
  if (serverKey === undefined || keys === undefined) throw new Error('the keys cannot be read back');
  const dealer = new Dealer({
    curvePublicKey: toZ85(keys.publicKey),
    curveSecretKey: toZ85(keys.secretKey),
    curveServerKey: toZ85(serverKey),
    linger: -1,
  });
  dealer.connect(`tcp://${HOST}`);
  const hears = (async () => {
    for await (const [answer] of dealer) {
      const read = readAnswer(answer ?? Buffer.alloc(0));
      if (read.is === 'answer' && read.id === LAST && read.body.is === 'result') return;
    }
  })();
  const seal = sealBetween(keys, serverKey, { controller: keys.publicKey, agent: serverKey });
  const own = Buffer.from(keys.publicKey, 'base64url');
  const random = seeded(1);
  for (let sent = 0; sent < MESSAGES; sent++) {
    const right = printRequest({ id: randomUUID(), question: { ask: 'hello' } });
    const { proof, body } = fuzzed(random, right);
    await dealer.send([proof ?? Buffer.concat([own, seal.sum(body)]), body]);
  }
  // A right one last: when it is answered, all before it were taken. Until then the agent says that it is asked too often.
  let isDone = false;
  void hears.then(() => {
    isDone = true;
  });
  while (!isDone) {
    const body = printRequest({ id: LAST, question: { ask: 'hello' } });
    await dealer.send([Buffer.concat([own, seal.sum(body)]), body]);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  dealer.close();
}

function readRssMib({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
