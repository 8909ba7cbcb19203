import { escapeXml } from '../topology-svg-mark.ts';

/** Markup of a page that is also well-formed XML. Made by `tag` and `text` alone, so that nothing from a machine gets in unescaped. */
export type Markup = string & { readonly __markup: true };

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Text from anywhere, as text. */
export function text(content: string): Markup {
  return escapeXml(content) as Markup;
}

/** Empty elements close themselves only where HTML knows them as empty, and in SVG. */
const EMPTY = new Set(['meta', 'col', 'br', 'path', 'rect', 'line', 'circle', 'use']);

/** Attributes are escaped; undefined ones are left out. A string child is text, not markup. */
export function tag(name: string, attributes: Attributes, ...children: readonly Markup[]): Markup {
  const listed = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escapeXml(`${typeof value === 'number' ? round(value) : value}`)}"`],
  );
  const open = `<${name}${listed.join('')}`;
  return (EMPTY.has(name) ? `${open}/>` : `${open}>${children.join('')}</${name}>`) as Markup;
}

export function joined(parts: readonly Markup[]): Markup {
  return parts.join('') as Markup;
}

/** What is well-formed by its own making: the topology picture. */
export function trusted(markup: string): Markup {
  return markup as Markup;
}

export const NOTHING = '' as Markup;

export function paragraph(content: string, className?: string): Markup {
  return tag('p', { class: className }, text(content));
}

/** A part of the page with its title; `id` is unique in it. */
export function section(id: string, title: string, ...children: readonly Markup[]): Markup {
  return tag('section', { id }, tag('h2', {}, text(title)), ...children);
}

/** What is wider than a telephone scrolls by itself and not the page. */
export function scrolling(...children: readonly Markup[]): Markup {
  return tag('div', { class: 'scroll' }, ...children);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
