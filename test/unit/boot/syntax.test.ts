import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalArgument,
  parseCommandLine,
  pickArguments,
  printArguments,
} from '../../../src/tunables/boot/arguments.ts';
import {
  appendWords,
  compareVersions,
  editBlsOptions,
  parseBlsEntry,
  sortBlsEntries,
} from '../../../src/tunables/boot/bls.ts';
import { defaultGrubEntry, evaluateGrub } from '../../../src/tunables/boot/grub-menu.ts';
import { GrubSyntaxError, parseGrubScript } from '../../../src/tunables/boot/grub-script.ts';
import { editGrubenv, parseGrubenv } from '../../../src/tunables/boot/grubenv.ts';
import { fixture } from './grub-machine.ts';

const word = fc.stringMatching(/^[A-Za-z0-9_.,:@%+/-]{1,12}$/).filter((text) => text !== '--');
const argument = fc.record({
  name: word,
  value: fc.option(fc.stringMatching(/^[A-Za-z0-9_.,= -]{1,12}$/), { nil: undefined }),
});

describe('the kernel’s command line', () => {
  test('what is printed is read back', () => {
    fc.assert(
      fc.property(fc.array(argument), (given) => {
        expect(parseCommandLine(printArguments(given))).toEqual(given);
      }),
    );
  });

  test('the canonical spelling is a fixed point', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('isolcpus', 'nohz_full', 'irqaffinity', 'x'),
        fc.stringMatching(/^[a-z0-9,:/-]{1,16}$/),
        (name, value) => {
          const once = canonicalArgument({ name, value });
          expect(parseCommandLine(once).map(canonicalArgument)).toEqual([once]);
        },
      ),
    );
  });

  test.each([
    ['a="b c" d', ['a'], 'a="b c"'],
    ['"a=b c" d', ['a'], 'a="b c"'],
    ['panic=1 panic=2', ['panic'], 'panic=2'],
    ['nohz_full=2-7 nohz_full=4', ['nohz_full'], 'nohz_full=2-7'],
    ['rcu-nocbs=3,2', ['rcu_nocbs'], 'rcu_nocbs=2-3'],
    ['isolcpus=nohz,domain,managed_irq,1-3', ['isolcpus'], 'isolcpus=managed_irq,domain,nohz,1-3'],
    ['isolcpus=4,5,6', ['isolcpus'], 'isolcpus=domain,4-6'],
    ['nohz_full=2-N', ['nohz_full'], 'nohz_full=2-N'],
    [
      'hugepagesz=1G hugepages=2 quiet hugepagesz=2M hugepages=9',
      ['hugepagesz', 'hugepages'],
      'hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=9',
    ],
    ['quiet', ['panic'], null],
    ['quiet -- panic=1', ['panic'], null],
  ])('%s has %s as %s', (line, names, expected) => {
    expect(pickArguments(parseCommandLine(line), names)).toBe(expected);
  });
});

describe('grub.cfg', () => {
  const evaluate = (script: string, variables?: Record<string, string>) =>
    evaluateGrub({
      script,
      environment: variables && new Map(Object.entries(variables)),
      custom: undefined,
      blsEntries: [],
    });
  const older = 'gnulinux-6.1.0-18-amd64-advanced-/dev/loop0p1';

  test.each([
    ['the first entry', 'debian-12.cfg', undefined, '/boot/vmlinuz-6.1.0-18-rt-amd64'],
    [
      'an entry in a submenu',
      'debian-12-saved.cfg',
      { saved_entry: `gnulinux-advanced-/dev/loop0p1>${older}` },
      '/boot/vmlinuz-6.1.0-18-amd64',
    ],
    ['by position', 'debian-12-saved.cfg', { saved_entry: '1>2' }, '/boot/vmlinuz-6.1.0-18-amd64'],
    [
      'an entry that is no more: the first one',
      'debian-12-saved.cfg',
      { saved_entry: 'gone' },
      '/boot/vmlinuz-6.1.0-18-rt-amd64',
    ],
    ['a one-time choice', 'debian-12.cfg', { next_entry: `1>${older}` }, '/boot/vmlinuz-6.1.0-18-amd64'],
  ])('of Debian boots %s', (_name, file, variables, path) => {
    expect(defaultGrubEntry(evaluate(fixture(file), variables))?.linux?.path).toBe(path);
  });

  test('that ends in the middle is no menu, wherever it is cut inside an entry', () => {
    const text = fixture('debian-12.cfg');
    const start = text.indexOf("menuentry 'Debian");
    const end = text.indexOf('### END /etc/grub.d/10_linux');
    for (let at = start + 40; at < end - 3; at += 7) {
      const cut = text.slice(0, at);
      const opened = [...cut.matchAll(/\{$/gm)].length - [...cut.matchAll(/^\s*\}$/gm)].length;
      if (opened > 0) expect(() => parseGrubScript(cut), `cut at ${at}`).toThrow(GrubSyntaxError);
    }
  });

  test.each([
    ['set x=a\nif [ "$x" = a -a -n "$x" ]; then set default=1; else set default=2; fi', '1'],
    ['if [ ! "$x" ]; then set default=1; fi', '1'],
    [`if [ "\${x}" ] ; then set default=1; elif true; then set default=3; fi`, '3'],
    ['if [ 1 -lt 0 -o 2 -ge 2 ]; then set default="a b"; fi', 'a b'],
    ["set default='it'\\''s'", "it's"],
    ['# set default=1\nset default=2 # three', '2'],
    ['function f {\n set default=9\n}\nset default=1', '1'],
  ])('%s', (script, selection) => {
    expect(evaluate(script).selection).toBe(selection);
  });
});

describe('GRUB’s environment block', () => {
  const name = fc.stringMatching(/^[a-z_]{1,10}$/);
  const value = fc.string({ maxLength: 30 });

  test('a variable that is set is read back, in 1024 bytes, and the others stay', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { maxLength: 8, selector: ([key]) => key }), (entries) => {
        let block: string | undefined;
        for (const [key, text] of entries) {
          block = editGrubenv(block, key, text);
          expect(Buffer.byteLength(block ?? '')).toBe(1024);
        }
        expect(parseGrubenv(block)).toEqual(new Map(entries));
      }),
    );
  });

  test('a variable that is taken out leaves the block as it was', () => {
    const before = fixture('grubenv-saved');
    const changed = editGrubenv(before, 'next_entry', 'hft-trial');
    expect(parseGrubenv(changed).get('next_entry')).toBe('hft-trial');
    expect(editGrubenv(changed, 'next_entry', null)).toBe(before);
  });

  test('what does not fit is refused', () => {
    expect(editGrubenv(undefined, 'x', 'y'.repeat(1024))).toBeUndefined();
  });

  test('Debian’s own', () => {
    expect(parseGrubenv(fixture('grubenv-saved')).get('saved_entry')).toMatch(
      /^gnulinux-advanced-.*>gnulinux-6\.1\.0-18-amd64-advanced-/,
    );
  });
});

describe('entry files', () => {
  test('with words added and taken out again are as before', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z= ]{0,20}$/), (options) => {
        const text = `title x\noptions ${options}\nlinux /x\n`;
        const added = editBlsOptions(text, (line) => line, 'isolcpus=2');
        expect(parseBlsEntry('x.conf', added).options).toContain('isolcpus=2');
        expect(editBlsOptions(added, (line) => line.replace(/(^| )isolcpus=2/, ''), '')).toBe(text);
      }),
    );
  });

  test.each([
    ['a\n', 'a b\n'],
    ['a', 'a b'],
    ['', 'b'],
  ])('%j with b is %j', (text, expected) => expect(appendWords(text, 'b')).toBe(expected));

  test('are sorted as rpm sorts versions, the newest first and rescue last', () => {
    const ids = ['m-0-rescue', 'm-5.14.0-70.el9', 'm-5.14.0-362.el9', 'm-6.1.0~rc1', 'm-6.1.0'];
    const sorted = sortBlsEntries(ids.map((id) => parseBlsEntry(`/e/${id}.conf`, '')));
    expect(sorted.map(({ id }) => id)).toEqual([
      'm-6.1.0',
      'm-6.1.0~rc1',
      'm-5.14.0-362.el9',
      'm-5.14.0-70.el9',
      'm-0-rescue',
    ]);
  });

  test('versions are in a total order', () => {
    const version = fc.stringMatching(/^[0-9a-z.~-]{0,8}$/);
    fc.assert(
      fc.property(version, version, (left, right) => {
        expect(Math.sign(compareVersions(left, right)) + Math.sign(compareVersions(right, left))).toBe(0);
      }),
    );
  });
});
