import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../free-port.ts';
import { CPUS, compileStrictly, makeFolder } from '../program.ts';
import { follow } from '../servers/scripted.ts';
import { askPeer, MS, runOrComplaint, startProbe, startResponder, type TestResponder, until } from './responder.ts';

/** How both ends end, and what the other one makes of it. Real processes. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const LONG = ['--duration-ns', `${60_000 * MS}`];

/** Returns when the probe has greeted, warmed up and begun. */
async function startMeasuring(...asked: Parameters<typeof startProbe>) {
  const probe = startProbe(...asked);
  const followed = follow(probe);
  await once(probe.stdout, 'data');
  return { probe, followed };
}

/** A conversation is under way when the responder's thread is there. */
function isMeasuring({ child }: TestResponder): boolean {
  return /^Threads:\s*2$/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
}

describe.each(['udp', 'tcp'])('over %s', (transport) => {
  const options = [...LONG, '--transport', transport];

  test('the responder killed while it is measured: the probe says that it is gone', async () => {
    const responder = await startResponder(program);
    const { followed: probing } = await startMeasuring(program, responder.address, options);
    responder.child.kill('SIGKILL');
    const { exitCode, stderr } = await probing;
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`the responder at ${responder.address} is gone while it was measured`);
  });

  test('the responder ended in order: the same, and it says what it had counted', async () => {
    const responder = await startResponder(program);
    const { followed: probing } = await startMeasuring(program, responder.address, options);
    expect(await responder.end()).toBe(0);
    expect((await probing).exitCode).toBe(1);
    expect(responder.events.map(({ event }) => event)).toEqual(['listening', 'client', 'ended']);
    expect(responder.events[1]).toMatchObject({ end: 'stopped', transport });
  });

  test('the probe killed: its place is free again', async () => {
    const responder = await startResponder(program);
    const { probe, followed } = await startMeasuring(program, responder.address, options);
    probe.kill('SIGKILL');
    await followed;
    await until(() => responder.events.length > 1);
    expect(responder.events[1]).toMatchObject({ event: 'client', end: 'closed', transport });
    await until(() => !isMeasuring(responder));
    runOrComplaint(await askPeer(program, responder.address, ['--transport', transport]));
    await responder.end();
  });

  test('the probe ended in order: what was measured until then, and what the responder counted', async () => {
    const responder = await startResponder(program);
    const probe = startProbe(program, responder.address, options);
    let bytes = 0;
    probe.stdout.on('data', (piece: Buffer) => {
      bytes += piece.length;
    });
    const followed = follow(probe);
    // META and some blocks.
    await until(() => bytes > 20_000);
    probe.kill('SIGTERM');
    const run = runOrComplaint(await followed);
    expect(run.result.cut).toBe('SIGTERM');
    expect(run.result.peerTally?.received).toBeGreaterThan(0);
    await until(() => responder.events.length > 1);
    expect(responder.events[1]).toMatchObject({ end: 'done' });
    await responder.end();
  });
});

test('the responder dies with whoever started it', async () => {
  const port = await freePort();
  const argv = ['serve', '--listen', `127.0.0.1:${port}`, '--cpus', `${CPUS[0]}`, '--wait', 'block'];
  const shell = spawn('sh', ['-c', '"$@" & wait', 'sh', program, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(shell.stdout, 'data');
  shell.kill('SIGKILL');
  let again: TestResponder | undefined;
  await until(() => shell.exitCode !== null || shell.signalCode !== null);
  for (let tries = 0; tries < 100 && again?.child.exitCode !== null; tries++) {
    again = await startResponder(program, { port });
    if (again.child.exitCode === null) break;
  }
  expect(again?.child.exitCode).toBeNull();
  expect(await again?.end()).toBe(0);
});

test('ended by SIGINT at any moment it leaves its port to the next', async () => {
  const port = await freePort();
  for (let round = 0; round < 3; round++) {
    const responder = await startResponder(program, { port });
    runOrComplaint(await askPeer(program, responder.address, ['--duration-ns', `${20 * MS}`]));
    responder.child.kill('SIGINT');
    expect(await responder.end()).toBe(0);
  }
});

describe('a responder for one client, for some time', () => {
  test('who comes from another address is closed without a word, and counted', async () => {
    const responder = await startResponder(program, { more: ['--only', '127.0.0.2'] });
    const { exitCode } = await askPeer(program, responder.address);
    expect(exitCode).not.toBe(0);
    expect(await responder.end()).toBe(0);
    expect(responder.events.map(({ event }) => event)).toEqual(['listening', 'ended']);
    expect(responder.events.at(-1)).toMatchObject({ clients: 1, refused: 1 });
  });

  test('the one that may ask is answered', async () => {
    const responder = await startResponder(program, { more: ['--only', '127.0.0.1'] });
    expect(runOrComplaint(await askPeer(program, responder.address)).result.sent).toBeGreaterThan(0);
    expect(await responder.end()).toBe(0);
    expect(responder.events.at(-1)).toMatchObject({ refused: 0 });
  });

  test('it ends by itself when its time is over, though nobody ends it', async () => {
    const responder = await startResponder(program, { more: ['--most-ns', `${1_000 * MS}`] });
    const isOver = () => responder.child.exitCode !== null || responder.child.signalCode !== null;
    expect(isOver()).toBe(false);
    // In order, or a second later by the timer that needs nobody to run.
    await until(isOver);
  });

  test.each(['10.0.0.7:80', 'trade7', ''])('--only %j is refused', async (only) => {
    const responder = await startResponder(program, { more: ['--only', only] });
    expect([await responder.end(), responder.said()]).toEqual([
      2,
      expect.stringContaining('--only: expected an IP address'),
    ]);
  });
});
