import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import { isAlive } from '../../processes.ts';
import { makePlace } from './place.ts';

const host = new LocalHost();

describe('query and execute', () => {
  test('output, error output and exit code come as they are, final newline too', async () => {
    const answer = await host.query(['sh', '-c', 'echo out; echo err >&2; exit 75']);
    expect(answer).toEqual({ found: true, exitCode: 75, stdout: 'out\n', stderr: 'err\n' });
  });

  test('a command that is not installed is a value', async () => {
    expect(await host.query(['hft-no-such-command', '--json'])).toEqual({ found: false });
    expect(await host.execute(['/usr/lib/hft-no-such-command'])).toEqual({ found: false });
  });

  test('no shell: an argument stays one argument', async () => {
    const words = ['$HOME', '*', 'a b', '; true', '`id`', ''];
    expect(await host.query(['printf', '%s|', ...words])).toMatchObject({
      stdout: words.map((word) => `${word}|`).join(''),
    });
  });

  test('the C locale, sbin in PATH, the root folder, and empty standard input', async () => {
    const script = 'echo "$LC_ALL $PWD"; echo "$PATH"; wc -c';
    const answer = await host.query(['sh', '-c', script]);
    expect(answer).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^C \/\n.*:\/usr\/sbin:\/sbin\n0\n$/) });
  });

  test('text for standard input arrives whole, also when nobody reads it', async () => {
    const input = 'x'.repeat(1_000_000);
    expect(await host.execute(['wc', '-c'], { input })).toMatchObject({ stdout: '1000000\n' });
    expect(await host.execute(['true'], { input })).toMatchObject({ exitCode: 0 });
  });

  test('a signal is 128 + its number, as in a shell', async () => {
    expect(await host.query(['sh', '-c', 'kill -KILL $$'])).toMatchObject({ found: true, exitCode: 137 });
  });

  test('a file that may not be executed is EACCES', async () => {
    const file = path.join(makePlace(), 'script');
    fs.writeFileSync(file, '#!/bin/sh\n', { mode: 0o644 });
    await expect(host.query([file])).rejects.toMatchObject({ name: 'HostError', code: 'EACCES' });
  });

  test('too slow is ETIMEDOUT, and its children do not live on', async () => {
    const file = path.join(makePlace(), 'pid');
    const child = await untilStarted(file, async (queryTimeoutMs) => {
      const query = new LocalHost({ queryTimeoutMs }).query(['sh', '-c', `sleep 100 & echo $! > ${file}; wait`]);
      await expect(query).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    });
    await expect.poll(() => isAlive(child), { timeout: 30_000 }).toBe(false);
  });

  test('a grandchild in a session of its own that keeps the pipe open does not hold us', async () => {
    const file = path.join(makePlace(), 'pid');
    const child = await untilStarted(file, async (executeTimeoutMs) => {
      const line = `setsid sh -c 'echo $$ > ${file}; exec sleep 100' & sleep 100`;
      const execute = new LocalHost({ executeTimeoutMs }).execute(['sh', '-c', line]);
      await expect(execute).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    });
    process.kill(child);
  });
});

/** Gives up later each time, until the process had the time to write its pid down: machines may be slow. */
async function untilStarted(file: string, giveUpAfter: (ms: number) => Promise<void>): Promise<number> {
  for (const ms of [300, 3_000, 15_000]) {
    await giveUpAfter(ms);
    const pid = Number(fs.existsSync(file) && fs.readFileSync(file, 'utf8'));
    if (pid > 0) return pid;
  }
  throw new Error(`${file} was never written`);
}

describe('start', () => {
  test('returns while the process runs, in a session of its own', async () => {
    const file = path.join(makePlace(), 'stat');
    await host.start(['sh', '-c', `cat /proc/self/stat > ${file}.new; mv ${file}.new ${file}; exec sleep 20`]);
    await expect.poll(() => fs.existsSync(file), { timeout: 50_000 }).toBe(true);
    const fields = fs
      .readFileSync(file, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    const [group, session] = [Number(fields[2]), Number(fields[3])];
    expect(group).toBe(session);
    expect(session).not.toBe(
      Number(
        fs
          .readFileSync('/proc/self/stat', 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[3],
      ),
    );
    process.kill(session);
  });

  test('a program that is not there is ENOENT', async () => {
    await expect(host.start(['hft-no-such-command'])).rejects.toMatchObject({ name: 'HostError', code: 'ENOENT' });
  });
});
