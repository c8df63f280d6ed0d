/**
 * @file Lays out open kernels inside out: first what stands in each, then the kernels as boxes of that size. In: a
 * request and an engine for one level. Out: the whole layout, in the direction asked for; every edge ends at its boxes'
 * borders, spread along them.
 */
import { push } from '../model/joins.ts';
import type { FlatEngine, FlatLayout, Gaps, Layout, LayoutBox, LayoutEdge, LayoutRequest, Point, Rect } from './layoutTypes.ts';

export const HEADER = 44;
export const PADDING = 18;

const gapsOf: Readonly<Record<LayoutRequest['direction'], Gaps>> = {
  TB: { between: 28, layers: 44 },
  // Edges run along the text here: labels need their length.
  LR: { between: 22, layers: 112 },
};

const turn = ([x, y]: Point): Point => [y, x];

interface Level {
  readonly rects: ReadonlyMap<string, Rect>;
  readonly lines: ReadonlyMap<string, readonly Point[]>;
  readonly width: number;
  readonly height: number;
}

/** Where an edge leaves or enters a side of a box: its share of the middle part of that side. */
function ports(
  boxes: readonly LayoutBox[],
  edges: readonly LayoutEdge[],
  flat: FlatLayout,
): Map<string, { start: Point; end: Point }> {
  const size = new Map(boxes.map((box) => [box.id, box]));
  const leaving = new Map<string, { edge: LayoutEdge; toward: number }[]>();
  const entering = new Map<string, { edge: LayoutEdge; toward: number }[]>();
  for (const edge of edges) {
    const bends = flat.bends.get(edge.id) ?? [];
    push(leaving, edge.from, { edge, toward: (bends[0] ?? flat.centres.get(edge.to))?.[0] ?? 0 });
    push(entering, edge.to, { edge, toward: (bends.at(-1) ?? flat.centres.get(edge.from))?.[0] ?? 0 });
  }
  const points = new Map<string, { start: Point; end: Point }>();
  const spread = (sides: ReadonlyMap<string, { edge: LayoutEdge; toward: number }[]>, side: 1 | -1): void => {
    for (const [id, list] of sides) {
      const [x, y] = flat.centres.get(id) ?? [0, 0];
      const { width = 0, height = 0 } = size.get(id) ?? {};
      const step = Math.min(16, (width * 0.6) / list.length);
      list.sort((a, b) => a.toward - b.toward);
      list.forEach(({ edge }, at) => {
        const point: Point = [x + (at - (list.length - 1) / 2) * step, y + (side * height) / 2];
        const known = points.get(edge.id) ?? { start: point, end: point };
        points.set(edge.id, side === 1 ? { ...known, start: point } : { ...known, end: point });
      });
    }
  };
  spread(leaving, 1);
  spread(entering, -1);
  return points;
}

function layoutLevel(
  boxes: readonly LayoutBox[],
  edges: readonly LayoutEdge[],
  direction: LayoutRequest['direction'],
  engine: FlatEngine,
): Level {
  const across = direction === 'LR';
  const sized = across ? boxes.map((box) => ({ ...box, width: box.height, height: box.width })) : boxes;
  const flat = engine(sized, edges, gapsOf[direction]);
  const ends = ports(sized, edges, flat);
  const place = (point: Point): Point => (across ? turn(point) : point);
  const rects = new Map<string, Rect>();
  for (const box of boxes) {
    const [x, y] = place(flat.centres.get(box.id) ?? [0, 0]);
    rects.set(box.id, { x: x - box.width / 2, y: y - box.height / 2, width: box.width, height: box.height });
  }
  const lines = new Map<string, readonly Point[]>();
  for (const edge of edges) {
    const { start, end } = ends.get(edge.id) ?? {};
    if (start && end) lines.set(edge.id, [start, ...(flat.bends.get(edge.id) ?? []), end].map(place));
  }
  const [width, height] = across ? [flat.height, flat.width] : [flat.width, flat.height];
  return { rects, lines, width, height };
}

export function layoutCompound(request: Omit<LayoutRequest, 'id'>, engine: FlatEngine): Layout {
  const { direction } = request;
  const children = new Map<string, LayoutBox[]>();
  const within = new Map<string, LayoutEdge[]>();
  for (const box of request.boxes) if (box.parent !== undefined) push(children, box.parent, box);
  for (const edge of request.edges) if (edge.parent !== undefined) push(within, edge.parent, edge);
  const inner = new Map<string, Level>();
  for (const [parent, boxes] of children) inner.set(parent, layoutLevel(boxes, within.get(parent) ?? [], direction, engine));
  const top = request.boxes
    .filter((box) => box.parent === undefined)
    .map((box): LayoutBox => {
      const level = inner.get(box.id);
      if (!level) return box;
      return { id: box.id, width: Math.max(box.width, level.width + 2 * PADDING), height: level.height + HEADER + PADDING };
    });
  const outer = layoutLevel(
    top,
    request.edges.filter((edge) => edge.parent === undefined),
    direction,
    engine,
  );
  const boxes = new Map(outer.rects);
  const edges = new Map(outer.lines);
  for (const [parent, level] of inner) {
    const rect = outer.rects.get(parent);
    if (!rect) continue;
    const dx = rect.x + (rect.width - level.width) / 2;
    const dy = rect.y + HEADER;
    for (const [id, child] of level.rects) boxes.set(id, { ...child, x: child.x + dx, y: child.y + dy });
    for (const [id, line] of level.lines)
      edges.set(
        id,
        line.map(([x, y]): Point => [x + dx, y + dy]),
      );
  }
  return { boxes, edges, width: outer.width, height: outer.height };
}
