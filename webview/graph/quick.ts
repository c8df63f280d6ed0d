/**
 * @file The first picture, in linear time, shown until the worker's layout comes or where it was cancelled. In: one
 * level of boxes and edges. Out: layers of boxes, each ordered by where its producers stand.
 */
import { push } from '../model/joins.ts';
import type { FlatEngine, LayoutBox, Point } from './layoutTypes.ts';
import { longestPathRanks } from './ranks.ts';

export const quickLayout: FlatEngine = (boxes, edges, gaps) => {
  const ranks = longestPathRanks(
    boxes.map((box) => box.id),
    edges,
  );
  const producers = new Map<string, string[]>();
  for (const { from, to } of edges) push(producers, to, from);
  const layers = new Map<number, LayoutBox[]>();
  for (const box of boxes) push(layers, ranks.get(box.id) ?? 0, box);
  const centres = new Map<string, Point>();
  let y = 0;
  let least = 0;
  let most = 0;
  for (const rank of [...layers.keys()].sort((a, b) => a - b)) {
    const layer = layers.get(rank) ?? [];
    const wanted = layer.map((box) => {
      const xs = (producers.get(box.id) ?? []).map((id) => centres.get(id)?.[0]).filter((x) => x !== undefined);
      return { box, x: xs.length > 0 ? xs.reduce((sum, x) => sum + x, 0) / xs.length : 0 };
    });
    wanted.sort((a, b) => a.x - b.x);
    const height = layer.reduce((tallest, box) => Math.max(tallest, box.height), 0);
    const width = layer.reduce((sum, box) => sum + box.width + gaps.between, -gaps.between);
    let x = wanted.reduce((sum, { x: middle }) => sum + middle, 0) / Math.max(1, wanted.length) - width / 2;
    least = Math.min(least, x);
    most = Math.max(most, x + width);
    for (const { box } of wanted) {
      centres.set(box.id, [x + box.width / 2, y + height / 2]);
      x += box.width + gaps.between;
    }
    y += height + gaps.layers;
  }
  const shifted = new Map([...centres].map(([id, [x, cy]]): [string, Point] => [id, [x - least, cy]]));
  return { centres: shifted, bends: new Map(), width: most - least, height: Math.max(0, y - gaps.layers) };
};
