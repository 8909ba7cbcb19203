import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIRST, LAST, Launched, REFERENCE } from './launched.ts';
import { buildWhenStale } from './run-hft.ts';

const TIME_LIMIT_MS = 180_000;
let here: Launched;

/** Each test has threads of its own to break: one process serves them all. */
beforeAll(async () => {
  buildWhenStale();
  here = new Launched();
  const threads = ['quiet', 'moved', 'policed', 'faulting', 'parent'];
  const file = here.write(
    'broken.yaml',
    `processes:
  md:
    command: [${REFERENCE}, --socket, ${here.socket('md')}, ${threads.map((name) => `--thread, "${name}:block"`).join(', ')}]
    threads:
      moved: ${LAST}
      policed: { cpus: ${LAST}, policy: batch }
      faulting: ${LAST}
      "*": ${FIRST}
`,
  );
  const launched = await here.hft(`launch ${file} --gate none --wait`);
  if (launched.exitCode !== 0) throw new Error(launched.stdout + launched.stderr);
}, TIME_LIMIT_MS);
afterAll(async () => await here.end(), TIME_LIMIT_MS);

describe('hft verify processes', { timeout: TIME_LIMIT_MS }, () => {
  test('finds nothing where nothing is wrong', async () => {
    expect(await here.differences(2)).toEqual({});
  });

  test('a thread that changed its policy', async () => {
    await here.ask('md', 'policy policed other 3');
    expect(await here.differences()).toEqual({
      'processes.policy@md/policed': expect.stringMatching(/thread "policed" \(\d+\).* is scheduled as other nice 3/),
    });
    await here.ask('md', 'policy policed batch 0');
  });

  test('a thread that takes page faults again and again', async () => {
    const stop = `${here.folder}/stop`;
    const ask = `${REFERENCE} ask ${here.socket('md')} fault faulting 20000`;
    const { stdout } = await here.shell(
      `( while [ ! -e ${stop} ]; do ${ask}; done ) & hft verify processes --duration 2s --json; touch ${stop}; wait`,
    );
    const results = JSON.parse(stdout).results as { id: string; status: string; evidence: string }[];
    const failed = results.filter(({ status }) => status === 'fail');
    expect(failed).toEqual([
      expect.objectContaining({
        id: 'processes.faults@md/faulting',
        evidence: expect.stringMatching(/thread \d+: \d+ minor/),
      }),
    ]);
  });
});

describe.concurrent('of other deployments', { timeout: TIME_LIMIT_MS }, () => {
  test('a thread that moved itself, and a new one where nobody put it, are named', async () => {
    const other = new Launched();
    const file = other.write(
      'moving.yaml',
      `processes:
  md:
    command: [${REFERENCE}, --socket, ${other.socket('md')}, --thread, "moved:block"]
    threads: { moved: ${LAST}, "#0": ${FIRST}, "*": "${FIRST}" }
`,
    );
    try {
      expect((await other.hft(`launch ${file} --gate none --wait`)).exitCode).toBe(0);
      expect(await other.differences()).toEqual({});
      expect(FIRST).not.toBe(LAST);
      await other.ask('md', `move moved ${FIRST}`);
      expect(await other.differences()).toEqual({
        'processes.cpus@md/moved': expect.stringMatching(/thread "moved" \(\d+\).*: allowed on \d+/),
      });
      await other.ask('md', `move moved ${LAST}`);
      await other.ask('md', 'thread intruder block');
      await other.ask('md', `move intruder ${LAST}`);
      expect(await other.differences()).toEqual({
        'processes.cpus@md/*': expect.stringMatching(/thread "intruder" \(\d+\), started/),
      });
    } finally {
      await other.end();
    }
  });

  test('memory that should be locked and is not', async () => {
    const other = new Launched();
    const command = `[${REFERENCE}, --socket, ${other.socket('md')}]`;
    const file = other.write(
      'unlocked.yaml',
      `processes:\n  md:\n    command: ${command}\n    memory: { lock: on }\n    limits: { memlock: 64K }\n`,
    );
    try {
      expect((await other.hft(`launch ${file} --gate none --wait`)).exitCode).toBe(0);
      expect(Object.keys(await other.differences())).toEqual(['processes.locked@md']);
    } finally {
      await other.end();
    }
  });
});
