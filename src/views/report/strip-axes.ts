import { printLimit } from '../duration.ts';
import { label, line } from './mark.ts';
import { type Markup, tag } from './markup.ts';
import type { LogScale } from './scale.ts';

/** Of plots that are strips below each other over one axis of time: their width, and the margins beside them. */
export const WIDTH = 860;
export const LEFT = 62;
export const RIGHT = 16;

export interface StripAxes {
  readonly y: LogScale;
  /** Where the strip begins, from the top of the drawing. */
  readonly top: number;
  /** The times that are written beside it, ns. */
  readonly ticks: readonly number[];
  readonly name: string;
}

/** The lines of a strip's decades, its ticks and its name. */
export function drawStripAxes({ y, top, ticks, name }: StripAxes): Markup {
  return tag(
    'g',
    { class: 'axes' },
    ...y.majors.map((ns) =>
      line('major', [
        [LEFT, top + y.at(ns)],
        [WIDTH - RIGHT, top + y.at(ns)],
      ]),
    ),
    ...ticks.map((ns) => label('tick end', [LEFT - 7, top + y.at(ns) + 4], ns < 1000 ? `${ns}ns` : printLimit(ns))),
    label('strip-name', [LEFT, top + 12], name),
  );
}
