import { expect, test } from 'vitest';
import { type MeasuringAgent, measureOn } from '../../../../src/cli/latency.ts';
import { UsageError } from '../../../../src/errors.ts';
import type { Servers } from '../../../../src/latency/probe/probe.ts';
import type { LatencyWanted } from '../../../../src/latency/targets/schema.ts';
import { buildMachine } from '../../../machine-builder.ts';

/** When other people's servers are measured: nobody expects one to be started by looking at a host. */
async function started(latency: LatencyWanted, more: { servers?: Servers; suite?: string; probe?: string[] } = {}) {
  const { servers = {}, suite = 'quick', probe } = more;
  const names: string[] = [];
  const agent: MeasuringAgent = {
    machine: async () => buildMachine({ host: 'box7' }),
    pinnedTo: async () => [],
    plan: () => Promise.reject(new UsageError('not here')),
    async probe({ probe: name, variant }) {
      names.push(`${name} ${variant.name}`.trim());
      return { status: 'unsupported', reason: 'redis-server is not installed', need: 'redis-server' };
    },
  };
  const { result, exitCode } = await measureOn(agent, {
    asked: { wanted: { name: 'own', layout: {} as never, domains: {}, latency }, scope: {} },
    flags: { suite, probe, cpus: '4-7' },
    servers,
    durationS: 1,
    signal: new AbortController().signal,
    showProgress: () => {},
  });
  const isServer = (name: string) => /^(redis|memcached|zeromq)/.test(name);
  return { names: names.filter(isServer), result, exitCode };
}

const GET = { probe: 'redis', load: 'none', part: 'get', p50: 50_000 } as const;

test('the quick suite starts none', async () => {
  const { names, result } = await started({});
  expect(names).toEqual([]);
  expect(result.notMeasured).toContainEqual(
    expect.objectContaining({ probe: 'redis', reason: expect.stringContaining('or the profile has a limit for it') }),
  );
});

test('but where the profile has a limit, a server is named, or the probe is', async () => {
  expect((await started({ get: GET })).names).toEqual(['redis get unix']);
  expect((await started({}, { servers: { memcached: '127.0.0.1:11211' } })).names).toEqual([
    'memcached get 127.0.0.1:11211',
  ]);
  expect((await started({}, { probe: ['zeromq'] })).names).toEqual(['zeromq push-pull block']);
  expect((await started({}, { suite: 'full' })).names).toHaveLength(18);
});

test('a limit whose server is not installed stays open, with the name of the package', async () => {
  const { result, exitCode } = await started({ get: GET });
  expect(exitCode).toBe(6);
  expect(result.notMeasured).toContainEqual(
    expect.objectContaining({ target: 'get', need: 'redis-server', isLeftOut: false }),
  );
});
