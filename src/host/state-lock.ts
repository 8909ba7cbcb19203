import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, onPath, unlessMissing } from './errno.ts';
import type { LockRecord } from './lock-record.ts';
import { formatLockRecord, LockHeld, LockUnreadable, parseLockRecord } from './lock-record.ts';
import { identifyThisProcess, judgeLiveness } from './process-identity.ts';
import type { Lock } from './state-directory.ts';

/**
 * One lock, held by a process. Taking it is link(2) of a complete record to the name `lock`, which the kernel does for
 * one process only. What needs care is the lock of a dead process, because two takers may both see it dead:
 *
 * - Only who holds the claim on record X, the file `lock.claim-X`, may replace X. A claim is made by link(2) too and is
 *   itself a record, so that a claimant who died is replaced in the same way (a claim on the claim).
 * - After it has its claim a taker reads the lock again. Ids never come again, so when X still is there, nobody else
 *   may touch it, and rename(2) of the taker's record over it is safe. When X is gone, the taker starts anew.
 * - Claims are removed only after the lock no longer is X, so a late taker with an old reading gets a claim that the
 *   second reading shows to be worthless.
 */

const LOCK = 'lock';
const CLAIM = 'lock.claim-';
const RECORD = 'lock.record-';
/** Every turn means that another process was faster; nobody is that many times slower. */
const MOST_TURNS = 1_000;

function readRecord(file: string): LockRecord | undefined {
  const text = unlessMissing('read', file, () => fs.readFileSync(file, 'utf8'));
  if (text === undefined) return undefined;
  const record = parseLockRecord(text);
  if (record === undefined) throw new LockUnreadable(file);
  return record;
}

/** Throws LockHeld unless the holder is certainly gone. */
function mustBeDead(file: string, record: LockRecord): void {
  const liveness = judgeLiveness(record);
  if (liveness !== 'dead') throw new LockHeld(file, record, liveness);
}

function linkOnce(file: string, name: string): boolean {
  try {
    fs.linkSync(file, name);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function writeRecord(file: string, record: LockRecord): void {
  const fd = fs.openSync(file, 'wx', 0o644);
  try {
    fs.writeFileSync(fd, formatLockRecord(record));
    // Without this a power cut may leave an empty lock file, which a person would have to remove.
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Takes the lock of a folder or throws LockHeld with the holder. */
export function takeLock(folder: string, purpose: string): Lock {
  const id = randomUUID();
  const record: LockRecord = { id, ...identifyThisProcess(), purpose, since: new Date().toISOString() };
  const mine = path.join(folder, RECORD + id);
  onPath('lock', path.join(folder, LOCK), () => {
    try {
      writeRecord(mine, record);
      let turns = 0;
      while (!tryToTake(folder, mine)) if (++turns === MOST_TURNS) throw new LockUnreadable(path.join(folder, LOCK));
      removeLeftovers(folder);
    } finally {
      fs.rmSync(mine, { force: true });
    }
  });
  return { release: async () => releaseLock(folder, id) };
}

function tryToTake(folder: string, mine: string): boolean {
  const lock = path.join(folder, LOCK);
  if (linkOnce(mine, lock)) return true;
  const held = readRecord(lock);
  if (held === undefined) return false;
  mustBeDead(lock, held);
  const claims = claim(folder, mine, held);
  if (claims === undefined) return false;
  const won = readRecord(lock)?.id === held.id;
  // A second link of the record takes the place of the dead one; `mine` itself stays until takeLock ends.
  if (won) {
    const second = `${mine}-lock`;
    fs.linkSync(mine, second);
    fs.renameSync(second, lock);
  }
  for (const each of claims) fs.rmSync(each, { force: true });
  return won;
}

/** The claims this taker now answers for, or undefined when they changed under its hands. */
function claim(folder: string, mine: string, dead: LockRecord): string[] | undefined {
  const claims: string[] = [];
  for (let on = dead; ; ) {
    const name = path.join(folder, CLAIM + on.id);
    claims.push(name);
    if (linkOnce(mine, name)) return claims;
    const claimant = readRecord(name);
    if (claimant === undefined) return undefined;
    mustBeDead(name, claimant);
    on = claimant;
  }
}

/** What killed takers left. Every claim is worthless while a live process holds the lock. */
function removeLeftovers(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    if (name.startsWith(CLAIM)) fs.rmSync(file, { force: true });
    if (!name.startsWith(RECORD)) continue;
    const text = unlessMissing('read', file, () => fs.readFileSync(file, 'utf8'));
    const owner = text === undefined ? undefined : parseLockRecord(text);
    if (owner !== undefined && judgeLiveness(owner) === 'dead') fs.rmSync(file, { force: true });
  }
}

function releaseLock(folder: string, id: string): void {
  const lock = path.join(folder, LOCK);
  if (readRecord(lock)?.id === id) onPath('unlock', lock, () => fs.rmSync(lock, { force: true }));
}
