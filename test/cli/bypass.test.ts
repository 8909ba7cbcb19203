import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Launched, REFERENCE } from './launched.ts';
import { buildWhenStale } from './run-hft.ts';

const TIME_LIMIT_MS = 180_000;
const SLEEP = '/usr/bin/sleep';
let folder: string;
/** Stands in for VMA: a library of its name that does nothing. */
let library: string;
/** One that the dynamic linker does not take: made for another system (EI_OSABI). */
let broken: string;

beforeAll(() => {
  buildWhenStale();
  folder = mkdtempSync(join(tmpdir(), 'hft-bypass-'));
  const compile = (to: string) => {
    execFileSync('gcc', ['-shared', '-fPIC', '-x', 'c', '-', '-o', to], { input: 'int stands_in = 1;\n' });
    return to;
  };
  library = compile(join(folder, 'libvma.so.9'));
  broken = compile(join(folder, 'libvma.so'));
  const bytes = readFileSync(broken);
  bytes[7] = 0xff;
  writeFileSync(broken, bytes);
}, TIME_LIMIT_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Result {
  readonly id: string;
  readonly status: string;
  readonly actual: string | null;
  readonly evidence: string;
}

async function verify(here: Launched): Promise<Record<string, Result>> {
  const { stdout } = await here.hft('verify processes --duration 1s --json');
  const { results } = JSON.parse(stdout) as { results: Result[] };
  return Object.fromEntries(results.map((result) => [result.id, result]));
}

function deployment(command: readonly string[], bypass: object | string): string {
  return JSON.stringify({ processes: { md: { command, bypass } } });
}

describe('a process behind a library', { timeout: TIME_LIMIT_MS }, () => {
  test('it is mapped, in what an interpreter runs too; sockets that the kernel has all the same are a failure', async () => {
    const here = new Launched();
    const script = join(folder, 'start.sh');
    writeFileSync(script, `#!/bin/sh\nexec ${SLEEP} 1000000\n`);
    chmodSync(script, 0o755);
    const listens = 'require("node:net").createServer().listen(0, "127.0.0.1")';
    const bypass = { library: 'vma', path: library, profile: 'latency' };
    const file = here.write(
      'both.yaml',
      JSON.stringify({
        processes: {
          plain: { command: [script], bypass },
          listening: { command: [process.execPath, '-e', listens], bypass },
        },
      }),
    );
    try {
      const launched = await here.hft(`launch ${file} --gate none --wait`);
      expect(launched.stderr).toBe('');
      let results = await verify(here);
      // Node takes its time until it listens.
      while (results['processes.accelerated@listening'] === undefined) results = await verify(here);
      for (const name of ['plain', 'listening'])
        expect(results[`processes.bypass@${name}`]).toMatchObject({
          status: 'pass',
          evidence: `/proc/${here.process(name).pid}/maps: ${library}`,
        });
      expect(results['processes.accelerated@listening']).toMatchObject({
        status: 'fail',
        evidence: expect.stringMatching(/1 TCP and UDP sockets of the kernel, and no \/dev\/infiniband\/uverbs/),
      });
      expect(results).not.toHaveProperty('processes.accelerated@plain');
      const variables = await here.shell(`tr '\\0' '\\n' < /proc/${here.process('plain').pid}/environ`);
      expect(variables.stdout).toContain(`LD_PRELOAD=${library}\n`);
      expect(variables.stdout).toContain('VMA_SPEC=latency\n');
      expect(variables.stdout).toMatch(/^VMA_INTERNAL_THREAD_AFFINITY=\d+$/m);
      expect((await here.hft('ps')).stdout).toContain(`libvma is mapped: ${library}`);
      const [first] = JSON.parse((await here.hft('ps --json')).stdout).processes;
      expect(first.bypass).toEqual({ library: 'vma', mapped: library });
    } finally {
      await here.end();
    }
  });

  test('a library that the dynamic linker ignored does not pass, whatever LD_PRELOAD says', async () => {
    const here = new Launched();
    const file = here.write('broken.yaml', deployment([SLEEP, '1000000'], { library: 'vma', path: broken }));
    try {
      expect((await here.hft(`launch ${file} --gate none --wait`)).exitCode).toBe(0);
      expect((await verify(here))['processes.bypass@md']).toMatchObject({
        status: 'fail',
        actual: 'not mapped',
        evidence: expect.stringContaining(`${broken} was not loaded`),
      });
      expect((await here.hft('ps')).stdout).toContain('libvma is not mapped: the kernel has its sockets');
    } finally {
      await here.end();
    }
  });
});

describe('refused before anything starts', { timeout: TIME_LIMIT_MS }, () => {
  const refusalOf = async (text: string) => {
    const here = new Launched();
    const file = here.write('refused.yaml', text);
    const { exitCode, stdout, stderr } = await here.hft(`launch ${file} --gate none --wait`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect((await here.hft('ps')).stderr).toContain('Nothing was launched here');
    return stderr.replaceAll(/\s+/g, ' ');
  };

  test('a program that is statically linked', async () => {
    const said = await refusalOf(deployment([REFERENCE, '--socket', '/tmp/x'], { library: 'vma', path: library }));
    expect(said).toContain(`processes.md.bypass: ${REFERENCE} is statically linked`);
  });

  test('one that is set-user-ID', async () => {
    const program = join(folder, 'setuid-sleep');
    copyFileSync(SLEEP, program);
    chmodSync(program, 0o4755);
    const said = await refusalOf(deployment([program, '1'], { library: 'vma', path: library }));
    expect(said).toContain(`${program} is set-user-ID: the dynamic linker ignores LD_PRELOAD there`);
  });

  test('a library that is not there, with what to install', async () => {
    const said = await refusalOf(deployment([SLEEP, '1'], 'vma'));
    expect(said).toContain('processes.md.bypass: there is no library libvma.so (ldconfig -p) of 64 bits');
    expect(said).toContain('apt-get install libvma');
    const onload = await refusalOf(deployment([SLEEP, '1'], 'onload'));
    expect(onload).toContain('there is no library libonload.so');
    expect(onload).toContain('Install Onload from AMD (Solarflare)');
  });

  test('a file that is no library', async () => {
    const said = await refusalOf(deployment([SLEEP, '1'], { library: 'vma', path: '/etc/passwd' }));
    expect(said).toContain('processes.md.bypass: there is no library /etc/passwd');
  });
});
