import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditTrail } from '../../../src/agent/audit/audit-trail.ts';
import { DriftWatch } from '../../../src/agent/drift/drift-watch.ts';
import { heal } from '../../../src/agent/drift/heal.ts';
import { lookAtAll } from '../../../src/agent/drift/whole-look.ts';
import { rollback } from '../../../src/engine/rollback.ts';
import { HftError } from '../../../src/errors.ts';
import { makeRig, type Rig, stateOf, tuneRig, WANTED } from '../../faults/rig.ts';
import { agentOf } from '../agent/agent-rig.ts';

const SWAPPINESS = '/proc/sys/vm/swappiness';
const MASK = '/proc/irq/default_smp_affinity';
const wantedWith = (heals: readonly string[], breaker = { heals: 3, within: 3_600 }) => ({
  ...WANTED,
  drift: { heal: [...heals], breaker },
});

interface Told {
  readonly kind: string;
  readonly [fact: string]: unknown;
}

/** A machine in memory that somebody changes, and a watch that looks every 10 s of its clock. */
class WatchedRig {
  readonly rig: Rig;
  readonly audited: Told[] = [];
  readonly logged: Told[] = [];
  wholeLooks = 0;
  nowMs = 1_000_000;
  isDiskFull = false;
  readonly watch: DriftWatch;

  constructor(rig: Rig = makeRig()) {
    this.rig = { ...rig, engine: { ...rig.engine, now: () => new Date(this.nowMs) } };
    this.watch = this.#newWatch();
  }

  #newWatch(): DriftWatch {
    const { host, state } = this.rig;
    const { engine } = this.rig;
    const tell: AuditTrail['tell'] = async (kind, facts) => void this.audited.push({ kind, ...facts });
    const mustTell: AuditTrail['mustTell'] = async (kind, facts) => {
      if (this.isDiskFull) throw new HftError('the disk is full');
      await tell(kind, facts);
    };
    return new DriftWatch({
      ...{ host, state, audit: { tell, mustTell }, now: () => new Date(this.nowMs) },
      processes: { look: async () => ({ seen: [], differing: [] }), findAdopted: async () => {} },
      lookAtAll: async () => {
        this.wholeLooks++;
        return lookAtAll(engine);
      },
      heal: (ids, begin) => heal(agentOf(engine), ids, begin),
      log: (kind, facts) => this.logged.push({ kind, ...facts }),
    });
  }

  async look(isDue = false): Promise<readonly Told[]> {
    this.nowMs += 10_000;
    const before = this.audited.length;
    await this.watch.look(isDue);
    return this.audited.slice(before);
  }

  async tune(wanted = WANTED): Promise<void> {
    expect((await tuneRig(this.rig, { wanted }))?.result).toBe('applied');
  }

  set(path: string, text: string): void {
    this.rig.host.files.set(path, `${text}\n`);
  }

  value(path: string): string | undefined {
    return this.rig.host.files.get(path)?.trim();
  }
}

let watched: WatchedRig;
beforeEach(() => {
  watched = new WatchedRig();
});

describe('a watch', () => {
  test('says nothing while everything is as it was set, and looks at all once', async () => {
    await watched.tune();
    for (let each = 0; each < 20; each++) expect(await watched.look()).toEqual([]);
    expect(watched.wholeLooks).toBe(1);
    expect(watched.watch.settings).toEqual({ quick: 4, whole: 4 });
  });

  test('with nothing in force there is nothing to drift from', async () => {
    watched.set(SWAPPINESS, '33');
    expect(await watched.look()).toEqual([]);
    expect(watched.watch.profile).toBeNull();
  });

  test('sees a value that somebody wrote by the next look, changes nothing, and sees it come back', async () => {
    await watched.tune();
    await watched.look();
    watched.set(SWAPPINESS, '33');
    const before = stateOf(watched.rig);
    expect(await watched.look()).toMatchObject([
      { kind: 'drift', setting: 'memory.swappiness', wanted: '0', was: '0', is: '33', remedy: { heal: 'no' } },
    ]);
    expect(await watched.look()).toEqual([]);
    expect(stateOf(watched.rig)).toEqual(before);
    watched.set(SWAPPINESS, '0');
    expect(await watched.look()).toMatchObject([{ kind: 'drift-ended', how: 'itself', is: '33' }]);
    expect(watched.watch.state.drifted).toEqual({});
  });

  test('takes no change for drift that hft made: a rollback, another profile, a run that is at work', async () => {
    await watched.tune();
    await watched.look();
    await rollback(watched.rig.engine, { scope: { items: ['memory.swappiness'] } });
    expect(watched.value(SWAPPINESS)).toBe('60');
    for (let each = 0; each < 8; each++) expect(await watched.look()).toEqual([]);
    await watched.tune({ ...WANTED, name: 'other' });
    for (let each = 0; each < 8; each++) expect(await watched.look()).toEqual([]);
    expect(watched.watch.profile).toBe('other');
  });

  test('of a run that was cut off says that it cannot judge', async () => {
    await watched.tune();
    await watched.look();
    watched.rig.state.files.set('journal/zz.jsonl', beginOf(watched.rig));
    watched.set(SWAPPINESS, '12');
    for (let each = 0; each < 10; each++) expect(await watched.look(each === 0)).toEqual([]);
    expect(watched.watch.blind).toContain('zz');
    expect(watched.wholeLooks).toBe(2);
  });

  test('names the program that was started at that time', async () => {
    await watched.tune();
    await watched.look();
    watched.set('/proc/uptime', '1000.00 1');
    watched.set('/proc/77/comm', 'irqbalance');
    watched.set('/proc/77/stat', `77 (irqbalance) S ${'1 '.repeat(18)}99800 0`);
    watched.set(MASK, 'ff');
    expect(await watched.look()).toMatchObject([
      { setting: 'irq.default', suspects: [{ who: 'irqbalance (pid 77)', certainty: 'likely' }] },
    ]);
  });
});

describe('healing', () => {
  test('only what the profile allows, through the journal, as a run that nobody asked for', async () => {
    await watched.tune(wantedWith(['memory.swappiness']));
    await watched.look();
    watched.set(SWAPPINESS, '33');
    watched.set(MASK, 'ff');
    const told = await watched.look();
    expect(told.map(({ kind }) => kind)).toEqual(['drift', 'drift', 'heal', 'healed', 'drift-ended']);
    expect(told[4]).toMatchObject({ setting: 'memory.swappiness', how: 'healed' });
    expect([watched.value(SWAPPINESS), watched.value(MASK)]).toEqual(['0', 'ff']);
    const run = watched.rig.state.files.get(`journal/${(told[3]?.runs as string[] | undefined)?.[0]}.jsonl`) as string;
    expect(JSON.parse(run.split('\n')[0] as string)).toMatchObject({ origin: 'heal' });
    expect((await lookAtAll(watched.rig.engine)).profile).toBe('test');
  });

  test('a rollback takes back what somebody asked for last, not the heal alone', async () => {
    const initially = stateOf(makeRig());
    await watched.tune(wantedWith(['memory']));
    await watched.look();
    watched.set(SWAPPINESS, '33');
    await watched.look();
    expect(watched.value(SWAPPINESS)).toBe('0');
    const { reports } = await rollback(watched.rig.engine, { scope: 'last' });
    expect(reports).toHaveLength(2);
    // What somebody else wrote meanwhile is theirs again.
    expect(stateOf(watched.rig)).toEqual({ ...initially, [SWAPPINESS]: '33\n' });
  });

  test('ends when somebody keeps undoing it, says so once, and begins anew with the next tune', async () => {
    await watched.tune(wantedWith(['memory'], { heals: 3, within: 600 }));
    await watched.look();
    const told: Told[] = [];
    for (let each = 0; each < 12; each++) {
      watched.set(SWAPPINESS, '33');
      told.push(...(await watched.look()));
    }
    const count = (kind: string) => told.filter((each) => each.kind === kind).length;
    expect([count('healed'), count('not-healed')]).toEqual([3, 1]);
    expect(watched.value(SWAPPINESS)).toBe('33');
    expect(watched.watch.state.drifted['memory.swappiness']?.isBroken).toBe(true);
    await watched.tune(wantedWith(['memory'], { heals: 3, within: 600 }));
    for (let each = 0; each < 7; each++) await watched.look();
    watched.set(SWAPPINESS, '44');
    expect((await watched.look()).map(({ kind }) => kind)).toContain('healed');
  });

  test('what cannot be audited is not healed', async () => {
    await watched.tune(wantedWith(['memory']));
    await watched.look();
    watched.isDiskFull = true;
    watched.set(SWAPPINESS, '33');
    await watched.look();
    expect(watched.value(SWAPPINESS)).toBe('33');
    expect(watched.logged.at(-1)).toMatchObject({ kind: 'not-healed', reason: 'the disk is full' });
  });

  test('waits while another hft has the lock', async () => {
    await watched.tune(wantedWith(['memory']));
    await watched.look();
    const lock = await watched.rig.state.lock('a tune');
    watched.set(SWAPPINESS, '33');
    await watched.look();
    expect(watched.value(SWAPPINESS)).toBe('33');
    await lock.release();
    for (let each = 0; each < 7; each++) await watched.look();
    expect(watched.value(SWAPPINESS)).toBe('0');
  });

  test('what would disturb something is left, whatever the profile allows', async () => {
    watched = new WatchedRig(makeRig([{ disruption: 'link' }]));
    await watched.tune(wantedWith(['memory']));
    await watched.look();
    watched.set(SWAPPINESS, '33');
    expect(await watched.look()).toMatchObject([{ kind: 'drift', remedy: { disruption: 'link', heal: 'no' } }]);
    expect(watched.value(SWAPPINESS)).toBe('33');
  });
});

function beginOf({ state }: Rig): string {
  const [name] = [...state.files.keys()].filter((each) => each.startsWith('journal/'));
  const begin = (state.files.get(name as string) as string).split('\n')[0] as string;
  return `${begin.replace(/"run":"[^"]*"/, '"run":"zz"')}\n`;
}
