import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { askToApply } from '../../../src/cli/question.ts';
import { UsageError } from '../../../src/errors.ts';

function makeTerminal(isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream & PassThrough;
  return { input, output: new PassThrough() };
}

describe('the question', () => {
  test.each([
    ['y', true],
    ['yes', true],
    ['Y', true],
    ['', false],
    ['n', false],
    ['yesterday', false],
  ])('%j is %s', async (answer, expected) => {
    const terminal = makeTerminal();
    terminal.input.write(`${answer}\n`);
    expect(await askToApply('Apply?', undefined, terminal)).toBe(expected);
  });

  test('a terminal that hangs up is no answer, so hft can go on and undo', async () => {
    const terminal = makeTerminal();
    const asked = askToApply('Go on?', undefined, terminal);
    terminal.input.end();
    expect(await asked).toBe(false);
  });

  test('a question that ended by itself is no answer', async () => {
    const end = new AbortController();
    const asked = askToApply('Go on?', end.signal, makeTerminal());
    end.abort();
    expect(await asked).toBe(false);
  });

  test('without a terminal it says what to do', async () => {
    await expect(askToApply('Apply?', undefined, makeTerminal(false))).rejects.toThrow(UsageError);
  });
});
