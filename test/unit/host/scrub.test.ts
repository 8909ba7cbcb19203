import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostReader, QueryResult } from '../../../src/host/host.ts';
import type { Recording } from '../../../src/host/recording.ts';
import { RecordingHost } from '../../../src/host/recording.ts';
import { scrubRecording } from '../../../src/host/scrub.ts';
import { openSnapshot } from '../../../src/host/snapshot.ts';
import { writeSnapshot } from '../../../src/host/snapshot-write.ts';
import { makePlace } from './place.ts';

interface Machine {
  readonly files?: Readonly<Record<string, string>>;
  readonly lists?: Readonly<Record<string, readonly string[]>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly commands?: readonly (readonly [argv: readonly string[], stdout: string])[];
}

async function record({ files = {}, lists = {}, links = {}, commands = [] }: Machine): Promise<Recording> {
  const outputs = new Map(commands.map(([argv, stdout]) => [argv.join('\0'), stdout]));
  const reader: HostReader = {
    label: 'localhost',
    readText: async (file) => files[file],
    list: async (folder) => lists[folder],
    readLink: async (link) => links[link],
    query: async (argv): Promise<QueryResult> => {
      const stdout = outputs.get(argv.join('\0'));
      return stdout === undefined ? { found: false } : { found: true, exitCode: 0, stdout, stderr: '' };
    },
  };
  const recorder = new RecordingHost(reader);
  for (const file of Object.keys(files)) await recorder.readText(file);
  for (const folder of Object.keys(lists)) await recorder.list(folder);
  for (const link of Object.keys(links)) await recorder.readLink(link);
  for (const [argv] of commands) await recorder.query(argv);
  return recorder.finish();
}

/** Scrubs one text as the content of a file that has no meaning of its own. */
async function scrubText(text: string): Promise<string> {
  const { answers } = scrubRecording(await record({ files: { '/etc/notes': text } }));
  const answer = answers[0]?.answer;
  return answer !== undefined && 'value' in answer ? String(answer.value) : '';
}

describe('what has a form', () => {
  test.for([
    ['MAC address', '9c:69:b4:60:12:ab', /^02(:[0-9a-f]{2}){5}$/],
    ['MAC address in capitals with dashes', '9C-69-B4-60-12-AB', /^02(-[0-9A-F]{2}){5}$/],
    ['multicast MAC address', '33:33:ff:60:12:ab', /^03(:[0-9a-f]{2}){5}$/],
    ['InfiniBand address', `80:00:00:48:fe:80${':1a'.repeat(14)}`, /^02(:[0-9a-f]{2}){19}$/],
    ['name of an interface with its MAC address', 'enx9c69b46012ab', /^enx02[0-9a-f]{10}$/],
    ['PTP clock identity', '9c69b4.fffe.6012ab', /^02[0-9a-f]{4}\.fffe\.[0-9a-f]{6}$/],
    ['node GUID', 'b859:9f03:00aa:bbcc', /^([0-9a-f]{4}:){3}[0-9a-f]{4}$/],
    ['private IPv4 address', '10.120.3.17', /^10\.\d{3}\.\d\.\d\d$/],
    ['private IPv4 address with a prefix', '192.168.44.17/24', /^192\.168\.\d\d\.\d\d\/24$/],
    ['private IPv4 address of the middle range', '172.20.3.4', /^172\.(1[6-9]|2\d|3[01])\.\d\.\d$/],
    ['public IPv4 address', '203.0.113.77', /^\d{3}\.\d\.\d{3}\.\d\d$/],
    ['IPv6 address', '2001:db8:0:12::a5f', /^[0-9a-f]{4}:[0-9a-f]{3}:0:[0-9a-f]{2}::[0-9a-f]{3}$/],
    ['unique local IPv6 address', 'fd00:12::2', /^fd00:[0-9a-f]{2}::[0-9a-f]$/],
    ['link-local IPv6 address', 'fe80::9e69:b4ff:fe60:12ab', /^fe80::[0-9a-f]{4}:[0-9a-f]{4}:[0-9a-f]{4}:[0-9a-f]{4}$/],
    ['mapped IPv4 address', '::ffff:10.120.3.17', /^::ffff:10\.\d{3}\.\d\.\d\d$/],
    ['UUID', 'root=UUID=4D1E0f5c-1234-4abc-8def-001122334455', /^root=UUID=[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/],
    [
      'encrypted volume',
      'luks-4d1e0f5c-1234-4abc-8def-001122334455',
      /^luks-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    ],
    ['FAT volume id', 'UUID=7C1E-99AB /boot/efi', /^UUID=[0-9A-F]{4}-[0-9A-F]{4} \/boot\/efi$/],
    ['DOS partition id', 'PARTUUID=1a2b3c4d-01', /^PARTUUID=[0-9a-f]{8}-01$/],
    ['machine id', 'b08dfa6083e7567a1921a715000001fb-6.1.0.conf', /^[0-9a-f]{32}-6\.1\.0\.conf$/],
    ['range', '10.1.1.5-10.1.1.9', /^10\.\d\.\d\.\d-10\.\d\.\d\.\d$/],
    [
      'address of the kernel command line',
      'ip=10.0.7.5::10.0.7.1:255.255.255.0::eth0',
      /^ip=10\.0?\d?\.\d\.\d::10\.\d\.\d\.\d:255\.255\.255\.0::eth0$/,
    ],
  ] as const)('%s: %s', async ([, text, shape]) => {
    const scrubbed = await scrubText(text);
    expect(scrubbed).toMatch(shape);
    expect(scrubbed).not.toBe(text);
    expect(scrubbed.length).toBe(text.length);
  });

  test.for([
    '00:00:00:00:00:00',
    'ff:ff:ff:ff:ff:ff',
    '01:1b:19:00:00:00',
    '01:80:c2:00:00:0e',
    '127.0.0.1',
    '0.0.0.0',
    '255.255.254.0',
    '128.0.0.0',
    '::1',
    '::',
    'ff02::1',
    '0000:3b:00.0',
    '10:20:30',
    '0::/user.slice',
    '0-3,8-11',
    'ffffffff,00000fff',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.4a',
    '999.1.2.3',
    'firmware-version: 218.0.219.13/pkg 218.0.219.14',
    '"fw.mgmt": "20.8.4.1"',
    '00000000-0000-0000-0000-000000000000',
    '6.1.0-18-rt-amd64',
    'a:b:c:d',
    'v=fe',
    '2048 kB',
    '22.31.1014 (MT_0000000359)',
  ])('stays: %s', async (text) => {
    expect(await scrubText(text)).toBe(text);
  });

  test('an address after a version in one line is one', async () => {
    expect(await scrubText('{"driver":"igb","addr":"10.1.1.5"}')).not.toContain('10.1.1.5');
  });
});

const SECRETS = [
  '9c:69:b4:60:12:ab',
  '10.120.3.17',
  'box7',
  'firm.example',
  'MT2116X09299',
  '4d1e0f5c-1234-4abc-8def-001122334455',
];

const BOX7: Machine = {
  files: {
    '/proc/sys/kernel/hostname': 'box7.firm.example\n',
    '/sys/class/dmi/id/product_serial': 'MT2116X09299\n',
    '/sys/class/dmi/id/board_serial': 'Not Specified\n',
    '/sys/class/net/enx9c69b46012ab/address': '9c:69:b4:60:12:ab\n',
    '/proc/cmdline': 'root=UUID=4d1e0f5c-1234-4abc-8def-001122334455 ip=10.120.3.17 hostname=box7\n',
    '/etc/hosts': '127.0.0.1 localhost\n10.120.3.17 box7.firm.example box7\n10.120.3.18 feed-a.firm.example\n',
    '/etc/chrony/chrony.conf': 'server clock1.firm.example iburst\n',
    '/proc/net/route':
      'Iface\tDestination\tGateway\tFlags\neth0\t00000000\t0103780A\t0003\neth0\t0003780A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n',
    '/proc/net/tcp': '   0: 1103780A:0016 1203780A:C350 01 00000000:00000000\n',
    '/proc/net/tcp6': '   0: 0000000000000000FFFF00001103780A:0016 0000000000000000FFFF00001203780A:C350 01\n',
  },
  lists: { '/sys/class/net': ['enx9c69b46012ab', 'eth0', 'lo'] },
  links: { '/sys/class/net/eth0': '../../devices/enx9c69b46012ab' },
  commands: [
    [['uname', '-n'], 'box7.firm.example\n'],
    [['ethtool', '-P', 'enx9c69b46012ab'], 'Permanent address: 9c:69:b4:60:12:ab\n'],
    [['ip', 'route'], 'default via 10.120.3.1 dev eth0\n10.120.3.0/24 dev eth0 src 10.120.3.17\n'],
    [['lspci', '-vvv'], '[SN] Serial number: MT2116X09299\n'],
  ],
};

describe('a whole machine', () => {
  test('nothing of it is left, in contents, names, targets, commands and outputs; the snapshot still opens', async () => {
    const scrubbed = scrubRecording(await record(BOX7));
    const file = path.join(makePlace(), 's.tar.gz');
    await writeSnapshot(scrubbed, file);
    const everything = JSON.stringify([...scrubbed.links, scrubbed.answers, scrubbed.commands]);
    for (const secret of [...SECRETS, '9c69b46012ab', 'feed-a', 'clock1', '1103780A', '1203780A'])
      expect(everything).not.toContain(secret);
    expect(everything).toContain('Not Specified');
    const snapshot = await openSnapshot(file);
    const [name = ''] = (await snapshot.list('/sys/class/net')) ?? [];
    expect(name).toMatch(/^enx02[0-9a-f]{10}$/);
    const address = await snapshot.readText(`/sys/class/net/${name}/address`);
    expect(address?.trim().replaceAll(':', '')).toBe(name.slice(3));
    expect(await snapshot.query(['ethtool', '-P', name])).toMatchObject({ stdout: `Permanent address: ${address}` });
    expect(await snapshot.readLink('/sys/class/net/eth0')).toBe(`../../devices/${name}`);
    expect(fs.statSync(file).size).toBeGreaterThan(100);
  });

  test('the same thing has the same pseudonym in every notation, and networks still fit together', async () => {
    const { answers, commands } = scrubRecording(await record(BOX7));
    const text = (file: string) => {
      const answer = answers.find((each) => each.path === file)?.answer;
      return answer !== undefined && 'value' in answer ? String(answer.value) : '';
    };
    const own = /ip=([\d.]+) /.exec(text('/proc/cmdline'))?.[1] ?? '';
    const hex = own
      .split('.')
      .map((octet) => Number(octet).toString(16).padStart(2, '0').toUpperCase())
      .reverse()
      .join('');
    expect(text('/proc/net/tcp')).toMatch(new RegExp(`^   0: ${hex}:0016 `));
    expect(text('/proc/net/tcp6')).toMatch(new RegExp(`^   0: 0{16}FFFF0000${hex}:0016 `));
    expect(text('/etc/hosts')).toContain(`127.0.0.1 localhost\n${own} `);
    const prefix = own.slice(0, own.lastIndexOf('.'));
    const route = commands.find(({ argv }) => argv[0] === 'ip')?.answer;
    expect(route).toMatchObject({
      stdout: expect.stringMatching(
        new RegExp(`^default via ${prefix}\\.\\d dev eth0\n${prefix}\\.0/24 dev eth0 src ${own}\n$`),
      ),
    });
    expect(text('/proc/net/route')).toMatch(/\t0003\neth0\t00[0-9A-F]{6}\t00000000\t0001\t0\t0\t0\t00FFFFFF\n$/);
    const hostname = text('/proc/sys/kernel/hostname').trim();
    expect(hostname).toMatch(/^[a-z]{3}\d\.[a-z]{4}\.[a-z]{7}$/);
    expect(commands.find(({ argv }) => argv[0] === 'uname')?.answer).toMatchObject({ stdout: `${hostname}\n` });
  });

  test('a host called like a file of the kernel: its name goes, the file stays', async () => {
    const scrubbed = scrubRecording(
      await record({
        files: {
          '/proc/sys/kernel/hostname': 'vm\n',
          '/proc/sys/vm/swappiness': '0\n',
          '/etc/notes': 'vm.swappiness = 0\n',
        },
        commands: [[['uname', '-a'], 'Linux vm 6.1.0\n']],
      }),
    );
    const answers = new Map(
      scrubbed.answers.map(({ path: file, answer }) => [file, 'value' in answer ? answer.value : undefined]),
    );
    expect(answers.get('/proc/sys/vm/swappiness')).toBe('0\n');
    expect(answers.get('/etc/notes')).toBe('vm.swappiness = 0\n');
    expect(answers.get('/proc/sys/kernel/hostname')).toMatch(/^[a-z]{2}\n$/);
    expect(answers.get('/proc/sys/kernel/hostname')).not.toBe('vm\n');
    expect(scrubbed.commands[0]?.answer).toMatchObject({
      stdout: `Linux ${String(answers.get('/proc/sys/kernel/hostname')).trim()} 6.1.0\n`,
    });
  });
});

describe('any address', () => {
  const one = <T>(arbitrary: fc.Arbitrary<T>) => fc.uniqueArray(arbitrary, { minLength: 1, maxLength: 8 });
  const mac = fc
    .uint8Array({ minLength: 6, maxLength: 6 })
    .map((bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':'));

  test.for([
    ['MAC', mac],
    ['IPv4', fc.ipV4()],
    ['IPv6', fc.ipV6()],
    ['UUID', fc.uuid()],
  ] as const)('%s: different ones stay different, lengths stay, twice is the same', async ([, arbitrary]) => {
    await fc.assert(
      fc.asyncProperty(one(arbitrary as fc.Arbitrary<string>), async (list) => {
        const scrubbed = (await scrubText([...list, ...list].join(' \n'))).split(' \n');
        expect(scrubbed.map(({ length }) => length)).toEqual([...list, ...list].map(({ length }) => length));
        expect(scrubbed.slice(0, list.length)).toEqual(scrubbed.slice(list.length));
        const spelling = new Set(list.map((each) => each.toLowerCase()));
        expect(new Set(scrubbed.map((each) => each.toLowerCase())).size).toBe(spelling.size);
      }),
      { numRuns: 80 },
    );
  });

  test('text without any form is never changed', async () => {
    const word = fc.constantFrom(
      'cpu',
      '0-3',
      '1500',
      'up',
      '\n',
      ' ',
      '0x1f',
      '64',
      'mlx5_core',
      '[always]',
      '0000:3b:00.0',
      ':',
      '-',
      '.',
      '/',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 30 }), async (words) => {
        const text = words.join(' ');
        expect(await scrubText(text)).toBe(text);
      }),
    );
  });
});
