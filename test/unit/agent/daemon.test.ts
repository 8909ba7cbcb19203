import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { controlRemotely } from '../../../src/agent/client/remote-host.ts';
import { makeKeyPair } from '../../../src/agent/keys/key-text.ts';
import type { Plan } from '../../../src/engine/plan.ts';
import { HftError } from '../../../src/errors.ts';
import { planJson } from '../../../src/views/plan-json.ts';
import { planRig, stateOf, WANTED } from '../../faults/rig.ts';
import { AgentRig } from './agent-rig.ts';

let rig: AgentRig;
beforeEach(async () => {
  rig = await new AgentRig().start();
});
afterEach(() => rig.end());

const APPROVAL = { confirmWithinS: 60, approve: async () => true };
const initially = () => stateOf(new AgentRig().machine);

/** A plan of the test's own, for the questions that an agent asks. */
async function secondPlan(): Promise<Plan> {
  return (await planRig(rig.machine)).plan;
}

describe('an agent', () => {
  test('plans, tunes, verifies and takes back, as on the host itself', async () => {
    const control = await rig.control('operator');
    const proposal = await control.propose(WANTED, {});
    expect(planJson(proposal.plan)).toEqual(planJson((await planRig(rig.machine)).plan));
    const progress: unknown[] = [];
    const outcome = await proposal.apply({ ...APPROVAL, onProgress: (each) => progress.push(each) });
    expect(progress[0]).toEqual({
      done: expect.any(Number),
      of: 4,
      what: expect.stringMatching(/^(memory|limits|irq)\./),
    });
    expect([outcome.result, outcome.report.applied.length, outcome.after.changes]).toEqual(['applied', 4, []]);
    expect((await control.verify(WANTED, {})).summary).toMatchObject({ pass: 4, fail: 0 });
    expect((await control.verifyInForce({}))?.summary.pass).toBe(4);
    expect(await control.status()).toMatchObject({ profile: 'test', drift: [], cutOff: [] });
    expect(await (await control.propose(WANTED, {})).adopt(60)).toBeUndefined();
    expect((await control.rollback({ scope: 'last' })).complete).toBe(true);
    expect(stateOf(rig.machine)).toEqual(initially());
    expect(await control.confirm()).toBeUndefined();
  });

  test('says what a controller is to it', async () => {
    const control = await rig.control('viewer');
    expect(await control.hello()).toMatchObject({ role: 'viewer', name: 'viewer', host: 'fake' });
  });

  test('refuses a plan that the machine has left behind, and says so', async () => {
    const control = await rig.control('operator');
    const proposal = await control.propose(WANTED, {});
    rig.machine.host.files.set('/proc/sys/vm/swappiness', '33\n');
    await expect(proposal.apply(APPROVAL)).rejects.toThrow(/The plan is stale: memory.swappiness/);
    expect(rig.machine.host.files.get('/proc/sys/vm/swappiness')).toBe('33\n');
  });

  test('keeps plans for a while, and applies them for nobody else', async () => {
    const control = await rig.control('operator');
    const proposal = await control.propose(WANTED, {});
    rig.nowMs += 16 * 60_000;
    await expect(proposal.apply(APPROVAL)).rejects.toThrow(/The plan is too old/);
    const connection = await rig.connect(rig.admit('operator', 'first'));
    const profile = { name: 'test', keys: { memory: {} }, persist: false };
    const { plan } = await connection.ask<'plan'>({ ask: 'plan', profile, retries: false });
    const other = await rig.connect(rig.admit('operator', 'second'));
    await expect(other.ask<'apply'>({ ask: 'apply', plan, confirmWithinS: 60 })).rejects.toThrow(/too old/);
  });

  test('lets one tune at a time: the other is told who does', async () => {
    const control = await rig.control('operator');
    const proposal = await control.propose(WANTED, {});
    const lock = await rig.state.lock('hft tune');
    await expect(proposal.apply(APPROVAL)).rejects.toThrow();
    await lock.release();
    expect((await proposal.apply(APPROVAL)).result).toBe('applied');
  });

  test('asks whoever waits when the plan is another one, and takes no for a no', async () => {
    rig.agent = {
      ...rig.agent,
      apply: async ({ approve }) => {
        throw new HftError(`asked: ${await approve(await secondPlan())}`);
      },
    };
    await rig.end();
    await rig.start();
    const control = await rig.control('operator');
    const shown: string[] = [];
    const answering = (yes: boolean) => ({
      confirmWithinS: 60,
      approve: async (plan: Plan) => {
        shown.push(...plan.changes.map(({ setting }) => setting.id));
        return yes;
      },
    });
    await expect((await control.propose(WANTED, {})).apply(answering(true))).rejects.toThrow(/asked: true/);
    await expect((await control.propose(WANTED, {})).apply(answering(false))).rejects.toThrow(/asked: false/);
    expect(shown).toContain('memory.swappiness');
  });

  test('stops when it is told to: what was done is undone, and the answer is kept', async () => {
    const control = await rig.control('operator');
    const proposal = await control.propose(WANTED, {});
    const controller = new AbortController();
    const writeText = rig.machine.host.writeText.bind(rig.machine.host);
    rig.machine.host.writeText = async (path, text) => {
      controller.abort();
      while (!rig.log.some(({ ask }) => ask === 'cancel')) await new Promise((resolve) => setTimeout(resolve, 5));
      await writeText(path, text);
    };
    const outcome = await proposal.apply({ ...APPROVAL, signal: controller.signal });
    expect([outcome.result, outcome.report.failure?.reason]).toEqual(['undone', 'interrupted']);
    expect(stateOf(rig.machine)).toEqual(initially());
  });
});

describe('a request that is asked twice', () => {
  const rollback = { ask: 'rollback', scope: 'last' } as const;

  async function tuned() {
    const connection = await rig.connect(rig.admit('operator'));
    const outcome = await (await controlRemotely(connection).propose(WANTED, {})).apply(APPROVAL);
    expect(outcome.result).toBe('applied');
    return connection;
  }

  test('is done once, and answered the same', async () => {
    const connection = await tuned();
    const id = randomUUID();
    const first = await connection.ask<'rollback'>(rollback, { id });
    await (await controlRemotely(connection).propose(WANTED, {})).apply(APPROVAL);
    expect(await connection.ask<'rollback'>(rollback, { id })).toEqual(first);
    expect((await controlRemotely(connection).status()).profile).toBe('test');
  });

  test('over a restart of the agent too', async () => {
    const connection = await tuned();
    const id = randomUUID();
    const first = await connection.ask<'rollback'>(rollback, { id });
    await (await controlRemotely(connection).propose(WANTED, {})).apply(APPROVAL);
    await rig.daemon?.stop();
    await rig.start();
    expect(await connection.ask<'rollback'>(rollback, { id })).toEqual(first);
    expect((await controlRemotely(connection).status()).profile).toBe('test');
  });

  test('by somebody else, or for something else, is refused', async () => {
    const connection = await tuned();
    const id = randomUUID();
    await connection.ask<'rollback'>(rollback, { id });
    await expect(connection.ask<'rollback'>({ ask: 'rollback', scope: 'all' }, { id })).rejects.toThrow(/has this id/);
    const other = await rig.connect(rig.admit('operator', 'other'));
    await expect(other.ask<'rollback'>(rollback, { id })).rejects.toThrow(/has this id/);
  });

  test('while it is at work, after the connection was lost: its end is heard', async () => {
    const keys = rig.admit('operator');
    const [first, second] = [await rig.connect(keys), await rig.connect(keys)];
    const profile = { name: 'test', keys: { memory: {} }, persist: false };
    const { plan } = await first.ask<'plan'>({ ask: 'plan', profile, retries: false });
    let go = () => {};
    const writeText = rig.machine.host.writeText.bind(rig.machine.host);
    const isWriting = new Promise<void>((resolve) => {
      rig.machine.host.writeText = async (path, text) => {
        resolve();
        await new Promise<void>((open) => {
          go = open;
        });
        rig.machine.host.writeText = writeText;
        await writeText(path, text);
      };
    });
    const id = randomUUID();
    const apply = { ask: 'apply', plan, confirmWithinS: 60 } as const;
    const lost = first.ask<'apply'>(apply, { id }).catch(() => 'lost');
    await isWriting;
    first.close();
    const joined = second.ask<'apply'>(apply, { id });
    // Joined by then or not: the answer is the same, of the one at work or from the disk.
    go();
    expect((await joined).result).toBe('applied');
    expect(await lost).toBe('lost');
  });
});

describe('keys are changed without an interruption', () => {
  test("an agent's: controllers that know both get in before and after", async () => {
    const keys = rig.admit('viewer');
    const [old, next] = [rig.keys, makeKeyPair()];
    const pinned = [old.publicKey, next.publicKey];
    const connection = await rig.connect(keys, { pinned });
    expect((await connection.ask<'hello'>({ ask: 'hello' })).role).toBe('viewer');
    rig.keys = next;
    await rig.daemon?.reload();
    expect((await connection.ask<'hello'>({ ask: 'hello' })).role).toBe('viewer');
    const later = await rig.connect(keys, { pinned });
    expect((await later.ask<'hello'>({ ask: 'hello' })).role).toBe('viewer');
    await expect(rig.connect(keys, { pinned: [old.publicKey] })).rejects.toThrow(/does not have the key/);
  });

  test("a controller's: both are let in until the old one is taken out", async () => {
    const [old, next] = [rig.admit('viewer', 'alice'), rig.admit('viewer', 'alice')];
    for (const keys of [old, next])
      expect((await (await rig.connect(keys)).ask<'hello'>({ ask: 'hello' })).name).toBe('alice');
    rig.controllers.shift();
    await expect(rig.connect(old)).rejects.toThrow(/refused the key of this controller/);
    expect((await (await rig.connect(next)).ask<'hello'>({ ask: 'hello' })).name).toBe('alice');
  });
});
