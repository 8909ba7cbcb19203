import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compileSanitized, compileStrictly, compileTestProgram, makeFolder } from '../latency/program.ts';
import { follow, start } from '../latency/servers/scripted.ts';

const folder = makeFolder();
afterAll(() => folder.remove());
const server = compileTestProgram('telemetry-server', folder.path);

/** What hft-probe prints of a process whose telemetry behaves like this. */
async function ask(program: string, mode: string, requests: readonly string[]) {
  const path = join(folder.path, `socket-${mode}-${requests.length}-${program.length}`);
  const child = spawn(server, [path, mode], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const asked = await follow(start(program, ['telemetry', path, ...requests]));
  child.kill();
  await ended;
  return asked;
}

/** Beside each other: one that does not answer is waited for. */
describe.concurrent.each([
  ['as users get it', compileStrictly(folder.path)],
  ['sanitized', compileSanitized(folder.path)],
])('hft-probe telemetry, %s', (_, program) => {
  test('prints the greeting and a line for each request', async () => {
    const { exitCode, stdout } = await ask(program, 'answer', ['/ethdev/list', '/ethdev/stats,0']);
    expect(exitCode).toBe(0);
    expect(stdout.toString().split('\n')).toEqual([
      '{"version":"DPDK 22.11.11","pid":1,"max_output_len":16384}',
      '{"/ethdev/list":[0,1]}',
      '{"/ethdev/stats,0":[0,1]}',
      '',
    ]);
  });

  test.each([
    ['hang', 'no answer within five seconds'],
    ['close', 'the process closed the connection'],
    ['long', 'the answer has more than'],
  ])('a process that does not answer (%s) is an error that says so', async (mode, reason) => {
    const { exitCode, stderr } = await ask(program, mode, ['/ethdev/list']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`/ethdev/list: ${reason}`);
  });

  test.each([
    [['/nowhere/socket', '/ethdev/list'], 1, 'connect /nowhere/socket: No such file or directory'],
    [[], 2, 'expected the path of a socket'],
    [['/nowhere/socket'], 2, 'expected the path of a socket'],
    [[`/${'x'.repeat(200)}`, '/ethdev/list'], 2, 'the path of a socket is too long'],
  ])('%j', (words, code, reason) => {
    const { status, stderr } = spawnSync(program, ['telemetry', ...words], { encoding: 'utf8' });
    expect(status).toBe(code);
    expect(stderr).toContain(reason);
  });
});
