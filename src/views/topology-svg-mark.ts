/** The few SVG marks that the topology picture is made of. All text from the machine passes through `escapeXml`. */

/** The control characters that XML 1.0 forbids even as references are dropped. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}

export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly radius: number;
}

export function drawRect(className: string, frame: Frame): string {
  const { x, y, width, height, radius } = frame;
  const size = `width="${round(width)}" height="${round(height)}"`;
  return `<rect class="${className}" x="${round(x)}" y="${round(y)}" ${size} rx="${radius}"/>`;
}

/** `anchor` is the side of the text that x stands for. */
export function drawText(
  className: string,
  place: { readonly x: number; readonly y: number; readonly anchor?: 'start' | 'middle' | 'end' },
  text: string,
): string {
  const anchor = place.anchor === undefined || place.anchor === 'start' ? '' : ` text-anchor="${place.anchor}"`;
  return `<text class="${className}" x="${round(place.x)}" y="${round(place.y)}"${anchor}>${escapeXml(text)}</text>`;
}

export function drawLine(className: string, points: readonly (readonly [number, number])[]): string {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
  return `<path class="${className}" d="${path}"/>`;
}

/** Marks that belong together, with a tooltip that a screen reader reads as their name. */
export function drawGroup(title: string, marks: readonly string[]): string {
  return `<g><title>${escapeXml(title)}</title>${marks.join('')}</g>`;
}

/** Widths of a wide sans-serif face, so that text fits whichever face the reader has. */
export function measureText(text: string, fontSize: number): number {
  let ems = 0;
  for (const character of text) ems += measureCharacter(character);
  return ems * fontSize;
}

function measureCharacter(character: string): number {
  if (/[mwMW@%]/.test(character)) return 0.9;
  if (/[A-Z]/.test(character)) return 0.7;
  if (/[ijl.,:;'|()]/.test(character)) return 0.36;
  return /[ -~×·…–]/.test(character) ? 0.6 : 1.05;
}

/** Shortens text with an ellipsis until it fits. */
export function fitText(text: string, width: number, fontSize: number): string {
  if (measureText(text, fontSize) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && measureText(`${characters.join('')}…`, fontSize) > width) characters.pop();
  return `${characters.join('').replace(/[\s,·]+$/, '')}…`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
