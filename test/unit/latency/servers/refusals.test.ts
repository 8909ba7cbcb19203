import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CPUS, compileStrictly, makeFolder } from '../program.ts';
import { type Answer, askScripted, follow, miniRedis, serve, start } from './scripted.ts';

/** What hft-probe says where there is nothing to measure: one line with what is there and what is needed. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const [cpu] = CPUS as [number];

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
    const { exitCode, stderr, stdout, heard } = await askScripted(program, probe, answer);
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
