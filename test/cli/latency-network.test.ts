import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { buildWhenStale, cleanEnvironment, ROOT, runShell } from './run-hft.ts';

/** Both ends by hft's own command, over the loopback interface. */
beforeAll(buildWhenStale);

let serving: ChildProcess | undefined;
afterEach(() => {
  serving?.kill('SIGKILL');
});

/** Returns when it listens; its JSON is there when it has ended. */
async function serve(more: readonly string[]) {
  const port = await freePort();
  const argv = [
    'verify',
    'latency',
    '--serve',
    '--listen',
    `127.0.0.1:${port}`,
    '--wait',
    'block',
    '--cpus',
    '1',
    ...more,
  ];
  const child = spawn(join(ROOT, 'bin/hft'), argv, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  serving = child;
  let said = '';
  child.stdout.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  for (let open = false; !open; ) {
    const { stdout } = runShell(`exec 3<>/dev/tcp/127.0.0.1/${port} && echo open`);
    open = stdout.includes('open');
    if (child.exitCode !== null) throw new Error(`it ended: ${said}`);
  }
  const end = async () => {
    child.kill('SIGINT');
    await once(child, 'close');
    return { exitCode: child.exitCode, said };
  };
  return { port, end };
}

const measure = (port: number, more = '') =>
  runShell(`hft verify latency --probe network --peer 127.0.0.1:${port} --cpus 0 --duration 1s ${more}`);

describe('--serve and --peer', () => {
  test('the rows have the peer and the parts, and the responder tells of its clients', async () => {
    const { port, end } = await serve(['--json']);
    const { stdout, exitCode } = measure(port, '--json');
    expect(exitCode).toBe(0);
    const { probes } = JSON.parse(stdout) as { probes: readonly Record<string, unknown>[] };
    for (const part of ['udp', 'tcp']) {
      const row = probes.find((each) => each.part === part);
      expect(row).toMatchObject({
        name: 'network',
        direction: 'round-trip',
        payloadBytes: 64,
        split: false,
        peer: { address: `127.0.0.1:${port}`, wait: 'block', isSameKernel: true, timestamps: 'program' },
      });
      expect(probes.find((each) => each.part === `${part}-wire`)).toMatchObject({ split: true, unit: 'ns' });
    }
    const ended = await end();
    expect(ended.exitCode).toBe(0);
    const served = JSON.parse(ended.said) as { clients: readonly Record<string, unknown>[] };
    expect(served).toMatchObject({ address: `127.0.0.1:${port}`, wait: 'block' });
    expect(served.clients.map(({ transport, end: how }) => [transport, how])).toEqual([
      ['udp', 'done'],
      ['tcp', 'done'],
    ]);
  });

  test('as text: where it listens and for whom, a line for each client', async () => {
    const { port, end } = await serve([]);
    const { stdout } = measure(port);
    expect(stdout).toMatch(/network {2}udp, round trip, 64 B, every 100us, spin/);
    expect(stdout).toMatch(/^ {4}kernel to kernel/m);
    expect(stdout).toContain('is on this kernel');
    const { said, exitCode } = await end();
    expect(exitCode).toBe(0);
    expect(said).toContain(`Listens on 127.0.0.1:${port}, TCP and UDP, for this host alone`);
    expect(said).toMatch(/^127\.0\.0\.1 {2}tcp 64 B {2}CPU \d+ block {2}\d+\.\d s to its end: \d+ came, \d+ answered/m);
    expect(said).toContain('Ended after 2 clients.');
  });

  test('nobody there: not measured, with the reason and what to do', async () => {
    const { stdout, exitCode } = measure(await freePort());
    expect(exitCode).toBe(6);
    expect(stdout).toContain('nobody listens at 127.0.0.1:');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('hft verify latency --serve --listen ADDRESS');
  });
});

test.each([
  ['--listen 127.0.0.1', '--listen is of no use without --serve.'],
  ['--wait block', '--wait is of no use without --serve.'],
  ['--serve --peer 10.0.0.7', '--serve measures nothing, so it does not go with --peer.'],
  ['--serve --profile colo --save x', '--serve measures nothing, so it does not go with --save, --profile.'],
  ['--serve --fix', '--serve measures nothing, so it does not go with --fix.'],
  [
    '--serve --cpus 1 --listen 192.0.2.1',
    'The responder cannot listen: TCP: 192.0.2.1:17707 is no address of this host.',
  ],
  ['--serve --listen here:1:2', '--listen: expected HOST[:PORT] or [IPv6][:PORT], got here:1:2'],
  ['--serve --cpus 4000', 'CPU 4000'],
  ['--probe network --peer no-such-host.invalid', '--peer: the host no-such-host.invalid is not known'],
  ['--xdp eth0', '--xdp is of no use without --peer or --serve.'],
  ['--probe network --peer 127.0.0.1 --xdp nosuch', 'has no interface nosuch.'],
  ['--serve --xdp nosuch', 'has no interface nosuch.'],
  ['--probe jitter --peer 10.0.0.7', '--peer names a peer, and --probe leaves network out.'],
  ['--fix --peer 10.0.0.7', '--fix measures by turns itself, so it does not go with --peer.'],
])('%s: one clear error', (flags, message) => {
  const { stdout, stderr, exitCode } = runShell(`hft verify latency ${flags}`);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain(message);
});
