import { describe, expect, test } from 'vitest';
import { AuditLog } from '../../../src/agent/audit/audit-log.ts';
import { AuditTrail } from '../../../src/agent/audit/audit-trail.ts';
import { checkAudit } from '../../../src/agent/audit/check-audit.ts';
import { LineBudget } from '../../../src/agent/audit/line-budget.ts';
import { NotAudited } from '../../../src/agent/audit/not-audited.ts';
import { Killed } from '../../fake-host.ts';
import { type AppendFault, MemoryState } from '../../faults/memory-state.ts';

const FIRST = 'agent/audit/audit-000001.jsonl';
const HEAD = 'agent/audit-head.json';
const now = () => new Date(0);
const open = (state: MemoryState) => AuditLog.open(state, now);

async function written(count: number): Promise<MemoryState> {
  const state = new MemoryState();
  const log = await open(state);
  for (let each = 1; each <= count; each++) await log.write('asked', { id: String(each) });
  await log.close();
  return state;
}

function linesOf(state: MemoryState): string[] {
  return (state.files.get(FIRST) ?? '').split('\n').slice(0, -1);
}

function withLines(state: MemoryState, lines: readonly string[]): MemoryState {
  state.files.set(FIRST, lines.map((line) => `${line}\n`).join(''));
  return state;
}

describe('the audit log', () => {
  test('is whole as it was written, over starts of the agent too', async () => {
    const state = await written(3);
    const log = await open(state);
    await log.write('answered', { id: '1' });
    expect(await checkAudit(state, undefined)).toMatchObject({
      ...{ files: 1, lines: 4, broken: undefined, torn: [], unended: ['2', '3'] },
      end: log.end,
    });
  });

  test('has one writer', async () => {
    const state = new MemoryState();
    const log = await open(state);
    await expect(open(state)).rejects.toThrow();
    await log.close();
    await (await open(state)).close();
  });

  test('goes on in the next file when one is full, in one chain', async () => {
    const state = new MemoryState();
    const log = await open(state);
    for (let each = 0; each < 4; each++) await log.write('refused', { filling: 'x'.repeat(500_000) });
    expect(await state.list('agent/audit')).toEqual(['audit-000001.jsonl', 'audit-000002.jsonl']);
    expect(await checkAudit(state, undefined)).toMatchObject({ files: 2, lines: 4, broken: undefined });
    state.files.delete(FIRST);
    expect((await checkAudit(state, undefined)).broken).toEqual({
      ...{ file: 'audit-000002.jsonl', line: 1, what: 'lines are missing, doubled or moved' },
      ...{ expected: 'line 1 of the log', got: 'line 3' },
    });
  });

  test('every change of every byte is found', async () => {
    const state = await written(3);
    const text = state.files.get(FIRST) as string;
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'x' ? 'y' : 'x';
      state.files.set(FIRST, text.slice(0, at) + other + text.slice(at + 1));
      const { broken, torn } = await checkAudit(state, undefined);
      expect([at, broken !== undefined || torn.length > 0]).toEqual([at, true]);
    }
  });

  test('a line that is gone, doubled or moved is found at its place', async () => {
    const lines = linesOf(await written(5));
    for (const at of [0, 1, 2, 3]) {
      const gone = lines.filter((_, index) => index !== at);
      const doubled = [...lines.slice(0, at + 1), ...lines.slice(at)];
      const moved = [...lines.slice(0, at), lines[at + 1] as string, lines[at] as string, ...lines.slice(at + 2)];
      for (const [changed, line] of [
        [gone, at + 1],
        [doubled, at + 2],
        [moved, at + 1],
      ] as const) {
        const { broken } = await checkAudit(withLines(await written(5), changed), undefined);
        expect(broken).toMatchObject({ file: 'audit-000001.jsonl', line, expected: expect.any(String) });
      }
    }
  });

  test.each([1, 2, 4])('lines that were cut off its end, %i of them, are found by the head beside it', async (cut) => {
    const state = await written(4);
    const { end } = await checkAudit(state, undefined);
    withLines(state, linesOf(state).slice(0, -cut));
    const { broken } = await checkAudit(state, undefined);
    expect(broken?.what).toMatch(/were cut off/);
    expect(broken?.expected).toContain(`line 4 (${end.hash})`);
  });

  test('all of it gone is found, as long as the head is there', async () => {
    const state = await written(2);
    state.files.delete(FIRST);
    expect((await checkAudit(state, undefined)).broken?.what).toMatch(/cut off/);
  });

  test('a cut that an agent found at its start stays found', async () => {
    const state = await written(4);
    withLines(state, linesOf(state).slice(0, -2));
    const trail = new AuditTrail(await open(state), { log: () => {}, nowMs: () => 0 });
    await trail.started({});
    for (let each = 0; each < 4; each++) await trail.mustTell('asked', { id: `later ${each}` });
    const { broken } = await checkAudit(state, undefined);
    expect(broken).toMatchObject({ line: 3, what: 'lines before this start of the agent were cut off' });
  });

  test('written anew from the start it is found by a head that was kept elsewhere, and by nothing else', async () => {
    const { end } = await checkAudit(await written(3), undefined);
    const forged = new MemoryState();
    const log = await open(forged);
    for (let each = 0; each < 5; each++) await log.write('asked', { id: 'forged' });
    expect((await checkAudit(forged, undefined)).broken).toBeUndefined();
    expect((await checkAudit(forged, end)).broken).toMatchObject({ line: 3, expected: end.hash });
  });
});

describe('killed', () => {
  const EFFECTS: readonly AppendFault[] = ['die-before', 'die-after', 'torn'];
  const MOST = 6;

  test.each(EFFECTS.flatMap((effect) => Array.from({ length: MOST }, (_, at) => [effect, at + 1] as const)))(
    '%s of line %i: the log is whole, and has every line that was said to be written',
    async (effect, at) => {
      const state = new MemoryState();
      state.fault = { at, effect };
      const log = await open(state);
      let told = 0;
      for (let each = 1; each <= MOST; each++) {
        try {
          await log.write('asked', { id: String(each) });
          told++;
        } catch (error) {
          expect(error).toBeInstanceOf(Killed);
          break;
        }
      }
      state.revive();
      const next = await open(state);
      expect(next.cutTail).toBeUndefined();
      await next.write('start', {});
      const check = await checkAudit(state, undefined);
      expect(check.broken).toBeUndefined();
      expect(check.lines).toBe(told + 1 + Number(effect === 'die-after'));
      expect(check.torn).toEqual(effect === 'torn' ? ['audit-000001.jsonl'] : []);
    },
  );

  test('between a line and its head it is no cut', async () => {
    const state = await written(3);
    const head = state.files.get(HEAD) as string;
    const log = await open(state);
    await log.write('asked', { id: '4' });
    await log.close();
    state.files.set(HEAD, head);
    expect((await open(state)).cutTail).toBeUndefined();
    expect((await checkAudit(state, undefined)).broken).toBeUndefined();
  });
});

describe('on a full disk', () => {
  test('what cannot be told is not done, and is done when there is room', async () => {
    const state = new MemoryState();
    const trail = new AuditTrail(await open(state), { log: () => {}, nowMs: () => 0 });
    const asking = {
      request: { id: 'f3d5c5a2-5f5e-4b9d-8a53-6f8d4f1c7a10', question: { ask: 'confirm' } },
      controller: { role: 'operator', name: 'alice', key: 'A'.repeat(43) },
    } as const;
    let done = 0;
    const act = async () => {
      done++;
      return { is: 'result', result: null } as const;
    };
    state.fullFrom = 1;
    await expect(trail.around(asking, undefined, act)).rejects.toThrow(NotAudited);
    expect(done).toBe(0);
    state.fullFrom = undefined;
    await trail.around(asking, undefined, act);
    expect(done).toBe(1);
    expect(await checkAudit(state, undefined)).toMatchObject({ lines: 2, broken: undefined, unended: [] });
  });

  test('what was done when it filled up is told before anything else', async () => {
    const state = new MemoryState();
    const trail = new AuditTrail(await open(state), { log: () => {}, nowMs: () => 0 });
    const controller = { role: 'operator', name: 'alice', key: 'A'.repeat(43) } as const;
    const request = { id: 'f3d5c5a2-5f5e-4b9d-8a53-6f8d4f1c7a10', question: { ask: 'confirm' } } as const;
    await trail.around({ request, controller }, undefined, async () => {
      state.fullFrom = state.appends + 1;
      return { is: 'result', result: null };
    });
    await expect(trail.mustTell('asked', { id: 'another' })).rejects.toThrow(NotAudited);
    state.fullFrom = undefined;
    await trail.mustTell('asked', { id: 'another' });
    const kinds = linesOf(state).map((line) => JSON.parse(line).kind);
    expect(kinds).toEqual(['asked', 'answered', 'asked']);
    expect(linesOf(state)[1]).toContain('"toldLate":true');
  });
});

test('who is refused without end gets a line now and then, with the count of the others', () => {
  const refusals = new LineBudget();
  const first = Array.from({ length: 1_000 }, () => refusals.take('a', 0));
  expect(first.filter((each) => each !== undefined)).toHaveLength(64);
  expect(refusals.take('b', 0)).toBe(0);
  expect(refusals.take('a', 10_000)).toBe(936);
  expect(refusals.take('a', 10_000)).toBeUndefined();
});
