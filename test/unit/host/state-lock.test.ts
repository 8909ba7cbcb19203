import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LocalStateDirectory } from '../../../src/host/local-state.ts';
import type { LockRecord } from '../../../src/host/lock-record.ts';
import { formatLockRecord, LockHeld, parseLockRecord } from '../../../src/host/lock-record.ts';
import { identifyThisProcess, judgeLiveness, parseProcessStat } from '../../../src/host/process-identity.ts';
import { makePlace } from './place.ts';

const SINCE = '2026-01-02T03:04:05.000Z';

function startChild(name: string, ...words: string[]) {
  const file = path.join(import.meta.dirname, 'children', name);
  const child = spawn(process.execPath, [file, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, nextLine: async () => (await lines.next()).value as string | undefined };
}

function recordOfThisProcess(change: Partial<LockRecord> = {}): LockRecord {
  return { id: crypto.randomUUID(), ...identifyThisProcess(), purpose: 'tune', since: SINCE, ...change };
}

/** A record of a process that has certainly ended: this pid, another start. */
function recordOfDead(): LockRecord {
  return recordOfThisProcess({ startTicks: '1' });
}

function writeLock(place: string, name: string, record: LockRecord): void {
  fs.writeFileSync(path.join(place, name), formatLockRecord(record));
}

describe('one holder', () => {
  test('the second is told who, what for, since when and what to do; after release it gets the lock', async () => {
    const place = makePlace();
    const { child, nextLine } = startChild('hold.ts', place);
    expect(await nextLine()).toBe('holding');
    const state = new LocalStateDirectory(place);
    const error = await state.lock('rollback').then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(LockHeld);
    expect(error).toMatchObject({ exitCode: 3, holder: { pid: child.pid, purpose: 'tune --profile colo' } });
    expect((error as LockHeld).message).toMatch(new RegExp(`process ${child.pid} \\(tune --profile colo, since 20..-`));
    expect((error as LockHeld).next[0]).toContain(`kill ${child.pid}`);
    // The parent does not reap it before the next turn of the event loop: a zombie counts as ended.
    child.kill('SIGKILL');
    await expect.poll(() => judgeLiveness((error as LockHeld).holder)).toBe('dead');
    const lock = await state.lock('rollback');
    await expect(state.lock('again')).rejects.toMatchObject({ holder: { pid: process.pid, purpose: 'rollback' } });
    await lock.release();
    await lock.release();
    expect(fs.readdirSync(place)).toEqual([]);
  });

  test.for([
    ['a process that ended and whose pid is in use again', { startTicks: '1' }],
    ['a pid that nobody has', { pid: 4_194_305 }],
    ['an earlier boot', { bootId: '00000000-0000-0000-0000-000000000000', pidNamespace: 'pid:[1]' }],
  ] as const)('taken over from %s', async ([, change]) => {
    const place = makePlace();
    writeLock(place, 'lock', recordOfThisProcess(change));
    const lock = await new LocalStateDirectory(place).lock('tune');
    expect(parseLockRecord(fs.readFileSync(path.join(place, 'lock'), 'utf8'))).toMatchObject({
      ...identifyThisProcess(),
    });
    await lock.release();
    expect(fs.readdirSync(place)).toEqual([]);
  });

  test('a holder in another PID namespace may be alive: held, with the way out', async () => {
    const place = makePlace();
    writeLock(place, 'lock', recordOfThisProcess({ pidNamespace: 'pid:[1]' }));
    const next = [expect.stringContaining(`remove ${place}/lock`)];
    await expect(new LocalStateDirectory(place).lock('tune')).rejects.toMatchObject({ name: 'LockHeld', next });
  });

  test.for([
    '',
    'garbage',
    '{}',
    '[1]',
    '{"pid":1}',
    formatLockRecord(recordOfThisProcess({ pid: 0 })),
    formatLockRecord(recordOfThisProcess({ id: '../x' })),
  ])('a lock file that hft did not write is left alone: %j', async (text) => {
    const place = makePlace();
    fs.writeFileSync(path.join(place, 'lock'), text);
    const next = [expect.stringContaining(`remove ${place}/lock`)];
    await expect(new LocalStateDirectory(place).lock('tune')).rejects.toMatchObject({ exitCode: 3, next });
    expect(fs.readdirSync(place)).toEqual(['lock']);
  });

  test('a lock that is a dangling link ends in an error, not in an endless loop', async () => {
    const place = makePlace();
    fs.symlinkSync('nowhere', path.join(place, 'lock'));
    await expect(new LocalStateDirectory(place).lock('tune')).rejects.toMatchObject({ name: 'LockUnreadable' });
  });
});

describe('takers that died half-way', () => {
  test.for([1, 2, 5])('%i dead claimants in a row are passed over and cleaned up', async (count) => {
    const place = makePlace();
    let dead = recordOfDead();
    writeLock(place, 'lock', dead);
    for (let index = 0; index < count; index++) {
      const claimant = recordOfDead();
      writeLock(place, `lock.claim-${dead.id}`, claimant);
      writeLock(place, `lock.record-${claimant.id}`, claimant);
      dead = claimant;
    }
    const lock = await new LocalStateDirectory(place).lock('tune');
    expect(fs.readdirSync(place)).toEqual(['lock']);
    await lock.release();
  });

  const [dead, killed] = [recordOfDead(), recordOfDead()];
  const record = `lock.record-${killed.id}`;
  const claim = `lock.claim-${dead.id}`;
  const kills: readonly (readonly [string, Readonly<Record<string, LockRecord>>])[] = [
    ['after its record', { [record]: killed }],
    ['after the free lock', { [record]: killed, lock: killed }],
    ['after its record, the lock still that of a dead one', { [record]: killed, lock: dead }],
    ['after its claim', { [record]: killed, lock: dead, [claim]: killed }],
    ['before the rename', { [record]: killed, lock: dead, [claim]: killed, [`${record}-lock`]: killed }],
    ['after the rename', { [record]: killed, lock: killed, [claim]: killed }],
    ['after its claim is gone', { [record]: killed, lock: killed }],
    ['when all is done', { lock: killed }],
  ];

  test.for(kills)('killed %s: the next taker gets it and cleans up', async ([, files]) => {
    const place = makePlace();
    for (const [name, content] of Object.entries(files)) writeLock(place, name, content);
    const lock = await new LocalStateDirectory(place).lock('tune');
    expect(fs.readdirSync(place)).toEqual(['lock']);
    await lock.release();
    expect(fs.readdirSync(place)).toEqual([]);
  });

  test('a living claimant has it as good as taken', async () => {
    const place = makePlace();
    const dead = recordOfDead();
    writeLock(place, 'lock', dead);
    writeLock(place, `lock.claim-${dead.id}`, recordOfThisProcess({ purpose: 'faster' }));
    await expect(new LocalStateDirectory(place).lock('tune')).rejects.toMatchObject({ holder: { purpose: 'faster' } });
  });
});

describe('many takers at once', () => {
  const TAKERS = 5;
  const ROUNDS = 60;

  const STARTS = ['free', 'dead', 'dead claimant'] as const;

  test.for(STARTS)('%s: never two inside, at least one wins', { timeout: 120_000 }, async (start) => {
    const place = makePlace();
    const takers = Array.from({ length: TAKERS }, () => startChild('contend.ts'));
    for (const { nextLine } of takers) expect(await nextLine()).toBe('ready');
    for (let round = 0; round < ROUNDS; round++) {
      const folder = path.join(place, String(round));
      fs.mkdirSync(folder);
      const [dead, claimant] = [recordOfDead(), recordOfDead()];
      if (start !== 'free') writeLock(folder, 'lock', dead);
      if (start === 'dead claimant') writeLock(folder, `lock.claim-${dead.id}`, claimant);
      for (const { child } of takers) child.stdin.write(`${folder}\n`);
      const answers = await Promise.all(takers.map(({ nextLine }) => nextLine()));
      expect(answers.filter((answer) => answer !== 'won' && answer !== 'held')).toEqual([]);
      expect(answers).toContain('won');
      expect(fs.readdirSync(folder)).toEqual([]);
    }
    for (const { child } of takers) child.stdin.end();
    await Promise.all(takers.map(({ child }) => once(child, 'exit')));
  });
});

describe('whose process it is', () => {
  test('a command name cannot lie about the start time', () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 4));
    const text = `77 (evil) Z 1 2 (x) S ${fields.join(' ')}\n`;
    expect(parseProcessStat(text)).toEqual({ state: 'S', startTicks: '22' });
    expect(parseProcessStat('77 (short) S 1')).toBeUndefined();
  });

  test('this process lives', () => {
    expect(judgeLiveness(identifyThisProcess())).toBe('alive');
  });
});
