import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkAudit, lastLines } from '../../../src/agent/audit/check-audit.ts';
import { controlRemotely } from '../../../src/agent/client/remote-host.ts';
import { printPublicKey } from '../../../src/agent/keys/key-text.ts';
import { stateOf, WANTED } from '../../faults/rig.ts';
import { AgentRig } from './agent-rig.ts';

let rig: AgentRig;
beforeEach(async () => {
  rig = await new AgentRig().start();
});
afterEach(() => rig.end());

const APPROVAL = { confirmWithinS: 60, approve: async () => true };
const lines = () => lastLines(rig.state, 1_000);

test('who tuned what, when, and which run of the journal has it', async () => {
  const keys = rig.admit('operator', 'alice');
  const control = controlRemotely(await rig.connect(keys));
  const proposal = await control.propose(WANTED, {});
  const outcome = await proposal.apply(APPROVAL);
  await control.status();
  const [start, asked, answered, ...more] = await lines();
  expect(more).toEqual([]);
  expect(start).toMatchObject({ kind: 'start', version: '0', key: printPublicKey(rig.keys.publicKey) });
  expect(asked).toMatchObject({
    ...{ seq: 2, kind: 'asked', ask: 'apply', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
    by: { name: 'alice', role: 'operator', key: printPublicKey(keys.publicKey) },
    request: { ask: 'apply', plan: proposal.name, confirmWithinS: 60 },
    plan: { profile: 'test', sha256: expect.stringMatching(/^[0-9a-f]{64}$/), settings: 4 },
  });
  expect(answered).toMatchObject({
    ...{ seq: 3, kind: 'answered', id: asked?.id, by: 'alice' },
    ...{ outcome: 'applied', runs: [outcome.run] },
  });
  await control.rollback({ scope: 'last' });
  expect((await lines()).at(-1)).toMatchObject({ outcome: 'done', runs: [outcome.run] });
  expect(await checkAudit(rig.state, undefined)).toMatchObject({ broken: undefined, unended: [], lines: 5 });
});

test('what was refused, and to whom', async () => {
  const control = await rig.control('viewer');
  await expect((await control.propose(WANTED, {})).apply(APPROVAL)).rejects.toThrow(/for operators/);
  await expect(control.rollback({ scope: 'all' })).rejects.toThrow(/for operators/);
  const refused = (await lines()).filter(({ kind }) => kind === 'refused');
  expect(refused).toMatchObject([
    {
      ask: 'apply',
      what: 'refused',
      by: { name: 'viewer', role: 'viewer' },
      reason: expect.stringContaining('viewer'),
    },
    { ask: 'rollback' },
  ]);
});

test('a request that is asked twice is done once, and told once', async () => {
  const connection = await rig.connect(rig.admit('operator'));
  const id = randomUUID();
  for (const _ of [1, 2]) await connection.ask<'rollback'>({ ask: 'rollback', scope: 'last' }, { id });
  expect((await lines()).filter((line) => line.id === id).map(({ kind }) => kind)).toEqual(['asked', 'answered']);
});

test('on a full disk it changes nothing and says why; the same request is done when there is room', async () => {
  const control = await rig.control('operator');
  const proposal = await control.propose(WANTED, {});
  const before = stateOf(rig.machine);
  rig.machine.state.fullFrom = 1;
  const names = { plan: proposal.name, request: randomUUID() };
  await expect(control.applyNamed(names, APPROVAL)).rejects.toThrow(/cannot write its audit log \(ENOSPC/);
  expect(stateOf(rig.machine)).toEqual(before);
  expect((await control.status()).profile).toBeUndefined();
  rig.machine.state.fullFrom = undefined;
  expect((await control.applyNamed(names, APPROVAL)).result).toBe('applied');
});

test('a change of its key, its end, and the next start', async () => {
  await rig.daemon?.reload();
  await rig.daemon?.stop();
  await rig.start();
  expect((await lines()).map(({ kind }) => kind)).toEqual(['start', 'reload', 'stop', 'start']);
});
