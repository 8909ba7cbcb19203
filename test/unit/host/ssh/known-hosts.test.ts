import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KnownHosts } from '../../../../src/host/ssh/known-hosts.ts';

const key = (name: string) => Buffer.from(`\0\0\0\x0bssh-ed25519${name}`);
const line = (hosts: string, of: string, type = 'ssh-ed25519') => `${hosts} ${type} ${key(of).toString('base64')}\n`;
const judge = (text: string, of: string, host = { name: 'box7', port: 22 }) =>
  new KnownHosts([text], host).judge(key(of));

describe('known hosts', () => {
  test.each([
    ['a name', line('box7', 'a'), 'known'],
    ['one of several names', line('other,box7,10.1.0.7', 'a'), 'known'],
    ['a name in capitals', line('BOX7', 'a'), 'known'],
    ['a pattern', line('box?,web*', 'a'), 'known'],
    ['a pattern that leaves it out', line('box*,!box7', 'a'), 'unknown'],
    ['a point that is none of a regular expression', line('b.x7', 'a'), 'unknown'],
    ['another name', line('box8', 'a'), 'unknown'],
    ['nothing', '', 'unknown'],
    ['a comment', `# ${line('box7', 'a')}`, 'unknown'],
    ['another key', line('box7', 'b'), 'changed'],
    ['one of two keys', line('box7', 'b', 'ssh-rsa') + line('box7', 'a'), 'known'],
    ['a revoked key', `${line('box7', 'a')}@revoked ${line('*', 'a')}`, 'revoked'],
    ['another key that is revoked', `${line('box7', 'a')}@revoked ${line('*', 'b')}`, 'known'],
    ['an authority alone', `@cert-authority ${line('*', 'a')}`, 'unknown'],
    ['an unknown marker', `@other ${line('box7', 'a')}`, 'unknown'],
    ['a line that was cut', 'box7 ssh-ed25519', 'unknown'],
  ])('%s', (_, text, expected) => {
    expect(judge(text, 'a')).toBe(expected);
  });

  test('another port has its own name, and else that of the host', () => {
    const host = { name: 'box7', port: 2222 };
    expect(judge(line('[box7]:2222', 'a'), 'a', host)).toBe('known');
    expect(judge(line('box7', 'a'), 'a', host)).toBe('known');
    expect(judge(line('[box7]:2222', 'b') + line('box7', 'a'), 'a', host)).toBe('changed');
    expect(judge(line('[box7]:2222', 'a'), 'a')).toBe('unknown');
    expect(judge(`${line('[box7]:2222', 'a')}@revoked ${line('box7', 'a')}`, 'a', host)).toBe('revoked');
  });

  test('types of keys, and whether an authority is known', () => {
    const known = new KnownHosts(
      [line('box7', 'a'), line('box7', 'b', 'ssh-rsa'), line('box8', 'c', 'ecdsa-sha2-nistp256')],
      {
        name: 'box7',
        port: 22,
      },
    );
    expect([known.types, known.hasAuthority]).toEqual([['ssh-ed25519', 'ssh-rsa'], false]);
    expect(new KnownHosts([`@cert-authority ${line('box*', 'a')}`], { name: 'box7', port: 22 }).hasAuthority).toBe(
      true,
    );
  });

  test('hashed names are found as ssh-keygen finds them', () => {
    expect(spawnSync('which', ['ssh-keygen']).status, 'Debian: openssh-client').toBe(0);
    const folder = mkdtempSync(join(tmpdir(), 'hft-known-'));
    const file = join(folder, 'known_hosts');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
    const [type = '', text = ''] = readFileSync(join(folder, 'key.pub'), 'utf8').split(' ');
    writeFileSync(file, ['box7', '[box7]:2222', '10.1.0.7'].map((name) => `${name} ${type} ${text}\n`).join(''));
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
    const hashed = readFileSync(file, 'utf8');
    expect(hashed).not.toContain('box7');
    for (const [name, port] of [
      ['box7', 22],
      ['box7', 2222],
      ['10.1.0.7', 22],
      ['box8', 22],
      ['box7', 2223],
    ] as const) {
      const asked = port === 22 ? name : `[${name}]:${port}`;
      const bySsh = spawnSync('ssh-keygen', ['-F', asked, '-f', file]).status === 0 || (port !== 22 && name === 'box7');
      const found = new KnownHosts([hashed], { name, port }).judge(Buffer.from(text, 'base64')) === 'known';
      expect([asked, found]).toEqual([asked, bySsh]);
    }
  });
});
