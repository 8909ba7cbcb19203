import { describe, expect, test } from 'vitest';
import { KeptReading } from '../../../../src/agent/metrics/kept-reading.ts';
import { gauge } from '../../../../src/metrics/exposition.ts';

/** A reading that ends when it is told to. */
class Rig {
  nowMs = 0;
  begun = 0;
  mayRead = true;
  readonly failed: string[] = [];
  #end: ((error?: Error) => void) | undefined;
  readonly reading = new KeptReading({
    name: 'status',
    maxAgeMs: 60_000,
    mayRead: () => this.mayRead,
    nowMs: () => this.nowMs,
    onFailed: (name, reason) => this.failed.push(`${name}: ${reason}`),
    read: () => {
      const number = ++this.begun;
      return new Promise((resolve, reject) => {
        this.#end = (error) => (error ? reject(error) : resolve(() => [gauge('a', 'A.', [[{}, number]])]));
      });
    },
  });

  async end(error?: Error): Promise<void> {
    const under = this.reading.refresh();
    this.#end?.(error);
    await under;
  }

  get value(): number | undefined {
    return this.reading.families(0)[0]?.samples[0]?.[1];
  }
}

describe('a kept reading', () => {
  test('is read once, whoever asks meanwhile, and then kept for its time', async () => {
    const rig = new Rig();
    expect([rig.reading.isKnown, rig.value, rig.reading.state.ageS]).toEqual([false, undefined, undefined]);
    const asked = Array.from({ length: 1000 }, () => rig.reading.refresh());
    rig.nowMs = 500;
    await rig.end();
    await Promise.all(asked);
    expect([rig.begun, rig.value, rig.reading.state]).toEqual([
      1,
      1,
      { name: 'status', ageS: 0, tookS: 0.5, failures: 0 },
    ]);
    rig.nowMs = 59_999;
    await rig.reading.refresh();
    expect([rig.begun, rig.reading.state.ageS]).toEqual([1, 59.499]);
    rig.nowMs = 60_000;
    await rig.end();
    expect([rig.begun, rig.value]).toEqual([2, 2]);
  });

  test('that fails keeps what was known, is logged once, and is not tried again at once', async () => {
    const rig = new Rig();
    await rig.end();
    for (const nowMs of [60_000, 61_000, 120_000]) {
      rig.nowMs = nowMs;
      await rig.end(new Error('EIO'));
    }
    expect([rig.begun, rig.value, rig.reading.failure, rig.reading.state.failures]).toEqual([3, 1, 'EIO', 2]);
    expect(rig.failed).toEqual(['status: EIO']);
    rig.nowMs = 180_000;
    await rig.end();
    expect([rig.value, rig.reading.failure]).toEqual([4, undefined]);
  });

  test('is not read while the host is being changed', async () => {
    const rig = new Rig();
    rig.mayRead = false;
    await rig.reading.refresh();
    expect(rig.begun).toBe(0);
    rig.mayRead = true;
    await rig.end();
    expect(rig.begun).toBe(1);
  });
});
