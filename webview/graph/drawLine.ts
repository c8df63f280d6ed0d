/**
 * @file Draws the edges. In: their points, whether they touch the focus, the theme. Out: smooth lines with an arrow
 * head, and shapes written on them when there is room. Back edges are dashed.
 */
import type { Point } from './layoutTypes.ts';
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

/** Where the label stands: the middle of the line, on the straightest part of it. */
function labelPoint(points: readonly Point[]): Point {
  const middle = Math.floor((points.length - 1) / 2);
  const [a, b] = [points[middle], points[middle + 1]];
  if (!a || !b) return a ?? [0, 0];
  return points.length % 2 === 1 ? a : [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

export function drawLabel(
  context: CanvasRenderingContext2D,
  line: SceneLine,
  marks: LineMarks,
  theme: Theme,
  scale: number,
): void {
  const { label } = line.edge;
  if (scale < LABEL_FROM || marks.dimmed || line.kind === 'thread' || label === '') return;
  const [x, y] = labelPoint(line.points);
  context.font = titleFont(theme, false).replace('12px', '10.5px');
  const width = context.measureText(label).width + 8;
  context.globalAlpha = 0.88;
  context.fillStyle = line.inside ? theme.group : theme.background;
  context.beginPath();
  context.roundRect(x - width / 2, y - 8, width, 16, 3);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = marks.bright ? theme.foreground : theme.muted;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(label, x, y);
  context.textAlign = 'left';
}
