import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
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
    const impatient = new LocalHost({ queryTimeoutMs: 300 });
    const query = impatient.query(['sh', '-c', `sleep 100 & echo $! > ${file}; wait`]);
    await expect(query).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const child = fs.readFileSync(file, 'utf8').trim();
    const stat = await host.readText(`/proc/${child}/stat`);
    expect(stat === undefined || / Z /.test(stat)).toBe(true);
  });

  test('a grandchild in a session of its own that keeps the pipe open does not hold us', async () => {
    const file = path.join(makePlace(), 'pid');
    const impatient = new LocalHost({ executeTimeoutMs: 3_000 });
    const execute = impatient.execute(['sh', '-c', `setsid sh -c 'echo $$ > ${file}; exec sleep 30' & sleep 30`]);
    await expect(execute).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    process.kill(Number(fs.readFileSync(file, 'utf8')));
  });
});

describe('start', () => {
  test('returns while the process runs, in a session of its own', async () => {
    const file = path.join(makePlace(), 'stat');
    await host.start(['sh', '-c', `cat /proc/self/stat > ${file}.new; mv ${file}.new ${file}; exec sleep 20`]);
    await expect.poll(() => fs.existsSync(file), { timeout: 10_000 }).toBe(true);
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
