import { describe, expect, test } from 'vitest';
import { startSupervisor } from '../../../src/agent/start-supervisor.ts';
import type { PlacedProcess } from '../../../src/launch/placement.ts';
import { deploymentWanted } from '../../../src/launch/schema.ts';
import { checkLine, startLine } from '../../../src/launch/start-line.ts';
import { FakeHost } from '../../fake-host.ts';
import { rule } from './task-texts.ts';

const PLACED: PlacedProcess = {
  name: 'md',
  why: undefined,
  own: [4],
  idle: [],
  rest: [0, 1],
  threads: [rule('rx', [[4]]), rule('*', [[0, 1]], { policy: 'other', nice: 5 })],
  memory: { policy: 'bind', nodes: [1], lock: true, hugepages: {}, why: '' },
};

const SITE = { probe: '/p', account: undefined, log: '/l', environmentFile: undefined, notifySocket: '/n' };

function wanted(wish: object) {
  const process = deploymentWanted.parse({ processes: { md: { command: ['/opt/md', '--feed', 'A B'], ...wish } } });
  if (process.processes.md === undefined) throw new Error('no process');
  return process.processes.md;
}

/** The values of an option. */
function valuesOf(line: readonly string[], option: string): string[] {
  return line.slice(0, line.indexOf('--')).flatMap((word, index) => (word === option ? [line[index + 1] ?? ''] : []));
}

describe('what becomes a process', () => {
  test('starts where nobody is disturbed, with its memory and its limits', () => {
    const limits = { rtprio: 48, nofile: 1000, nice: -10 };
    const line = startLine(PLACED, wanted({ limits, oomScoreAdjust: -1000, directory: '/opt' }), SITE);
    expect(valuesOf(line, '--cpus')).toEqual(['0-1']);
    expect(valuesOf(line, '--memory')).toEqual(['bind:1']);
    // Memory that is to be locked brings its limit; nice limits are 20 less the value.
    expect(valuesOf(line, '--limit')).toEqual(['rtprio=48', 'memlock=unlimited', 'nofile=1000', 'nice=30']);
    expect(valuesOf(line, '--oom-score-adjust')).toEqual(['-1000']);
    expect(valuesOf(line, '--nice')).toEqual(['5']);
    expect(valuesOf(line, '--directory')).toEqual(['/opt']);
    expect(line.slice(line.indexOf('--') + 1)).toEqual(['/opt/md', '--feed', 'A B']);
  });

  test('behind a library: the process is, its health check is not', () => {
    const bypass = {
      library: 'onload',
      path: '/usr/lib64/libonload.so',
      prefix: ['/usr/bin/onload', '--profile=latency'],
    } as const;
    const process = wanted({ health: { command: ['/opt/check'] } });
    const placed = { ...PLACED, bypass };
    const line = startLine(placed, process, SITE);
    expect(line.slice(line.indexOf('--') + 1)).toEqual([
      '/usr/bin/onload',
      '--profile=latency',
      '/opt/md',
      '--feed',
      'A B',
    ]);
    expect(checkLine(placed, process, SITE)?.slice(-2)).toEqual(['--', '/opt/check']);
  });

  test('looks at its partition before anything else', () => {
    const partition = { cgroup: '/hft.slice', cpus: [4] };
    const line = startLine({ ...PLACED, partition }, wanted({}), SITE);
    expect(valuesOf(line, '--partition')).toEqual(['/sys/fs/cgroup:/hft.slice:4']);
    expect(line.indexOf('--partition')).toBeLessThan(line.indexOf('--cpus'));
    expect(startLine(PLACED, wanted({}), SITE)).not.toContain('--partition');
  });

  test('a size is one in bytes', () => {
    const line = startLine(PLACED, wanted({ limits: { memlock: '64M' } }), SITE);
    expect(valuesOf(line, '--limit')).toEqual([`memlock=${64 * 2 ** 20}`]);
  });

  test('its groups come before its user: afterwards it may not', () => {
    const account = { user: 1000, groups: [7, 8], name: 'trading', home: '/srv' };
    const line = startLine(PLACED, wanted({}), { ...SITE, account });
    expect(valuesOf(line, '--group')).toEqual(['7', '8']);
    expect(line.lastIndexOf('--group')).toBeLessThan(line.indexOf('--user'));
    expect(line.indexOf('--limit')).toBeLessThan(line.indexOf('--group'));
    expect(valuesOf(line, '--set')).toEqual(expect.arrayContaining(['USER=trading', 'HOME=/srv', 'NOTIFY_SOCKET=/n']));
  });

  test('a health check runs as the same, is ended in time, and says nothing of its own life', () => {
    const health = { command: ['/bin/check'], within: '2s' };
    const line = checkLine(PLACED, wanted({ health }), SITE) ?? [];
    expect(valuesOf(line, '--alarm-ms')).toEqual(['2000']);
    expect(valuesOf(line, '--set').some((each) => each.startsWith('NOTIFY_SOCKET'))).toBe(false);
    expect(checkLine(PLACED, wanted({}), SITE)).toBeUndefined();
  });
});

describe('the supervisor', () => {
  const start = (host: FakeHost) => {
    const places = {
      command: '/usr/bin/hft',
      probe: '/p',
      run: '/run/hft',
      state: '/var/lib/hft',
      searchPath: undefined,
    };
    return startSupervisor({ host, ...places, housekeeping: [0, 2] });
  };
  const ARGV =
    '/p start --log /run/hft/launch/supervisor.log --cpus 0,2 --set HFT_RUN_DIR=/run/hft --set HFT_STATE_DIR=/var/lib/hft --set LANG=C.UTF-8 -- /bin/sh /usr/bin/hft launch --supervise';

  test('is a process of its own, apart from who asked for it', async () => {
    const host = new FakeHost();
    await start(host);
    expect(host.log).toEqual(['/run/hft/launch', ARGV]);
  });
});
