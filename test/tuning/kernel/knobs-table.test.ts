import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalogue } from '../../../src/tuning/knobs/catalogue.ts';
import { type Knob, type Place, placesOf } from '../../../src/tuning/knobs/knob.ts';

const README = join(import.meta.dirname, '../../../src/tuning/knobs/README.md');
const BEGIN = '<!-- begin: made from the code by test/tuning/kernel/knobs-table.test.ts -->';
const END = '<!-- end -->';

test('the table of knobs in the README is that of the code (UPDATE=1 rewrites it)', () => {
  const text = readFileSync(README, 'utf8');
  const [before, rest] = text.split(BEGIN) as [string, string];
  const after = rest.slice(rest.indexOf(END));
  const wanted = `${before}${BEGIN}\n${renderTable(catalogue)}\n${after}`;
  if (process.env.UPDATE === '1') writeFileSync(README, wanted);
  expect(withoutPadding(readFileSync(README, 'utf8'))).toBe(withoutPadding(wanted));
});

/** The formatter pads the columns. */
function withoutPadding(text: string): string {
  return text.replaceAll(/-{3,}/g, '---').replaceAll(/[ \t]+/g, ' ');
}

function renderTable(knobs: readonly Knob[]): string {
  const rows = knobs.map((knob) => {
    const places = placesOf(knob).map(renderPlace).join('<br>');
    const limits = [knob.needs && `needs ${knob.needs}`, knob.gone, knob.inert].filter(Boolean).join(' ');
    return `| [${knob.name}](${knob.doc}) | ${knob.key ?? 'kernel.sysctl'} | ${places} | ${limits} |`;
  });
  return ['| knob | profile key | where | limits |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function renderPlace({ path, since, until, note }: Place): string {
  const from = since && `from ${since.join('.')}`;
  const before = until && `before ${until.join('.')}`;
  const when = [from, before].filter(Boolean).join(', ');
  return [`\`${path}\``, when && `(${when})`, note].filter(Boolean).join(' ');
}
