import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redis } from '../../../../src/latency/redis/redis.ts';
import { CPUS, compileSanitized, compileStrictly, makeFolder } from '../program.ts';
import { type Answer, askScripted, miniRedis, parseCommands, type Question, runOf, samplesOf } from './scripted.ts';

/** The clients of hft-probe against servers of this test, which answer what real ones seldom do. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const [cpu] = CPUS as [number];
const ask = (...asked: Question) => askScripted(program, ...asked);

const KEY = /^hft:probe:[0-9a-f]{16}$/;

describe('redis', () => {
  test('every request becomes a sample, and every key is its own, expires and is deleted', async () => {
    const ended = await ask('redis', miniRedis());
    expect(ended.stderr).toBe('');
    const run = runOf(ended);
    const commands = ended.heard.flatMap(parseCommands);
    const gets = commands.filter(([name]) => name === 'GET').length;
    expect(samplesOf(run.streams)).toBe((run.result as { sent?: number }).sent);
    expect(samplesOf(run.streams)).toBeGreaterThan(1);
    // One GET looks whether it may, and those of the warm-up, which may have had no time for one, are not samples.
    expect(gets).toBeGreaterThanOrEqual(samplesOf(run.streams) + 1);
    expect(run.meta).toMatchObject({
      part: 'get',
      pipeline: 1,
      server: { name: 'redis 9.8.7', address: ended.address, isOwn: false },
    });
    expect(run.result.keyLeft).toBe(false);
    const keys = new Set(commands.filter(([name]) => name !== 'INFO').map(([, key]) => key as string));
    expect(keys.size).toBe(1);
    for (const key of keys) expect(key).toMatch(KEY);
    const sets = commands.filter(([name]) => name === 'SET');
    expect(sets).toEqual([
      ['SET', [...keys][0], expect.stringMatching(/^[a-z]{64}$/), 'EX', expect.stringMatching(/^\d+$/)],
    ]);
    expect(Number(sets[0]?.[4])).toBeGreaterThan(60);
    expect(commands.at(-1)).toEqual(['DEL', [...keys][0]]);
    const { measures, findings } = redis.report(
      run,
      redis.variants({ cpus: [cpu], suite: 'quick', servers: { redis: 'x' } })[0] as never,
    );
    expect(measures.map(({ part, rule }) => [part, rule])).toEqual([
      ['get', 'open'],
      ['get', 'closed'],
    ]);
    expect(findings.filter(({ invalidates, kind }) => invalidates && kind !== 'rate-not-kept')).toEqual([]);
  });

  test('SET carries its expiry every time', async () => {
    const ended = await ask('redis', miniRedis(), ['--command', 'set', '--payload', '128']);
    const sets = ended.heard.flatMap(parseCommands).filter(([name]) => name === 'SET');
    expect(runOf(ended).meta.part).toBe('set');
    expect(sets.length).toBeGreaterThan(1);
    for (const words of sets)
      expect(words).toEqual([
        'SET',
        expect.stringMatching(KEY),
        expect.stringMatching(/^[a-z]{128}$/),
        'EX',
        expect.any(String),
      ]);
  });

  test('pipelined: as many in one write as it says, a sample for all of them', async () => {
    const ended = await ask('redis', miniRedis(), ['--pipeline', '16']);
    const run = runOf(ended);
    const batches = ended.heard.map(parseCommands).filter((commands) => commands.length > 1);
    expect(new Set(batches.map(({ length }) => length))).toEqual(new Set([16]));
    expect(run.meta).toMatchObject({ part: 'get-pipelined', pipeline: 16 });
    expect(batches.length).toBeGreaterThanOrEqual(samplesOf(run.streams));
  });

  test('replies that come in pieces are put together', async () => {
    const whole = miniRedis();
    const inPieces: Answer = (request, socket) => {
      const reply = whole(request, socket) ?? '';
      for (let at = 0; at < reply.length; at += 7) socket.write(reply.slice(at, at + 7));
      return undefined;
    };
    const ended = await ask('redis', inPieces, ['--pipeline', '3']);
    expect(ended.stderr).toBe('');
    expect(samplesOf(runOf(ended).streams)).toBeGreaterThan(0);
  });

  test('shows the password of REDISCLI_AUTH, and the user where there is one', async () => {
    const open = { AUTH: () => '+OK\r\n' };
    const alone = await ask('redis', miniRedis(open), [], { REDISCLI_AUTH: 'geheim' });
    expect(parseCommands(alone.heard[0] as string)[0]).toEqual(['AUTH', 'geheim']);
    const both = await ask('redis', miniRedis(open), [], { REDISCLI_AUTH: 'geheim', HFT_REDIS_USER: 'prober' });
    expect(parseCommands(both.heard[0] as string)[0]).toEqual(['AUTH', 'prober', 'geheim']);
  });
});

/** After some good replies: a failure in one line, and no figure. */
const BREAKS: readonly (readonly [what: string, reply: string | undefined, says: RegExp])[] = [
  ['the key is gone', '$-1\r\n', /answered "\$-1" and not what was set/],
  ['another value', `$64\r\n${'X'.repeat(64)}\r\n`, /answered "\$64" and not what was set/],
  ['an error', '-LOADING Redis is loading the dataset in memory\r\n', /answered "-LOADING Redis is loading/],
  ['it closes', undefined, /closed the connection/],
];

test.each(BREAKS)('in the middle of a run: %s', async (_, reply, message) => {
  let left = 30;
  const good = miniRedis();
  const answer: Answer = (request, socket) => {
    if (!request.includes('GET') || left-- > 0) return good(request, socket);
    if (reply === undefined) socket.end();
    return reply;
  };
  // Long enough for a machine that does other things; it ends with the wrong reply.
  const { exitCode, stderr } = await ask('redis', answer, ['--duration-ns', '30000000000']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('a server that falls silent: the run ends at its deadline, and says that a reply is missing', async () => {
  let left = 5;
  const good = miniRedis();
  const answer: Answer = (request, socket) =>
    request.includes('GET') && left-- <= 0 ? undefined : good(request, socket);
  const ended = await ask('redis', answer, ['--warmup-ns', '1000000', '--deadline-ns', '3000000000']);
  const { result } = runOf(ended);
  expect(result).toMatchObject({ cut: 'deadline', dropped: 1 });
  expect(ended.heard.flatMap(parseCommands).at(-1)?.[0]).toBe('DEL');
});

test('a key that cannot be deleted is told', async () => {
  const ended = await ask('redis', miniRedis({ DEL: () => '-NOPERM no\r\n' }));
  const run = runOf(ended);
  expect(run.result.keyLeft).toBe(true);
  const report = redis.report(run, { name: 'get', cpus: [cpu], spins: true, policy: 'other', options: {} });
  expect(report.findings.map(({ kind }) => kind)).toContain('key-left');
});

test('under the address and undefined-behaviour sanitizers: IPv4, pieces, pipelines of the largest value', async () => {
  program = compileSanitized(folder.path);
  const ended = await ask('redis', miniRedis(), ['--pipeline', '128', '--payload', '4096', '--command', 'get']);
  expect(ended.stderr).toBe('');
  expect(samplesOf(runOf(ended).streams)).toBeGreaterThan(0);
  const odd = await ask('redis', () => '$99999999999999999999\r\nx', []);
  expect(odd.exitCode).toBe(3);
  expect(execFileSync(program, ['self-test', 'gaps']).length).toBeGreaterThan(0);
});
