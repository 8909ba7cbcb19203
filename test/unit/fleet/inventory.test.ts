import { describe, expect, test } from 'vitest';
import { limitHosts } from '../../../src/fleet/inventory/limit.ts';
import { loadInventory } from '../../../src/fleet/inventory/load.ts';
import { agentOfHost } from '../../../src/fleet/inventory/target.ts';

/** What is in the named files of a folder. */
function readerOf(files: Readonly<Record<string, string>>) {
  return {
    readText: async (path: string) => files[path],
    list: async () => undefined,
  };
}

const load = (text: string, file = 'hosts.ini') => loadInventory(readerOf({ [file]: text }), [file]);

describe('a mistake has its place', () => {
  test.each([
    ['web\n[web', 'hosts.ini:2  a bracket is open'],
    ['[a b]', 'hosts.ini:1  expected [GROUP], [GROUP:children] or [GROUP:vars], without spaces, got [a b]'],
    ['[web:child]\n', 'hosts.ini:1  [web:child]: expected children, vars or hosts behind the colon'],
    ['a\n[web:children]\nnone\n', 'hosts.ini:3  [web:children]: there is no group none'],
    ['a\n\n[web:vars]\nx=1\n', 'hosts.ini:3  [web:vars]: there is no group web'],
    ['a b\n', 'hosts.ini:1  expected KEY=VALUE behind the name of a host, got "b"'],
    ['a\n[all:vars]\nx\n', 'hosts.ini:3  expected KEY=VALUE in [all:vars], got "x"'],
    ['a x="open\n', 'hosts.ini:1  " is not closed'],
    ['web[1:3\n', 'hosts.ini:1  a bracket is open: expected [FIRST:LAST] or [FIRST:LAST:STEP]'],
    ['web[3:1]\n', 'hosts.ini:1  [3:1]: the first one is behind the last one'],
    ['web[01:100]\n', 'hosts.ini:1  [01:100]: with leading zeros both ends have as many digits'],
    ['web[1:9:0]\n', 'hosts.ini:1  [1:9:0]: expected a step of at least 1, got "0"'],
    ['web[a:9]\n', 'hosts.ini:1  [a:9]: expected two numbers or two letters'],
    ['web[1:9999999999]\n', 'hosts.ini:1  stands for 9999999999 hosts, more than 100000'],
    ['web[1:999]x[1:999]\n', 'hosts.ini:1  stands for 998001 hosts, more than 100000'],
    ['web:\n', 'hosts.ini:1  web: expected a port behind the colon'],
    ['[a:children]\nb\n[b:children]\nc\n[c:children]\na\n', 'hosts.ini:6  '],
    ['[a:children]\na\n', 'hosts.ini:2  a is a child of itself'],
  ])('%j', async (text, message) => {
    await expect(load(text)).rejects.toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ['all:\n  host:\n    a:\n', 'hosts.yml:2:3  all.host: a group has `hosts`, `children` and `vars` alone'],
    ['all:\n  hosts: [a, b]\n', 'hosts.yml:2:3  hosts: expected a map, with a colon behind each name, not a list'],
    ['all:\n  hosts:\n    7:\n', 'hosts.yml:3:5  expected text for a name, got 7'],
    ['all:\n  hosts:\n    a: 1\n', 'hosts.yml:3:5  a: expected the variables of the host'],
    ['- a\n', 'hosts.yml:1:1  expected groups with `hosts`, `children` and `vars`'],
    ['', 'hosts.yml:1:1  expected groups'],
    ['all: {hosts: {a:\n', 'hosts.yml:1:17  is not YAML'],
    ['all: {hosts: {"web[3:1]": }}\n', 'hosts.yml:1:15  [3:1]: the first one is behind the last one'],
    ['a: {children: {b: {children: {a: }}}}\n', 'hosts.yml:1:16  b is below a, and a below b'],
    ['all: 7\n', 'hosts.yml:1:1  all: expected `hosts`, `children` or `vars` in a group'],
  ])('%j', async (text, message) => {
    await expect(load(text, 'hosts.yml')).rejects.toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }),
    );
  });

  test('YAML that unfolds without an end', async () => {
    const levels = Array.from({ length: 30 }, (_, level) => {
      const below = level === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ');
      return `    a${level}: &a${level} [${below}]`;
    });
    await expect(load(`all:\n  hosts:\n    box:\n  vars:\n${levels.join('\n')}\n`, 'hosts.yml')).rejects.toThrow();
  });

  test.each([
    ['', 'there is no host in it'],
    ['#!/bin/sh\necho\n', 'is a script, and hft runs none'],
  ])('no inventory: %j', async (text, message) => {
    await expect(load(text)).rejects.toThrow(message);
  });

  test('no file', async () => {
    await expect(loadInventory(readerOf({}), ['none.ini'])).rejects.toThrow('There is no inventory none.ini.');
  });
});

describe('--limit refuses what matches nothing', () => {
  test.each([
    ['wbe', '--limit: there is no host and no group wbe.'],
    ['all:!web9', '--limit: there is no host and no group web9.'],
    ['web:&bd', '--limit: there is no host and no group bd.'],
    ['web[5]', '--limit: web[5]: there are 2 of web.'],
    ['web:!web', '--limit web:!web: leaves none of the 3 hosts.'],
    ['~(', '--limit: ~( is no pattern that can be read.'],
  ])('%s', async (limit, message) => {
    const inventory = await load('[web]\nweb1\nweb2\n[db]\ndb1\n');
    expect(() => limitHosts(inventory, limit)).toThrow(expect.objectContaining({ exitCode: 2, message }));
  });
});

test('files are one inventory', async () => {
  const reader = readerOf({ 'a.ini': '[web]\na\n', 'b.ini': '[web]\nb\n' });
  expect(limitHosts(await loadInventory(reader, ['a.ini', 'b.ini']), 'web')).toEqual(['a', 'b']);
});

test('a whole datacentre is read and limited in the time of a blink', async () => {
  const inventory = await load('[dc]\nrack[001:500]-node[01:20]\n[dc:vars]\nsite=tokyo\n');
  expect(limitHosts(inventory, 'dc:!rack00*').length).toBe(9_820);
});

describe('where the agent is', () => {
  const of = async (vars: string) => agentOfHost(await load(`box ${vars}\n`), 'box');

  test('by the name, by where Ansible goes, by what hft is told', async () => {
    expect(await of('')).toEqual({ name: 'box', address: 'box', port: undefined, keys: [] });
    expect(await of('ansible_host=10.0.0.1 ansible_port=22')).toMatchObject({ address: '10.0.0.1', port: undefined });
    expect(await of('ansible_host=10.0.0.1 hft_agent_host=10.1.0.1 hft_agent_port=7500')).toMatchObject({
      address: '10.1.0.1',
      port: 7500,
    });
    expect(await of('hft_agent_key=hftpub_a')).toMatchObject({ keys: ['hftpub_a'] });
    expect(await of(`hft_agent_key="['hftpub_a', 'hftpub_b']"`)).toMatchObject({ keys: ['hftpub_a', 'hftpub_b'] });
  });

  test.each([
    ['hft_agent_port=0', 'box: hft_agent_port: expected a port, 1 to 65535, got 0.'],
    [
      'hft_agent_key=hftkey_x',
      'box: hft_agent_key: expected a public key (hftpub_…), or a list of them, got a secret key.',
    ],
    ['ansible_host="{{ ip }}"', 'box: ansible_host: templates are not read here: {{ ip }}.'],
    ['ansible_host="a b"', 'box: ansible_host: expected the name or address of a host, got "a b".'],
  ])('%s', async (vars, message) => {
    await expect(of(vars)).rejects.toThrow(message);
  });
});
