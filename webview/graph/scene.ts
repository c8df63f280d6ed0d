/**
 * @file Boxes and lines with their places, in the order of drawing. In: the graph and its layout. Out: what the canvas
 * draws and the pointer meets. Lines into an open kernel go on to the boxes in it, as long as these are few.
 */
import type { Graph, GraphEdge } from '../model/graph.ts';
import type { GraphItem } from '../model/graphItems.ts';
import type { Direction } from '../model/viewState.ts';
import { HEADER, type layoutCompound } from './compound.ts';
import type { Layout, LayoutRequest, Point, Rect } from './layoutTypes.ts';

export interface SceneBox extends Rect {
  readonly item: GraphItem;
}

export interface SceneLine {
  readonly edge: GraphEdge;
  readonly kind: 'flow' | 'back' | 'thread';
  readonly points: readonly Point[];
  readonly bounds: Rect;
  readonly inside: boolean;
}

export interface Scene {
  readonly boxes: readonly SceneBox[];
  readonly lines: readonly SceneLine[];
  readonly byId: ReadonlyMap<string, SceneBox>;
  readonly width: number;
  readonly height: number;
  readonly direction: Direction;
}

export type Measure = (text: string, bold: boolean) => number;

/** Ends inside a kernel beyond which its border is all that is joined. */
const MOST_THREADS = 6;

export function boxSize(item: GraphItem, measure: Measure): { readonly width: number; readonly height: number } {
  const title = measure(item.title, true) + (item.badge ? measure(item.badge, false) + 12 : 0);
  const text = item.lines.reduce((widest, line) => Math.max(widest, measure(line, false)), title);
  const rows = 1 + item.lines.length;
  // The heading of an open kernel is one row.
  if (item.open) return { width: Math.ceil(title + measure(item.lines.join(' · '), false)) + 64, height: rows * 17 + 18 };
  if (item.kind === 'kernel') return { width: Math.ceil(text) + 40, height: rows * 17 + 18 };
  return { width: Math.ceil(text) + (item.kind === 'op' ? 24 : 32), height: rows * 16 + 10 };
}

export function layoutRequest(graph: Graph, direction: Direction, measure: Measure): Parameters<typeof layoutCompound>[0] {
  const boxes: LayoutRequest['boxes'] = [...graph.items.values()].map((item) => ({
    id: item.id,
    parent: item.parent,
    ...boxSize(item, measure),
  }));
  const edges = graph.edges.filter((edge) => !edge.back).map(({ id, from, to, parent }) => ({ id, from, to, parent }));
  return { boxes, edges, direction };
}

function bounds(points: readonly Point[]): Rect {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** From the side of the later box around to the side of the earlier one. */
function backLine(from: Rect, to: Rect, direction: Direction): readonly Point[] {
  if (direction === 'TB') {
    const side = Math.max(from.x + from.width, to.x + to.width) + 26;
    const [y1, y2] = [from.y + from.height / 2, to.y + to.height / 2];
    return [
      [from.x + from.width, y1],
      [side, y1],
      [side, y2],
      [to.x + to.width, y2],
    ];
  }
  const side = Math.max(from.y + from.height, to.y + to.height) + 26;
  const [x1, x2] = [from.x + from.width / 2, to.x + to.width / 2];
  return [
    [x1, from.y + from.height],
    [x1, side],
    [x2, side],
    [x2, to.y + to.height],
  ];
}

export function buildScene(graph: Graph, layout: Layout, direction: Direction): Scene {
  const boxes: SceneBox[] = [];
  for (const item of graph.items.values()) {
    const rect = layout.boxes.get(item.id);
    if (rect) boxes.push({ ...rect, item });
  }
  const byId = new Map(boxes.map((box) => [box.item.id, box]));
  const lines: SceneLine[] = [];
  const add = (edge: GraphEdge, kind: SceneLine['kind'], points: readonly Point[]): void => {
    lines.push({ edge, kind, points, bounds: bounds(points), inside: edge.parent !== undefined || kind === 'thread' });
  };
  const across = direction === 'LR';
  const entry = ({ x, y, width, height }: Rect): Point => (across ? [x, y + height / 2] : [x + width / 2, y]);
  const exit = ({ x, y, width, height }: Rect): Point => (across ? [x + width, y + height / 2] : [x + width / 2, y + height]);
  for (const edge of graph.edges) {
    const from = byId.get(edge.from);
    const to = byId.get(edge.to);
    if (!from || !to) continue;
    const points = edge.back ? backLine(from, to, direction) : layout.edges.get(edge.id);
    const [first, last] = [points?.[0], points?.at(-1)];
    if (!points || !first || !last) continue;
    add(edge, edge.back ? 'back' : 'flow', points);
    if (edge.back) continue;
    if (edge.innerTo.length <= MOST_THREADS) {
      // The header stands between a kernel's upper border and its ops.
      const stop: Point = across ? last : [last[0], last[1] + HEADER - 14];
      for (const id of edge.innerTo) {
        const box = byId.get(id);
        if (box) add(edge, 'thread', across ? [last, entry(box)] : [last, stop, entry(box)]);
      }
    }
    if (edge.innerFrom.length <= MOST_THREADS) {
      for (const id of edge.innerFrom) {
        const box = byId.get(id);
        if (box) add(edge, 'thread', [exit(box), first]);
      }
    }
  }
  return { boxes, lines, byId, width: layout.width, height: layout.height, direction };
}

/** The innermost box at a point. */
export function boxAt(scene: Scene, [x, y]: Point): SceneBox | undefined {
  const hit = (box: SceneBox): boolean => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
  return scene.boxes.findLast((box) => box.item.kind !== 'kernel' && hit(box)) ?? scene.boxes.find(hit);
}
