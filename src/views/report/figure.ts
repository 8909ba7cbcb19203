import { type Markup, tag, text } from './markup.ts';

/** A plot with its title, what is to be known of it, and what its marks mean. */
export function figure(title: string, note: string, ...children: readonly Markup[]): Markup {
  const caption = tag(
    'figcaption',
    {},
    tag('strong', {}, text(title)),
    ...(note === '' ? [] : [tag('span', { class: 'muted' }, text(` ${note}`))]),
  );
  return tag('figure', {}, caption, ...children);
}
