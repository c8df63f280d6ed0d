/**
 * @file Draws one box of the graph. In: its place, how it is marked, the theme. Out: strokes on the canvas, whose
 * transform is the graph's. Heat is a tint and a bar; in high contrast only the bar, and the number is always there.
 */
import type { GraphItem } from '../model/graphItems.ts';
import type { SceneBox } from './scene.ts';
import { titleFont, type Theme } from './theme.ts';

export interface BoxMarks {
  readonly focused: boolean;
  readonly selected: boolean;
  readonly caret: boolean;
  readonly match: boolean;
  readonly dimmed: boolean;
}

/** Zoom below which the text of ops, and then of kernels, cannot be read. */
const OP_TEXT = 0.42;
const KERNEL_TEXT = 0.2;

const radius: Readonly<Record<GraphItem['kind'], number>> = { kernel: 7, op: 4, input: 40, output: 40 };

function outline(context: CanvasRenderingContext2D, { x, y, width, height, item }: SceneBox, grow: number): void {
  const corner = Math.min(radius[item.kind], height / 2) + grow;
  context.beginPath();
  context.roundRect(x - grow, y - grow, width + 2 * grow, height + 2 * grow, corner);
}

function ring(
  context: CanvasRenderingContext2D,
  box: SceneBox,
  colour: string,
  width: number,
  grow: number,
  dash: readonly number[],
): void {
  outline(context, box, grow);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.setLineDash([...dash]);
  context.stroke();
  context.setLineDash([]);
}

function fill(context: CanvasRenderingContext2D, box: SceneBox, theme: Theme): void {
  const { item } = box;
  outline(context, box, 0);
  context.fillStyle = item.open ? theme.group : item.subdued ? theme.background : theme.box;
  context.fill();
  if (item.heat === undefined || item.open) return;
  context.save();
  context.clip();
  if (!theme.contrast) {
    context.globalAlpha *= 0.04 + 0.3 * item.heat;
    context.fillStyle = theme.heat;
    context.fillRect(box.x, box.y, box.width, box.height);
  }
  context.restore();
}

function heatBar(context: CanvasRenderingContext2D, box: SceneBox, theme: Theme): void {
  const { item, x, y, width, height } = box;
  if (item.heat === undefined) return;
  context.save();
  outline(context, box, 0);
  context.clip();
  context.fillStyle = theme.heat;
  const thick = item.kind === 'kernel' ? 4 : 3;
  context.fillRect(x, item.open ? y : y + height - thick, Math.max(2, width * item.heat), thick);
  context.restore();
}

function chevron(context: CanvasRenderingContext2D, box: SceneBox, theme: Theme): void {
  const x = box.x + box.width - 16;
  const y = box.y + 16;
  const [a, b, c] = box.item.open
    ? ([
        [-4, -2],
        [0, 2],
        [4, -2],
      ] as const)
    : ([
        [-2, -4],
        [2, 0],
        [-2, 4],
      ] as const);
  context.beginPath();
  context.moveTo(x + a[0], y + a[1]);
  context.lineTo(x + b[0], y + b[1]);
  context.lineTo(x + c[0], y + c[1]);
  context.lineWidth = 1.4;
  context.strokeStyle = theme.muted;
  context.stroke();
}

function text(context: CanvasRenderingContext2D, box: SceneBox, theme: Theme): void {
  const { item, x, y, width } = box;
  const kernel = item.kind === 'kernel';
  const pill = item.kind === 'input' || item.kind === 'output';
  const left = pill ? x + 16 : x + (kernel ? 14 : 12);
  const lineHeight = kernel ? 17 : 16;
  let baseline = y + (kernel ? 21 : 17);
  context.textBaseline = 'alphabetic';
  context.font = titleFont(theme, true);
  context.fillStyle = item.subdued ? theme.muted : theme.foreground;
  context.fillText(item.title, left, baseline);
  if (item.badge !== undefined) {
    const after = left + context.measureText(item.title).width + 8;
    context.font = titleFont(theme, false);
    context.fillStyle = theme.muted;
    context.fillText(item.badge, after, baseline);
  }
  context.font = titleFont(theme, false);
  item.lines.forEach((line, at) => {
    baseline += lineHeight;
    context.fillStyle = kernel && at === 0 ? theme.foreground : theme.muted;
    context.fillText(line, left, baseline, Math.max(20, width - (left - x) - 8));
  });
}

export function drawBox(context: CanvasRenderingContext2D, box: SceneBox, marks: BoxMarks, theme: Theme, scale: number): void {
  const { item } = box;
  context.globalAlpha = marks.dimmed ? 0.3 : 1;
  fill(context, box, theme);
  heatBar(context, box, theme);
  const thin = Math.max(1, 0.8 / scale);
  const dash = item.kind === 'input' || item.subdued ? [4, 3] : [];
  ring(context, box, item.kind === 'output' ? theme.foreground : theme.border, thin, 0, dash);
  if (!item.open && scale >= (item.kind === 'kernel' ? KERNEL_TEXT : OP_TEXT)) {
    text(context, box, theme);
    if (item.kind === 'kernel') chevron(context, box, theme);
  }
  context.globalAlpha = 1;
  const bold = Math.max(1.6, 1.6 / scale);
  if (marks.match) ring(context, box, theme.match, bold, 1.5, []);
  if (marks.caret) ring(context, box, theme.caret, bold, 3, [5, 3]);
  if (marks.selected) ring(context, box, theme.accent, bold, 1, []);
  if (marks.focused) ring(context, box, theme.accent, bold * 1.5, 1.5, []);
}

/** The heading of an open kernel, over the lines that cross it: name and figures in one row. */
export function drawHeading(context: CanvasRenderingContext2D, box: SceneBox, theme: Theme, scale: number): void {
  if (scale < KERNEL_TEXT) return;
  const { item, x, y, width } = box;
  const [left, baseline] = [x + 14, y + 22];
  const figures = item.lines.join(' · ');
  context.font = titleFont(theme, true);
  const title = context.measureText(item.title).width;
  context.font = titleFont(theme, false);
  const room = width - title - 60;
  const rest = Math.min(context.measureText(figures).width, Math.max(0, room));
  context.fillStyle = theme.group;
  context.fillRect(left - 4, y + 8, title + rest + 20, 20);
  context.textBaseline = 'alphabetic';
  context.fillStyle = theme.foreground;
  if (room > 40) context.fillText(figures, left + title + 10, baseline, room);
  context.font = titleFont(theme, true);
  context.fillText(item.title, left, baseline, width - 44);
  chevron(context, box, theme);
}
