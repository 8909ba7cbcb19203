import { type Markup, tag, text } from './markup.ts';

/** Lines that can be told apart without colours: each has its own dashes and its own mark. As many as a plot has. */
export const LINE_KINDS = 6;

export function line(className: string, points: readonly (readonly [number, number])[]): Markup {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${short(x)} ${short(y)}`).join('');
  return tag('path', { class: className, d: path });
}

export function label(className: string, [x, y]: readonly [number, number], content: string): Markup {
  return tag('text', { class: className, x, y }, text(content));
}

/** The mark of a kind of line: circle, square, triangle, diamond, cross, plus. */
export function mark(kind: number, [x, y]: readonly [number, number], className = ''): Markup {
  const [left, right, top, bottom] = [x - 4, x + 4, y - 4, y + 4].map(short);
  const [x0, y0] = [short(x), short(y)];
  const shapes = [
    `M${left} ${y0}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z`,
    `M${left} ${top}H${right}V${bottom}H${left}z`,
    `M${x0} ${short(y - 5)}L${short(x + 5)} ${bottom}H${short(x - 5)}z`,
    `M${x0} ${short(y - 5.5)}L${short(x + 5.5)} ${y0}L${x0} ${short(y + 5.5)}L${short(x - 5.5)} ${y0}z`,
    `M${left} ${top}L${right} ${bottom}M${right} ${top}L${left} ${bottom}`,
    `M${x0} ${top}V${bottom}M${left} ${y0}H${right}`,
  ];
  const index = kind % LINE_KINDS;
  return tag('path', { class: `mark k${index} ${className}`.trim(), d: shapes[index] });
}

/** A line with its mark and its name, outside of the plot. */
export function legendEntry(kind: number, name: string, note = ''): Markup {
  const sample = tag(
    'svg',
    { class: 'key', width: 36, height: 14, viewBox: '0 0 36 14', 'aria-hidden': 'true' },
    line(`curve k${kind % LINE_KINDS}`, [
      [1, 7],
      [35, 7],
    ]),
    mark(kind, [18, 7]),
  );
  const noted = note === '' ? [] : [tag('span', { class: 'muted' }, text(` ${note}`))];
  return tag('li', {}, sample, tag('span', {}, text(name)), ...noted);
}

/** A drawing that scales with the page, with its name for those who do not see it. */
export function drawing(
  { width, height, name }: { readonly width: number; readonly height: number; readonly name: string },
  ...marks: readonly Markup[]
): Markup {
  const [wide, high] = [Math.ceil(width), Math.ceil(height)];
  const size = { viewBox: `0 0 ${wide} ${high}`, style: `min-width:${Math.min(700, wide)}px;max-width:${wide}px` };
  return tag('svg', { class: 'plot', role: 'img', 'aria-label': name, ...size }, ...marks);
}

function short(value: number): number {
  return Math.round(value * 10) / 10;
}
