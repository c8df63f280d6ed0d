/**
 * @file Draws the part of the scene that is in sight. In: the scene, the zoom, what is marked, the theme. Out: one frame.
 * What lies outside of the canvas is not drawn; the order is: edges, kernels, what stands inside of them, labels.
 */
import type { Zoom } from '../model/viewState.ts';
import { drawBox, drawHeading, type BoxMarks } from './drawBox.ts';
import { drawFarBox, drawFarLines, FAR } from './drawFar.ts';
import { drawLabel, drawLine, type LineMarks } from './drawLine.ts';
import { meets, type Rect } from './layoutTypes.ts';
import type { Scene, SceneBox, SceneLine } from './scene.ts';
import type { Theme } from './theme.ts';

export interface SceneMarks {
  readonly focus?: string;
  readonly selected: ReadonlySet<string>;
  readonly caret: ReadonlySet<string>;
  /** Boxes that match the search; absent when nothing is searched. */
  readonly matches?: ReadonlySet<string>;
}

export interface View extends Zoom {
  readonly width: number;
  readonly height: number;
}

function boxMarks({ item }: SceneBox, marks: SceneMarks): BoxMarks {
  const match = marks.matches?.has(item.id) ?? false;
  return {
    focused: item.id === marks.focus,
    selected: marks.selected.has(item.id),
    caret: marks.caret.has(item.id),
    match,
    dimmed: marks.matches !== undefined && !match && !item.open,
  };
}

function lineMarks({ edge }: SceneLine, marks: SceneMarks): LineMarks {
  const ends = [edge.from, edge.to, ...edge.innerFrom, ...edge.innerTo];
  return { bright: marks.focus !== undefined && ends.includes(marks.focus), dimmed: marks.matches !== undefined };
}

export function drawScene(context: CanvasRenderingContext2D, scene: Scene, view: View, marks: SceneMarks, theme: Theme): void {
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = theme.background;
  context.fillRect(0, 0, view.width, view.height);
  context.setTransform(ratio * view.k, 0, 0, ratio * view.k, ratio * view.x, ratio * view.y);
  const margin = 20 / view.k;
  const sight: Rect = {
    x: -view.x / view.k - margin,
    y: -view.y / view.k - margin,
    width: view.width / view.k + 2 * margin,
    height: view.height / view.k + 2 * margin,
  };
  const boxes = scene.boxes.filter((box) => meets(box, sight));
  const lines = scene.lines.filter((line) => meets(line.bounds, sight));
  if (view.k < FAR) {
    const inner = boxes.filter((box) => box.item.parent !== undefined);
    for (const box of boxes) if (box.item.parent === undefined) drawFarBox(context, box, marks, theme, view.k);
    drawFarLines(context, lines, theme, view.k);
    for (const box of inner) drawFarBox(context, box, marks, theme, view.k);
    return;
  }
  const draw = (inside: boolean): void => {
    for (const line of lines) if (line.inside === inside) drawLine(context, line, scene, lineMarks(line, marks), theme, view.k);
  };
  draw(false);
  for (const box of boxes) if (box.item.parent === undefined) drawBox(context, box, boxMarks(box, marks), theme, view.k);
  draw(true);
  for (const box of boxes) if (box.item.open) drawHeading(context, box, theme, view.k);
  for (const box of boxes) if (box.item.parent !== undefined) drawBox(context, box, boxMarks(box, marks), theme, view.k);
  const taken: Rect[] = [];
  const labelled = lines.map((line) => ({ line, marks: lineMarks(line, marks) }));
  const said = new Set<string>();
  // Those of the focus come first to the places that there are; one tensor is labelled once, wherever it goes.
  for (const bright of [true, false]) {
    for (const { line, marks: own } of labelled) {
      if (own.bright !== bright) continue;
      const tensor = `${line.edge.from} ${line.edge.label}`;
      if (!bright && said.has(tensor)) continue;
      said.add(tensor);
      drawLabel(context, line, scene, own, theme, view.k, taken);
    }
  }
}
