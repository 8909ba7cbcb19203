import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { limitHosts } from '../../../src/fleet/inventory/limit.ts';
import { loadInventory } from '../../../src/fleet/inventory/load.ts';
import { LocalHost } from '../../../src/host/local.ts';
import { hasAnsible, limitByAnsible, listByAnsible, listOurs } from './ansible.ts';
import { makeInventory, makeYaml } from './made-up.ts';

const FIXTURES = join(import.meta.dirname, 'inventories');
const folder = mkdtempSync(join(tmpdir(), 'hft-inventory-'));
const TIME_LIMIT_MS = 240_000;

async function ours(file: string) {
  return listOurs(await loadInventory(new LocalHost(), [file]));
}

async function limitOurs(file: string, limit: string): Promise<readonly string[] | null> {
  const inventory = await loadInventory(new LocalHost(), [file]);
  try {
    return limitHosts(inventory, limit);
  } catch {
    return null;
  }
}

if (!hasAnsible)
  console.log('Ansible is not installed here: inventories are not compared with it (apt-get install ansible-core).');

describe.skipIf(!hasAnsible)('as Ansible reads it', { timeout: TIME_LIMIT_MS }, () => {
  test.each(readdirSync(FIXTURES).filter((name) => /\.(ini|ya?ml)$|^hosts/.test(name)))('%s', async (name) => {
    const file = join(FIXTURES, name);
    expect(await ours(file)).toEqual(listByAnsible(file));
  });

  test.each(['singapore', 'tokyo', 'us-east'])('ansible/inventory/%s.ini', async (name) => {
    const file = join(import.meta.dirname, `../../../ansible/inventory/${name}.ini`);
    expect(await ours(file)).toEqual(listByAnsible(file));
  });

  test.each(Array.from({ length: 12 }, (_, seed) => seed))('made up %i', async (seed) => {
    const file = join(folder, `made-up-${seed}.ini`);
    writeFileSync(file, makeInventory(seed));
    const theirs = listByAnsible(file);
    expect(theirs).toBeDefined();
    expect(await ours(file)).toEqual(theirs);
  });

  test.each(Array.from({ length: 6 }, (_, seed) => seed))('made up in YAML %i', async (seed) => {
    const file = join(folder, `made-up-${seed}.yml`);
    writeFileSync(file, makeYaml(seed));
    const theirs = listByAnsible(file);
    expect(theirs).toBeDefined();
    expect(await ours(file)).toEqual(theirs);
  });

  test('group_vars and host_vars beside it', async () => {
    const beside = mkdtempSync(join(tmpdir(), 'hft-vars-'));
    const file = join(beside, 'hosts');
    writeFileSync(file, 'db1 port=1\n[web]\nweb[1:2] level=host\n[web:vars]\nlevel=group\nport=2\n');
    mkdirSync(join(beside, 'group_vars/web'), { recursive: true });
    mkdirSync(join(beside, 'host_vars'));
    writeFileSync(join(beside, 'group_vars/all.yml'), 'port: 3\nsite: tokyo\n');
    writeFileSync(join(beside, 'group_vars/web/a.yml'), 'port: 4\nrack: 12\n');
    writeFileSync(join(beside, 'group_vars/web/b.yaml'), 'rack: 13\n');
    writeFileSync(join(beside, 'group_vars/web/c.txt'), 'rack: 14\n');
    writeFileSync(join(beside, 'host_vars/web2.json'), '{"level": "file"}');
    const theirs = listByAnsible(file);
    expect(theirs?.hostvars.web2).toMatchObject({ level: 'file', rack: 13, port: 4, site: 'tokyo' });
    expect(await ours(file)).toEqual(theirs);
  });
});

/** Each names something that is there, and leaves something: where Ansible warns of a name that is not, hft refuses. */
const LIMITS = [
  ...[
    'all',
    'web',
    'web01',
    'web*',
    '*',
    'prod',
    'ungrouped',
    'w?b01',
    'web0[12]*',
    'web0[!12]',
    '~web\\d[13]$',
    '~(web|db)',
  ],
  ...['web:db', 'web,db', 'web:&prod', 'web:!web02', '!web', '&prod', 'web*:&prod:!web03', '!web02:web', '&prod:web'],
  ...[
    'web[0]',
    'web[-1]',
    'web[0:2]',
    'web[1:]',
    'web[2:0]',
    'prod[1]',
    'web*[0]',
    'web[0],db[0]',
    'web[0]:db[0]',
    'web[0:1]:&prod',
  ],
  ...[
    '10.0.0.7',
    '2001:db8::7',
    '*.example.com',
    'lone.example.com',
    'all:!prod',
    'prod:!web[0]',
    'web01:web02',
    'db*:web*',
  ],
];

describe.skipIf(!hasAnsible)('--limit as Ansible reads it', { timeout: TIME_LIMIT_MS }, () => {
  const file = join(FIXTURES, 'limits.ini');
  const theirs = hasAnsible ? limitByAnsible(file, LIMITS) : [];

  test.each(LIMITS.map((limit, index) => [limit, index] as const))('%s', async (limit, index) => {
    expect(theirs[index]?.length).toBeGreaterThan(0);
    expect(await limitOurs(file, limit)).toEqual(theirs[index]);
  });
});
