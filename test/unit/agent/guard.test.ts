import { describe, expect, test } from 'vitest';
import { armGuard } from '../../../src/agent/guard.ts';
import { RunJournal } from '../../../src/engine/journal.ts';
import { FakeHost } from '../../fake-host.ts';
import { MemoryState } from '../../faults/memory-state.ts';
import { WANTED } from '../../faults/rig.ts';

const RUN = '20260101T000000Z-Beef';

async function startGuard(systemd: boolean, guard: (state: MemoryState) => { exitCode: number }) {
  const host = new FakeHost();
  if (systemd) host.folders.add('/run/systemd/system');
  const state = new MemoryState();
  const begin = { type: 'begin', run: RUN, time: '', host: 'h', bootId: '1', origin: 'user', wanted: WANTED } as const;
  await new RunJournal(state, RUN).record({ ...begin, version: '0' });
  host.commands.set('systemd-run', () => ({ found: true, stdout: '', stderr: '', ...guard(state) }));
  const start = { host, state, command: '/opt/hft/bin/hft', searchPath: '/opt/node/bin', startWithinMs: 200 };
  await armGuard(start, RUN);
  return host.log;
}

const diesAtOnce = () => ({ exitCode: 0 });

function watches(state: MemoryState) {
  void new RunJournal(state, RUN).record({ type: 'watched' });
  return { exitCode: 0 };
}

describe('the guard', () => {
  test('is a unit of its own that is started again when it dies, with the journal and the Node of this hft', async () => {
    const [command] = await startGuard(true, watches);
    expect(command).toBe(
      'systemd-run --quiet --collect --unit=hft-guard-20260101t000000z-beef --property=Restart=on-failure ' +
        '--property=RestartSec=3 env HFT_STATE_DIR=/state PATH=/opt/node/bin /opt/hft/bin/hft confirm --watch ' +
        '20260101T000000Z-Beef',
    );
  });

  test.each([
    ['started and died at once, or looks at another journal', true, diesAtOnce],
    ['was not started', true, () => ({ exitCode: 1 })],
    ['without systemd, died at once', false, diesAtOnce],
  ])('%s: the change must not be made', async (_, systemd, guard) => {
    await expect(startGuard(systemd, guard)).rejects.toThrow(
      /guard, which would take this change back .* did not start/,
    );
  });
});
