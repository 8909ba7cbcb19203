import { expect, test, vi } from 'vitest';
import { reportError } from '../../../src/cli/report-error.ts';
import { HostError, ProfileError } from '../../../src/errors.ts';

function report(error: unknown, argv: readonly string[]): { exitCode: number; stdout: string; stderr: string } {
  const texts = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      texts[name] += text;
      return true;
    }),
  );
  const exitCode = reportError(error, argv);
  for (const spy of spies) spy.mockRestore();
  return { exitCode, ...texts };
}

test('an expected error is its message and the next steps, without a stack', () => {
  const error = new ProfileError('a.yaml:3:1', 'irq: CPU 40 is not on box7', { next: ['Give CPUs of this host.'] });
  expect(report(error, ['plan'])).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'a.yaml:3:1  irq: CPU 40 is not on box7\n  Give CPUs of this host.\n',
  });
});

test('with --json it is data on stdout, and nothing else', () => {
  const { exitCode, stdout, stderr } = report(new HostError('write', '/proc/x', 'EIO'), ['tune', '--json']);
  expect(JSON.parse(stdout)).toEqual({ error: { message: 'write /proc/x: EIO', next: [], exitCode: 3 } });
  expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: '' });
});

test('--json after -- belongs to somebody else', () => {
  expect(report(new HostError('write', '/proc/x', 'EIO'), ['launch', '--', '--json']).stdout).toBe('');
});

test('a bug has its stack, how to report it, and exit code 70', () => {
  const { exitCode, stderr } = report(new TypeError('x is not a function'), ['plan']);
  expect(exitCode).toBe(70);
  expect(stderr).toMatch(
    /^This is a bug in hft: x is not a function\n {2}Please report it[\s\S]*TypeError: x is not[\s\S]*at /,
  );
  expect(report('thrown text', ['plan'])).toMatchObject({
    exitCode: 70,
    stderr: expect.stringContaining('thrown text'),
  });
});
