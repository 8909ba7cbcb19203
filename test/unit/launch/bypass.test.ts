import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeBypass } from '../../../src/launch/bypass.ts';
import { type BypassFacts, isLibrary, parseLinkerCache } from '../../../src/launch/bypass-facts.ts';
import { judgeBypass } from '../../../src/launch/judge-bypass.ts';
import { type BypassLook, findMapped, listInodes } from '../../../src/launch/look-bypass.ts';
import type { PlacedProcess } from '../../../src/launch/placement.ts';
import { parseProgramFile } from '../../../src/launch/program-file.ts';
import { launchUnits } from '../../../src/launch/units.ts';
import { buildMachine } from '../../machine-builder.ts';
import { load, mistakesOf, NOTHING_MISSING, place, withRoles } from './placing.ts';

const HEAD = execFileSync('od', ['-An', '-v', '-tx1', '-N', '4096', '/bin/sleep'], { encoding: 'utf8' });

describe('the head of a program', () => {
  test('of this machine', () => {
    expect(parseProgramFile(HEAD)).toMatchObject({ kind: 'elf', bits: 64, isDynamic: true });
  });

  test('a script, with and without an argument of its interpreter', () => {
    const dump = (text: string) => Buffer.from(text).toString('hex').replaceAll(/../g, '$& ');
    expect(parseProgramFile(dump('#!/bin/sh\nexit\n'))).toEqual({ kind: 'script', interpreter: '/bin/sh' });
    expect(parseProgramFile(dump('#! /usr/bin/env python3\n'))).toEqual({
      kind: 'script',
      interpreter: '/usr/bin/env',
    });
    expect(parseProgramFile(dump('#!/bin/sh'))).toBeUndefined();
    expect(parseProgramFile(dump('hello\n'))).toEqual({ kind: 'other' });
  });

  test('cut anywhere it is dynamic only while its headers are whole, and garbage is never an ELF file', () => {
    const words = HEAD.trim().split(/\s+/);
    const whole = parseProgramFile(HEAD);
    for (let length = 0; length < 1200; length += 7) {
      const cut = parseProgramFile(words.slice(0, length).join(' '));
      expect([undefined, 'other', whole?.kind]).toContain(cut?.kind);
      if (cut?.kind === 'elf') expect(cut).toEqual(whole);
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseProgramFile(text)?.kind).not.toBe('elf');
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const head = Buffer.concat([Buffer.from('7f454c46', 'hex'), bytes])
          .toString('hex')
          .replaceAll(/../g, '$& ');
        parseProgramFile(head);
      }),
    );
  });
});

const MAPS = `55e0a0000000-55e0a0002000 r--p 00000000 08:01 100                        /usr/bin/md
7f00a0000000-7f00a0021000 rw-p 00000000 00:00 0 
7f00b0000000-7f00b0010000 r--p 00000000 08:01 200                        /usr/lib/libvma.so.9.2.2
7f00b0010000-7f00b0090000 r-xp 00010000 08:01 200                        /usr/lib/libvma.so.9.2.2
7ffd10000000-7ffd10021000 rw-p 00000000 00:00 0                          [stack]
`;

describe('what is mapped', () => {
  test.each([
    ['its code is', MAPS, '/usr/lib/libvma.so.9.2.2'],
    ['of a file that was replaced since', MAPS.replace(/(r-xp.*)\n/, '$1 (deleted)\n'), '/usr/lib/libvma.so.9.2.2'],
    ['only as data', MAPS.replace('r-xp', 'r--p'), null],
    ['another library of a like name', MAPS.replaceAll('libvma.so.9.2.2', 'libvmatch.so'), null],
    ['a folder of its name', MAPS.replaceAll('/usr/lib/libvma.so.9.2.2', '/opt/libvma.so.9/other.so'), null],
    ['nothing could be read', undefined, undefined],
    ['a thread that ended has no memory', '', undefined],
  ])('%s', (_what, text, expected) => {
    expect(findMapped(text, 'vma')).toBe(expected);
  });

  test('no text but a mapping of its code is one', () => {
    expect(findMapped(MAPS, 'onload')).toBeNull();
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        expect(findMapped(text, 'vma')).toBeNull();
      }),
    );
    for (let length = 1; length < MAPS.length; length++) {
      expect([
        null,
        '/usr/lib/libvma.so.9.2.2',
        '/usr/lib/libvma.so.9',
        '/usr/lib/libvma.so',
        '/usr/lib/libvma.so.9.2',
      ]).toContain(findMapped(MAPS.slice(0, length), 'vma'));
    }
  });

  test('names of the libraries', () => {
    expect(isLibrary('onload', '/usr/lib64/libonload.so')).toBe(true);
    expect(isLibrary('onload', '/usr/lib64/libonload_ext.so.2')).toBe(false);
    expect(isLibrary('vma', '/lib/libvma.so.9')).toBe(true);
  });

  test('the cache of the dynamic linker', () => {
    const text =
      "2 libs found in cache `/etc/ld.so.cache'\n\tlibvma.so.9 (libc6,x86-64) => /lib/libvma.so.9\n\tbroken\n";
    expect(parseLinkerCache(text)).toEqual(['/lib/libvma.so.9']);
  });

  test('inodes of sockets', () => {
    const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0
   1: 0100007F:1F91 0100007F:1F90 06 00000000:00000000 03:00000ABC 00000000     0        0 0 3 0
  cut: 1
`;
    expect(listInodes(text)).toEqual(['4242']);
  });
});

const PLACED: PlacedProcess = {
  name: 'md',
  why: undefined,
  own: [],
  idle: [],
  rest: [0],
  threads: [],
  memory: { policy: 'default', nodes: [], lock: false, hugepages: {}, why: '' },
  bypass: { library: 'onload', path: '/usr/lib64/libonload.so', prefix: [] },
};

function judge(bypass: BypassLook | undefined, placed = PLACED): string[] {
  const process = { pid: 7, threads: [], nodes: undefined, ...(bypass && { bypass }) };
  const looks = [{ atMs: 0, process }];
  return judgeBypass({ placed, pid: 7, looks }).map(({ id, status }) => `${id.slice('processes.'.length)} ${status}`);
}

describe('the answer', () => {
  const mapped = '/usr/lib64/libonload.so';
  const files = (accelerated: string[], kernelSockets: number | undefined) => ({ accelerated, kernelSockets });
  test.each<[string, BypassLook | undefined, string[]]>([
    ['nobody looked', undefined, ['bypass@md unknown']],
    ['maps cannot be read', { mapped: undefined, files: files(['onload:[tcp:1:2]'], 0) }, ['bypass@md unknown']],
    ['not mapped, whatever else there is', { mapped: null, files: files(['onload:[tcp:1:2]'], 0) }, ['bypass@md fail']],
    ['mapped, nobody asked for sockets', { mapped, files: undefined }, ['bypass@md pass']],
    ['mapped, without sockets', { mapped, files: files([], 0) }, ['bypass@md pass']],
    ['mapped, sockets of the kernel', { mapped, files: files([], 2) }, ['bypass@md pass', 'accelerated@md fail']],
    ['tables cannot be read', { mapped, files: files([], undefined) }, ['bypass@md pass', 'accelerated@md unknown']],
    ['its own sockets', { mapped, files: files(['onload:[tcp:1:2]'], 2) }, ['bypass@md pass', 'accelerated@md pass']],
  ])('%s', (_what, look, expected) => {
    expect(judge(look)).toEqual(expected);
  });

  test('nothing of a process that asked for none', () => {
    const { bypass: _, ...plain } = PLACED;
    expect(judge({ mapped: null, files: undefined }, plain)).toEqual([]);
  });
});

const FACTS: BypassFacts = {
  program: { path: '/opt/md', file: { kind: 'elf', bits: 64, machine: 62, isDynamic: true } },
  secure: undefined,
  isSecureKnown: true,
  library: '/usr/lib64/libonload.so',
  lookedIn: 'ldconfig -p',
  wrapper: 'there',
  hasModule: true,
};

describe('a deployment', () => {
  const machine = withRoles(buildMachine({}));
  const missing = async (bypass: string, facts: Partial<BypassFacts>) => {
    const deployment = await load(`processes:\n  md:\n    command: [/opt/md]\n    bypass: ${bypass}\n`);
    const all = {
      ...NOTHING_MISSING,
      programs: { '/opt/md': 'there' as const },
      bypass: { md: { ...FACTS, ...facts } },
    };
    return place(deployment, machine, all).missing.map(({ message }) => message);
  };

  test('what would keep Onload from working', async () => {
    expect(await missing('onload', {})).toEqual([]);
    expect(await missing('onload', { hasModule: false })).toEqual([
      'processes.md.bypass: the kernel module onload is not loaded (/sys/module/onload)',
    ]);
    expect(await missing('onload', { wrapper: 'missing' })).toEqual([
      'processes.md.bypass: there is no /usr/bin/onload',
    ]);
    expect(await missing('onload', { secure: '/opt/md has file capabilities (cap_net_raw=ep)' })).toEqual([
      'processes.md.bypass: /opt/md has file capabilities (cap_net_raw=ep): the dynamic linker ignores LD_PRELOAD there (ld.so(8), secure-execution mode)',
    ]);
  });

  test('what comes before the command', () => {
    const bypass = { library: 'onload', profile: 'latency-best' } as const;
    expect(placeBypass({ bypass, environment: {} }, FACTS, [0])?.prefix).toEqual([
      '/usr/bin/onload',
      '--profile=latency-best',
    ]);
    const environment = { LD_PRELOAD: '/lib/libjemalloc.so.2', VMA_INTERNAL_THREAD_AFFINITY: '4' };
    expect(
      placeBypass({ bypass: { library: 'vma' }, environment }, { ...FACTS, library: '/l/libvma.so.9' }, [2])?.prefix,
    ).toEqual(['/usr/bin/env', 'LD_PRELOAD=/l/libvma.so.9:/lib/libjemalloc.so.2']);
    expect(placeBypass({ bypass, environment: {} }, { ...FACTS, library: null }, [0])).toBeUndefined();
  });

  test('its service starts it so', async () => {
    const text = 'processes:\n  md:\n    command: [/opt/md]\n    bypass: { library: vma, profile: latency }\n';
    const deployment = await load(text);
    const facts = { ...NOTHING_MISSING, bypass: { md: { ...FACTS, library: '/l/libvma.so.9' } } };
    const units = launchUnits({
      deployment,
      placement: place(deployment, machine, facts),
      names: ['md'],
      environmentFiles: {},
      isTuned: true,
      probe: '/p',
      command: '/hft',
      run: '/run/hft/launch',
      state: '/var/lib/hft',
      housekeeping: [0],
    });
    const service = units.find(({ path }) => path.endsWith('/hft-trading-md.service'))?.text;
    expect(service).toContain(
      'ExecStart=/usr/bin/env LD_PRELOAD=/l/libvma.so.9 VMA_SPEC=latency VMA_INTERNAL_THREAD_AFFINITY=0 /opt/md\n',
    );
  });

  test('keys that stand against each other', async () => {
    const process = { bypass: { library: 'vma', profile: 'latency' }, environment: { VMA_SPEC: 'latency' } };
    const both = JSON.stringify({ processes: { md: { command: ['/opt/md'], ...process } } });
    expect(await mistakesOf(() => load(both))).toContain(
      'processes.md.environment.VMA_SPEC: bypass.profile says it too',
    );
    const path = JSON.stringify({
      processes: { md: { command: ['/opt/md'], bypass: { library: 'onload', path: '/x' } } },
    });
    expect(await mistakesOf(() => load(path))).toContain('the onload command finds its library itself');
    const wrong = JSON.stringify({ processes: { md: { command: ['/opt/md'], bypass: 'dpdk' } } });
    expect(await mistakesOf(() => load(wrong))).toContain('expected onload, vma, or a map');
  });
});
