/** A part of the picture that knows its size before it is drawn. */
export interface Box {
  readonly width: number;
  /** The height it needs; it may be drawn higher to line up with its neighbours. */
  readonly height: number;
  draw(place: Place): string;
}

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** Boxes below each other. */
export function stackBoxes(boxes: readonly Box[], gap: number): Box {
  const height = boxes.reduce((sum, box) => sum + box.height, 0) + gap * Math.max(0, boxes.length - 1);
  return {
    width: Math.max(0, ...boxes.map((box) => box.width)),
    height,
    draw({ x, y }) {
      let top = y;
      return boxes
        .map((box) => {
          const mark = box.draw({ x, y: top, height: box.height });
          top += box.height + gap;
          return mark;
        })
        .join('');
    },
  };
}

/** Boxes in rows of so many, each row as high as its highest box. */
export function arrangeBoxes(boxes: readonly Box[], perRow: number, gap: number): Box {
  const rows = Array.from({ length: Math.ceil(boxes.length / perRow) }, (_, row) =>
    boxes.slice(row * perRow, (row + 1) * perRow),
  );
  return stackBoxes(
    rows.map((row) => lineUp(row, gap)),
    gap,
  );
}

function lineUp(boxes: readonly Box[], gap: number): Box {
  return {
    width: boxes.reduce((sum, box) => sum + box.width, 0) + gap * Math.max(0, boxes.length - 1),
    height: Math.max(0, ...boxes.map((box) => box.height)),
    draw({ x, y, height }) {
      let left = x;
      return boxes
        .map((box) => {
          const mark = box.draw({ x: left, y, height });
          left += box.width + gap;
          return mark;
        })
        .join('');
    },
  };
}
