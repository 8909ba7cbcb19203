import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIRST, LAST, Launched, REFERENCE } from './launched.ts';
import { buildWhenStale } from './run-hft.ts';

const TIME_LIMIT_MS = 180_000;
let here: Launched;

/** Each test has threads of its own to break: one process serves them all. */
beforeAll(() => {
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
  const launched = here.hft(`launch ${file} --gate none --wait`);
  if (launched.exitCode !== 0) throw new Error(launched.stdout + launched.stderr);
}, TIME_LIMIT_MS);
afterAll(() => here.end(), TIME_LIMIT_MS);

describe('hft verify processes', { timeout: TIME_LIMIT_MS }, () => {
  test('finds nothing where nothing is wrong', () => {
    expect(here.differences(3)).toEqual({});
  });

  test('a thread that changed its policy', () => {
    here.ask('md', 'policy policed other 3');
    expect(here.differences()).toEqual({
      'processes.policy@md/policed': expect.stringMatching(/thread "policed" \(\d+\).* is scheduled as other nice 3/),
    });
    here.ask('md', 'policy policed batch 0');
  });

  test('a thread that takes page faults again and again', () => {
    const stop = `${here.folder}/stop`;
    const ask = `${REFERENCE} ask ${here.socket('md')} fault faulting 20000`;
    const { stdout } = here.shell(
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

describe('of other deployments', { timeout: TIME_LIMIT_MS }, () => {
  test('a thread that moved itself, and a new one where nobody put it, are named', () => {
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
      expect(other.hft(`launch ${file} --gate none --wait`).exitCode).toBe(0);
      expect(other.differences()).toEqual({});
      expect(FIRST).not.toBe(LAST);
      other.ask('md', `move moved ${FIRST}`);
      expect(other.differences()).toEqual({
        'processes.cpus@md/moved': expect.stringMatching(/thread "moved" \(\d+\).*: allowed on \d+/),
      });
      other.ask('md', `move moved ${LAST}`);
      other.ask('md', 'thread intruder block');
      other.ask('md', `move intruder ${LAST}`);
      expect(other.differences()).toEqual({
        'processes.cpus@md/*': expect.stringMatching(/thread "intruder" \(\d+\), started/),
      });
    } finally {
      other.end();
    }
  });

  test('memory that should be locked and is not', () => {
    const other = new Launched();
    const command = `[${REFERENCE}, --socket, ${other.socket('md')}]`;
    const file = other.write(
      'unlocked.yaml',
      `processes:\n  md:\n    command: ${command}\n    memory: { lock: on }\n    limits: { memlock: 64K }\n`,
    );
    try {
      expect(other.hft(`launch ${file} --gate none --wait`).exitCode).toBe(0);
      expect(Object.keys(other.differences())).toEqual(['processes.locked@md']);
    } finally {
      other.end();
    }
  });
});
