/**
 * @file The scene from far away, where thousands of boxes are in sight and none can be read. In: as for the near
 * drawing. Out: plain rectangles coloured by heat, and all edges in one stroke: a frame stays cheap.
 */
import type { SceneMarks } from './draw.ts';
import type { SceneBox, SceneLine } from './scene.ts';
import type { Theme } from './theme.ts';

export const FAR = 0.14;

export function drawFarLines(context: CanvasRenderingContext2D, lines: readonly SceneLine[], theme: Theme, scale: number): void {
  context.beginPath();
  for (const { points, kind } of lines) {
    const [first, ...rest] = points;
    if (!first || kind === 'thread') continue;
    context.moveTo(...first);
    for (const point of rest) context.lineTo(...point);
  }
  context.globalAlpha = 0.3;
  context.strokeStyle = theme.edge;
  context.lineWidth = 0.8 / scale;
  context.stroke();
  context.globalAlpha = 1;
}

function ring(box: SceneBox, marks: SceneMarks, theme: Theme): string | undefined {
  const { id } = box.item;
  if (marks.selected.has(id) || marks.focus === id) return theme.accent;
  if (marks.matches?.has(id)) return theme.match;
  return marks.caret.has(id) ? theme.caret : undefined;
}

export function drawFarBox(
  context: CanvasRenderingContext2D,
  box: SceneBox,
  marks: SceneMarks,
  theme: Theme,
  scale: number,
): void {
  const { x, y, width, height, item } = box;
  context.fillStyle = item.open ? theme.group : theme.border;
  context.fillRect(x, y, width, height);
  if (item.heat !== undefined && !item.open) {
    context.globalAlpha = 0.15 + 0.85 * item.heat;
    context.fillStyle = theme.heat;
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
  }
  const colour = ring(box, marks, theme);
  if (colour === undefined) return;
  context.strokeStyle = colour;
  context.lineWidth = 3 / scale;
  context.strokeRect(x, y, width, height);
}
