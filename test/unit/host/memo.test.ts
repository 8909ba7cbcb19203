import { expect, test } from 'vitest';
import type { HostReader } from '../../../src/host/host.ts';
import { rememberingReader } from '../../../src/host/memo.ts';
import { FakeHost } from '../../fake-host.ts';

/** Counts how often it had to be worked out. */
function makeWork() {
  const calls: HostReader[] = [];
  const work = async (reader: HostReader) => {
    calls.push(reader);
    return `${await reader.readText('/a')}!`;
  };
  return { work, calls };
}

test('what is worked out of the answers is worked out once, and from the remembered answers', async () => {
  const host = new FakeHost({ '/a': '1' });
  const reader = rememberingReader(host);
  const { work, calls } = makeWork();
  expect(await reader.remember?.(work)).toBe('1!');
  host.files.set('/a', '2');
  expect(await reader.remember?.(work)).toBe('1!');
  expect(calls).toEqual([reader]);
});

test('two works do not get in the way of each other, and another pass sees the machine anew', async () => {
  const host = new FakeHost({ '/a': '1' });
  const reader = rememberingReader(host);
  expect(await reader.remember?.(makeWork().work)).toBe('1!');
  expect(await reader.remember?.(async () => 'else')).toBe('else');
  host.files.set('/a', '2');
  expect(await rememberingReader(host).remember?.(makeWork().work)).toBe('2!');
});

test('a machine itself remembers nothing: what is there can change', () => {
  expect((new FakeHost() as HostReader).remember).toBeUndefined();
});
