import { describe, expect, test } from 'vitest';
import { HftError, UsageError } from '../../../src/errors.ts';
import { loadProfile } from '../../../src/profile/load.ts';
import { InvalidProfile } from '../../../src/profile/problem.ts';
import { contextOf } from './example-profile.ts';

/** What `hft profile validate` says about a file. */
async function complain(text: string, files: Record<string, string> = {}): Promise<string> {
  const error = await loadProfile('./a.yaml', contextOf({ './a.yaml': text, ...files })).catch(
    (caught: unknown) => caught,
  );
  if (!(error instanceof HftError)) return `no complaint: ${String(error)}`;
  expect(error.exitCode).toBe(2);
  return error.message;
}

describe('mistakes are told with their place, what was expected, what is there and what to do', () => {
  test.each<[string, string, string]>([
    ['unknown key', 'exmaple: {}\n', './a.yaml:1:1  exmaple: unknown key\n  Did you mean example?'],
    [
      'unknown nested key',
      'example:\n  gouvernor: x\n',
      './a.yaml:2:3  example.gouvernor: unknown key\n  Did you mean governor?',
    ],
    [
      'unknown key that is near none',
      'layout:\n  zzz: 1\n',
      './a.yaml:2:3  layout.zzz: unknown key\n  Known keys in layout: housekeeping, irq, isolated, nic, smt.',
    ],
    ['removal of an unknown key', 'exmaple: null\n', './a.yaml:1:1  exmaple: unknown key\n  Did you mean example?'],
    [
      'unknown key in a list',
      'example:\n  pages:\n    - {sice: 2M, size: 2M, count: 1}\n',
      './a.yaml:3:8  example.pages.0.sice: unknown key\n  Did you mean size?',
    ],
    [
      'missing key',
      'example:\n  pages:\n    - size: 2M\n',
      './a.yaml:3:7  example.pages.0: count is missing\n  Add count: a whole number of at least 0.',
    ],
    [
      'wrong word',
      'example: {governor: fast}\n',
      './a.yaml:1:21  example.governor: expected performance or powersave, got fast',
    ],
    [
      'wrong unit',
      'example: {poll: 50MB}\n',
      './a.yaml:1:17  example.poll: expected a time such as 50us, or a whole number of microseconds, got 50MB',
    ],
    [
      'a unit where none belongs',
      'example: {ring: 4k}\n',
      './a.yaml:1:17  example.ring: expected a whole number of at least 1, or max, got 4k\n  This is a plain number: write it without a unit.',
    ],
    [
      'switch in words',
      'example: {swap: yes}\n',
      './a.yaml:1:17  example.swap: expected on or off, got yes\n  Write on.',
    ],
    [
      'off where YAML 1.2 wants false',
      'example: {enabled: off}\n',
      './a.yaml:1:20  example.enabled: expected true or false, got off\n  Write false: in YAML 1.2 the word off is text, not a truth value.',
    ],
    [
      'separators in numbers',
      'example: {pages: [{size: 2M, count: 1_000}]}\n',
      './a.yaml:1:37  example.pages.0.count: expected a whole number of at least 0, got 1_000\n  Write 1000: YAML 1.2 knows no separators, so 1_000 is text.',
    ],
    [
      'number in quotes',
      'example: {pages: [{size: 2M, count: "4"}]}\n',
      './a.yaml:1:37  example.pages.0.count: expected a whole number of at least 0, got "4"\n  Write 4 without quotes: in quotes it is text.',
    ],
    [
      'map where a value belongs',
      'example: {governor: {a: 1}}\n',
      './a.yaml:1:21  example.governor: expected performance or powersave, got a map',
    ],
    ['value where a map belongs', 'example: on\n', './a.yaml:1:10  example: expected a map of keys and values, got on'],
    [
      'list where a map belongs',
      'layout: [1]\n',
      './a.yaml:1:9  layout: expected a map of keys and values, got a list',
    ],
    [
      'CPU set with an unknown name',
      'example: {cpus: isolatd}\n',
      './a.yaml:1:17  example.cpus: CPU set "isolatd", column 1: unknown name "isolatd"',
    ],
    [
      'mistake within one shape of a layout role',
      'layout:\n  isolated: {cores: most, naer: nic}\n',
      './a.yaml:2:27  layout.isolated.naer: unknown key\n  Did you mean near?',
    ],
    [
      'key without a value',
      'layout:\n  nic:\nexample: {}\n',
      './a.yaml:2:3  nic: has no value\n  Give it a value, or write `null` to remove what is inherited.',
    ],
    [
      'duplicate key',
      'example:\n  swap: on\n  swap: off\n',
      './a.yaml:3:3  this key is there twice in the same map\n  Remove one of the two: which of them wins would be a guess.',
    ],
    [
      'tab',
      'example:\n\tswap: on\n',
      './a.yaml:2:1  a tab indents this line: expected spaces\n  Set the editor to indent YAML with two spaces.',
    ],
    [
      'two keys on a line',
      'example: swap: on\n',
      './a.yaml:1:10  two keys on one line\n  Put the second key on a line of its own, indented, or put the text in quotes.',
    ],
    ['list document', '- a\n', './a.yaml:1:1  expected a map of keys and values, got a list'],
    ['scalar document', 'colo\n', './a.yaml:1:1  expected a map of keys and values, got `colo`'],
    [
      'empty file',
      '',
      './a.yaml:1:1  is empty: expected a profile\n  Start with `extends: colo`, or see `hft profile list`.',
    ],
    [
      'comments only',
      '# nothing\n',
      './a.yaml:1:1  is empty: expected a profile\n  Start with `extends: colo`, or see `hft profile list`.',
    ],
    [
      'two documents',
      'example: {}\n---\nexample: {}\n',
      './a.yaml:2:1  a second document begins here: expected one profile per file\n  Remove the `---`.',
    ],
    ['alias of nothing', 'example: *x\n', './a.yaml:1:10  *x: there is no anchor &x before this'],
    [
      'tag',
      'example: !!binary aGk=\n',
      './a.yaml:1:10  tags such as !!binary or !name are not used in profiles\n  Remove the tag.',
    ],
    [
      'merge key',
      'a: &a {}\nexample:\n  <<: *a\n',
      './a.yaml:3:3  <<: merge keys are not part of YAML 1.2\n  Use `extends: [name]`, or repeat the keys.',
    ],
    [
      'binary file',
      'ab\u0000c\n',
      './a.yaml:1:3  is not text: expected YAML in UTF-8\n  Is this the file that you meant?',
    ],
    [
      'name with capitals',
      'name: Colo\n',
      './a.yaml:1:7  name: expected a name of lower-case letters, digits and hyphens, got Colo',
    ],
    ['extends nothing', 'extends: clo\n', './a.yaml:1:10  extends: there is no profile clo\n  Did you mean colo?'],
    ['extends no file', 'extends: [./x.yaml]\n', './a.yaml:1:11  extends: there is no file x.yaml'],
    [
      'extends a map',
      'extends: {a: 1}\n',
      './a.yaml:1:10  extends: expected the name or path of a profile, or a list of them',
    ],
    [
      'extends itself',
      'extends: ./a.yaml\n',
      './a.yaml:1:10  extends: these files extend each other in a circle: a -> a',
    ],
    [
      'extends in a circle',
      'extends: [b]\n',
      'b.yaml:2:10  extends: these files extend each other in a circle: a -> b -> a',
    ],
  ])('%s', async (_name, text, expected) => {
    const files = {
      '/hft/profiles/colo.yaml': 'example: {}\n',
      'b.yaml': '\nextends: ./a.yaml\n',
      'a.yaml': 'extends: b\n',
    };
    expect(await complain(text, files)).toContain(expected);
  });

  test('all at once, in the order of the lines, and in the file that has them', async () => {
    const files = { '/hft/profiles/base.yaml': 'example:\n  ring: 0\n' };
    expect(await complain('extends: base\nlayuot: {}\nexample:\n  swap: maybe\n  poll: x\n', files)).toBe(
      [
        './a.yaml:2:1  layuot: unknown key',
        '  Did you mean layout?',
        './a.yaml:4:9  example.swap: expected on or off, got maybe',
        './a.yaml:5:9  example.poll: expected a time such as 50us, or a whole number of microseconds, got x',
        '/hft/profiles/base.yaml:2:9  example.ring: expected a whole number of at least 1, got 0',
      ].join('\n'),
    );
  });

  test('twenty are shown, the others counted', async () => {
    const text = Array.from({ length: 33 }, (_, index) => `key${index}: 1`).join('\n');
    const lines = (await complain(text)).split('\n').filter((line) => !line.startsWith(' '));
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('… and 13 more.');
  });

  test('an alias bomb ends', async () => {
    const layers = Array.from(
      { length: 12 },
      (_, index) =>
        `k${index}: &a${index} [${
          index === 0
            ? '1'
            : Array(9)
                .fill(`*a${index - 1}`)
                .join(', ')
        }]`,
    );
    expect(await complain(layers.join('\n'))).toContain('more than 100 aliases are followed in this file');
    expect(await complain('k: &a [*a]\n')).toContain('more than 100 aliases');
  });

  test('a profile that cannot be read', async () => {
    const context = contextOf({ '/hft/profiles/colo.yaml': 'example: {}\n' });
    context.reader.unreadable.set('./a.yaml', 'EACCES');
    await expect(loadProfile('./a.yaml', context)).rejects.toThrow('The profile ./a.yaml cannot be read: EACCES.');
    await expect(loadProfile('./b.yaml', context)).rejects.toThrow('There is no file ./b.yaml.');
    const unknown = await loadProfile('colp', context).catch((error: unknown) => error);
    expect(unknown).toBeInstanceOf(UsageError);
    expect(unknown).toMatchObject({
      message: expect.stringContaining('There is no profile colp'),
      next: [expect.stringContaining('colo'), expect.anything()],
    });
  });

  test('the error names the first place and keeps every problem', async () => {
    const error = await loadProfile('./a.yaml', contextOf({ './a.yaml': 'b: 1\na: 1\n' })).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(InvalidProfile);
    expect(error).toMatchObject({ where: './a.yaml:1:1', problems: [{ place: { line: 1 } }, { place: { line: 2 } }] });
  });
});
