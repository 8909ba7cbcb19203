import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIRST, LAST, Launched, REFERENCE } from './launched.ts';
import { buildWhenStale } from './run-hft.ts';

const TIME_LIMIT_MS = 180_000;
let here: Launched;
let seen: () => string;

/** One process whose threads and memory are broken one by one, and one `hft ps --watch` that has to see each of it. */
beforeAll(async () => {
  buildWhenStale();
  here = new Launched();
  const threads = ['rx', 'moved', 'policed', 'faulting'].map((name) => `--thread, "${name}:block"`).join(', ');
  const file = here.write(
    'watched.yaml',
    `profile: ${here.write('own.yaml', `layout: { housekeeping: "${FIRST}", isolated: "${LAST}" }`)}
processes:
  md:
    command: [${REFERENCE}, --socket, ${here.socket('md')}, --lock, ${threads}]
    cpus: [${LAST}]
    threads:
      rx: own
      moved: ${FIRST}
      policed: { cpus: ${FIRST}, policy: batch }
      faulting: ${FIRST}
      "*": ${FIRST}
    memory: { lock: on }
    limits: { memlock: 2M }
    restart: { when: always, delay: 10ms }
`,
  );
  const launched = await here.hft(`launch ${file} --gate none --wait`);
  if (launched.exitCode !== 0) throw new Error(launched.stdout + launched.stderr);
  seen = here.watch();
  await here.until(() => seen().includes('policed'));
}, TIME_LIMIT_MS);
afterAll(async () => await here.end(), TIME_LIMIT_MS);

/** A difference that is going on: its line and what follows. */
function going(id: string): string | undefined {
  const lines = seen().split('\n');
  const at = lines.findIndex((line) => line.includes(`${id}  since `));
  return at < 0 ? undefined : lines.slice(at, at + 2).join('\n');
}

const STRANGERS = `processes.strangers@cpu${LAST}`;

describe('hft ps --watch', { timeout: TIME_LIMIT_MS }, () => {
  let stranger: ChildProcess;

  beforeAll(async () => {
    await here.ask('md', `move moved ${LAST}`);
    await here.ask('md', 'policy policed other 3');
    stranger = spawn('taskset', ['-c', String(LAST), 'sleep', '600'], { stdio: 'ignore' });
    await here.ask('md', 'unlock');
  });
  afterAll(() => stranger.kill('SIGKILL'));

  test.each([
    ['a thread that moved itself', 'processes.cpus@md/moved', /thread "moved" \(\d+\), started .*: allowed on \d+/],
    ['another policy', 'processes.policy@md/policed', /thread "policed" \(\d+\).* is scheduled as other nice 3/],
    ['memory that is not locked any more', 'processes.locked@md', /is 0 KiB: VmLck in \/proc\//],
    ['a stranger on its CPU', STRANGERS, /sleep \(process \d+\), allowed on \d+/],
  ])('sees and names %s', async (_, id, said) => {
    let line = '';
    await here.until(() => {
      line = going(id) ?? '';
      return said.test(line);
    });
    expect(line).toMatch(said);
  });

  test('sees a storm of page faults', async () => {
    await here.until(async () => {
      await here.ask('md', 'fault faulting 20000');
      return seen().includes('processes.faults@md/faulting');
    });
    expect(seen()).toMatch(/processes\.faults@md\/faulting .*\n.*thread \d+: \d+ minor/);
  });

  test('sees a new thread, also where it may be', async () => {
    await here.ask('md', 'thread intruder block');
    await here.until(() => seen().includes('processes.threads@md'));
    expect(seen()).toMatch(/(?:is|was) intruder: thread "intruder" \(\d+\), started/);
  });

  test('sees the end of what was put right', async () => {
    await here.ask('md', `move moved ${FIRST}`);
    await here.ask('md', 'policy policed batch 0');
    stranger.kill('SIGKILL');
    for (const id of ['processes.cpus@md/moved', 'processes.policy@md/policed'])
      await here.until(() => going(id) === undefined && seen().includes(`${id}  from `));
    await here.until(() => going(STRANGERS)?.includes('sleep') !== true);
    expect(going('processes.locked@md')).toBeDefined();
  });

  test('sees a process that was killed and started again', async () => {
    process.kill(here.process('md').pid as number, 'SIGKILL');
    await here.until(() => seen().includes('processes.running@md'));
    await here.until(() => seen().includes('processes.locked@md  from '));
    await here.until(() => here.process('md').phase === 'running');
    expect(here.process('md').restarts).toBe(1);
  });
});
