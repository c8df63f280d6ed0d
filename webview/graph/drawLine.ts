/**
 * @file Draws the edges. In: their points, whether they touch the focus, the theme. Out: smooth lines with an arrow
 * head, and shapes written on them when there is room. Back edges are dashed.
 */
import { meets, type Point, type Rect } from './layoutTypes.ts';
import type { Scene, SceneLine } from './scene.ts';
import { titleFont, type Theme } from './theme.ts';

const LABEL_FROM = 0.55;

function curve(context: CanvasRenderingContext2D, { points, kind }: SceneLine, across: boolean): void {
  const [first, ...rest] = points;
  if (!first) return;
  context.beginPath();
  context.moveTo(...first);
  let [x, y] = first;
  for (const [nx, ny] of rest) {
    if (kind === 'back') context.lineTo(nx, ny);
    else if (across) context.bezierCurveTo((x + nx) / 2, y, (x + nx) / 2, ny, nx, ny);
    else context.bezierCurveTo(x, (y + ny) / 2, nx, (y + ny) / 2, nx, ny);
    [x, y] = [nx, ny];
  }
  context.stroke();
}

function arrow(context: CanvasRenderingContext2D, [x, y]: Point, towards: 'down' | 'right' | 'left' | 'up'): void {
  const [dx, dy] = { down: [0, 1], up: [0, -1], right: [1, 0], left: [-1, 0] }[towards] as [number, number];
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - 7 * dx - 3.5 * dy, y - 7 * dy - 3.5 * dx);
  context.lineTo(x - 7 * dx + 3.5 * dy, y - 7 * dy + 3.5 * dx);
  context.closePath();
  context.fill();
}

export interface LineMarks {
  readonly bright: boolean;
  readonly dimmed: boolean;
}

export function drawLine(
  context: CanvasRenderingContext2D,
  line: SceneLine,
  scene: Scene,
  marks: LineMarks,
  theme: Theme,
  scale: number,
): void {
  const across = scene.direction === 'LR';
  const last = line.points.at(-1);
  if (!last) return;
  const colour = marks.bright ? theme.accent : theme.edge;
  context.globalAlpha = marks.dimmed ? 0.12 : marks.bright || theme.contrast ? 1 : line.kind === 'thread' ? 0.4 : 0.6;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = (marks.bright ? 2 : 1.1) / Math.min(1, Math.max(scale, 0.25));
  context.setLineDash(line.kind === 'back' ? [5, 4] : line.kind === 'thread' ? [2, 3] : []);
  curve(context, line, across);
  context.setLineDash([]);
  if (scale > 0.3) arrow(context, last, line.kind === 'back' ? (across ? 'up' : 'left') : across ? 'right' : 'down');
  context.globalAlpha = 1;
}

/** A point of the drawn curve between two of its points. */
function between(a: Point, b: Point, t: number, across: boolean): Point {
  const bent = (from: number, to: number): number => from + (to - from) * t * t * (3 - 2 * t);
  const straight = (from: number, to: number): number => {
    const middle = (from + to) / 2;
    return from * (1 - t) ** 3 + middle * 3 * t * (1 - t) + to * t ** 3;
  };
  return across ? [straight(a[0], b[0]), bent(a[1], b[1])] : [bent(a[0], b[0]), straight(a[1], b[1])];
}

/** Places for a label, the best first. */
function spots(points: readonly Point[], across: boolean): readonly Point[] {
  const middle = Math.floor((points.length - 1) / 2);
  const [a, b] = [points[middle], points[middle + 1]];
  if (!a || !b) return [];
  return [0.5, 0.28, 0.72].map((t) => between(a, b, t, across));
}

/** Writes the label where it covers no other of this frame; where there is no room it is left out. */
export function drawLabel(
  context: CanvasRenderingContext2D,
  line: SceneLine,
  scene: Scene,
  marks: LineMarks,
  theme: Theme,
  scale: number,
  taken: Rect[],
): void {
  const { label } = line.edge;
  if (scale < LABEL_FROM || marks.dimmed || line.kind === 'thread' || label === '') return;
  context.font = titleFont(theme, false).replace('12px', '10.5px');
  const width = context.measureText(label).width + 8;
  const places = spots(line.points, scene.direction === 'LR').map(([x, y]): Rect => ({
    x: x - width / 2,
    y: y - 8,
    width,
    height: 16,
  }));
  const free = places.find((rect) => !taken.some((other) => meets(rect, other)));
  if (!free) return;
  taken.push(free);
  context.globalAlpha = 0.88;
  context.fillStyle = line.inside ? theme.group : theme.background;
  context.beginPath();
  context.roundRect(free.x, free.y, width, 16, 3);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = marks.bright ? theme.foreground : theme.muted;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(label, free.x + width / 2, free.y + 8);
  context.textAlign = 'left';
}
