import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { redis } from '../../../../src/latency/redis/redis.ts';
import { CPUS, compileSanitized, compileStrictly, makeFolder } from '../program.ts';
import {
  type Answer,
  follow,
  miniRedis,
  parseCommands,
  runOf,
  type ScriptedServer,
  samplesOf,
  serve,
  start,
} from './scripted.ts';

/** The clients of hft-probe against servers of this test, which answer what real ones seldom do. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const servers: ScriptedServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const [cpu] = CPUS as [number];
const SPAN = ['--duration-ns', '200000000', '--warmup-ns', '20000000', '--block-ns', '20000000'];

async function ask(
  probe: string,
  answer: Answer,
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const server = await serve(answer);
  servers.push(server);
  const argv = [
    probe,
    '--cpus',
    `${cpu}`,
    '--server',
    server.address,
    '--wait',
    'block',
    '--rate',
    '500',
    ...SPAN,
    ...more,
  ];
  const ended = await follow(start(program, argv, env));
  return { ...ended, heard: server.heard, address: server.address };
}

const KEY = /^hft:probe:[0-9a-f]{16}$/;

describe('redis', () => {
  test('every request becomes a sample, and every key is its own, expires and is deleted', async () => {
    const ended = await ask('redis', miniRedis());
    expect(ended.stderr).toBe('');
    const run = runOf(ended);
    const commands = ended.heard.flatMap(parseCommands);
    const gets = commands.filter(([name]) => name === 'GET').length;
    expect(samplesOf(run.streams)).toBe((run.result as { sent?: number }).sent);
    expect(samplesOf(run.streams)).toBeGreaterThan(10);
    // One GET looks whether it may, and those of the warm-up are not samples.
    expect(gets).toBeGreaterThan(samplesOf(run.streams) + 1);
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
    expect(sets.length).toBeGreaterThan(10);
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

const CLOSE: Answer = (_, socket) => void socket.end();
const SILENT: Answer = () => undefined;
const HTTP: Answer = () => 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"<html>"';
const says = (command: string, reply: string) => miniRedis({ [command]: () => `${reply}\r\n` });

/** Before anything is measured: unsupported, with what is needed, in one line that is JSON whatever the server said. */
const REFUSALS: readonly (readonly [what: string, probe: string, answer: Answer, reason: RegExp, need: RegExp])[] = [
  [
    'a password is needed',
    'redis',
    says('INFO', '-NOAUTH Authentication required.'),
    /refuses INFO: NOAUTH/,
    /REDISCLI_AUTH/,
  ],
  [
    'the user may not',
    'redis',
    says('SET', "-NOPERM User u has no permissions to run the 'set' command"),
    /NOPERM/,
    /may GET, SET and DEL/,
  ],
  [
    'a node of a cluster',
    'redis',
    says('SET', '-MOVED 3999 127.0.0.1:6381'),
    /sends the key to another node: MOVED 3999 127\.0\.0\.1:6381/,
    /no node of a cluster/,
  ],
  [
    'a replica',
    'redis',
    says('SET', "-READONLY You can't write against a read only replica."),
    /refuses SET: READONLY/,
    /takes GET, SET and DEL/,
  ],
  [
    'full of "memory\\',
    'redis',
    says('SET', '-OOM command not allowed "when\\" used'),
    /OOM command not allowed 'when'' used/,
    /takes GET/,
  ],
  [
    'a web server',
    'redis',
    HTTP,
    /does not speak the protocol of Redis: 'HTTP\/1\.1 400 Bad Request'/,
    /Redis or Valkey/,
  ],
  ['one that closes', 'redis', CLOSE, /closes the connection at once/, /that answers/],
  ['one that says nothing', 'redis', SILENT, /does not answer/, /that answers/],
  ['a memcached', 'redis', () => 'ERROR\r\n', /does not speak the protocol of Redis: 'ERROR'/, /Redis or Valkey/],
  [
    'memcached with a password',
    'memcached',
    () => 'CLIENT_ERROR unauthenticated\r\n',
    /asks for a password/,
    /without a password/,
  ],
  ['a Redis', 'memcached', miniRedis(), /does not speak the text protocol of memcached/, /memcached/],
  ['a web server', 'memcached', HTTP, /'HTTP\/1\.1 400 Bad Request'/, /memcached/],
  ['one that closes', 'memcached', CLOSE, /closes the connection at once/, /memcached/],
  [
    'one that is full',
    'memcached',
    (request) => (request.startsWith('version') ? 'VERSION 1\r\n' : 'SERVER_ERROR out of memory storing object\r\n'),
    /out of memory/,
    /memcached/,
  ],
];

describe('what cannot be measured', () => {
  test.each(REFUSALS)('%s (%s)', async (_, probe, answer, reason, need) => {
    const { exitCode, stderr, stdout, heard } = await ask(probe, answer);
    expect({ exitCode, stdout: stdout.length }).toEqual({ exitCode: 3, stdout: 0 });
    const said = JSON.parse(stderr) as Record<string, string>;
    expect(said.unsupported).toMatch(reason);
    expect(said.need).toMatch(need);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(heard.join('')).not.toContain('FLUSH');
  });

  test('nobody listens', async () => {
    const server = await serve(SILENT);
    server.close();
    const { exitCode, stderr } = await follow(
      start(program, ['redis', '--cpus', `${cpu}`, '--server', server.address]),
    );
    expect(exitCode).toBe(3);
    expect(JSON.parse(stderr).unsupported).toContain(`nobody can be reached at ${server.address}: Connection refused`);
  });
});

/** After some hundred good replies: a failure in one line, and no figure. */
const BREAKS: readonly (readonly [what: string, reply: string | undefined, says: RegExp])[] = [
  ['the key is gone', '$-1\r\n', /answered "\$-1" and not what was set/],
  ['another value', `$64\r\n${'X'.repeat(64)}\r\n`, /answered "\$64" and not what was set/],
  ['an error', '-LOADING Redis is loading the dataset in memory\r\n', /answered "-LOADING Redis is loading/],
  ['it closes', undefined, /closed the connection/],
];

test.each(BREAKS)('in the middle of a run: %s', async (_, reply, message) => {
  let left = 100;
  const good = miniRedis();
  const answer: Answer = (request, socket) => {
    if (!request.includes('GET') || left-- > 0) return good(request, socket);
    if (reply === undefined) socket.end();
    return reply;
  };
  const { exitCode, stderr } = await ask('redis', answer);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('a server that falls silent: the run ends at its deadline, and says that a reply is missing', async () => {
  let left = 50;
  const good = miniRedis();
  const answer: Answer = (request, socket) =>
    request.includes('GET') && left-- <= 0 ? undefined : good(request, socket);
  const ended = await ask('redis', answer, ['--warmup-ns', '1000000', '--deadline-ns', '1500000000']);
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

describe('wrong usage', () => {
  test.each([
    ['redis --cpus 0', /--server is missing/],
    ['redis --cpus 0 --server own-udp', /expected own-unix or own-tcp/],
    ['redis --cpus 0 --server own-unix', /needs two CPUs, the client's first/],
    ['redis --cpus 0,1 --server unix:/x', /needs one CPU/],
    ['redis --cpus 0 --server localhost:6379', /"localhost" is no IP address/],
    ['redis --cpus 0 --server 127.0.0.1', /expected unix:\/path/],
    ['redis --cpus 0 --server 127.0.0.1:0', /expected unix:\/path/],
    ['redis --cpus 0 --server 127.0.0.1:66000', /expected unix:\/path/],
    ['redis --cpus 0 --server unix:relative', /expected an absolute path/],
    [`redis --cpus 0 --server unix:/${'x'.repeat(108)}`, /at most 107/],
    ['redis --cpus 0 --server 127.0.0.1:1 --payload 100', /multiple of 64/],
    ['redis --cpus 0 --server 127.0.0.1:1 --pipeline 0', /from 1 to 128/],
    ['redis --cpus 0 --server 127.0.0.1:1 --direction one-way', /no option --direction/],
    ['memcached --cpus 0 --server 127.0.0.1:1 --command set', /no option --command/],
  ])('hft-probe %s', async (line, says) => {
    const { exitCode, stderr } = await follow(start(program, line.split(' ')));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(says);
  });
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
