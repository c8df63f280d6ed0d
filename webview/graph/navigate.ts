/**
 * @file Moving through the graph by arrow keys. In: the box that has the focus and a direction on the screen. Out: the
 * box to go to. Along the flow: to the nearest producer or consumer; across it: to the nearest box beside.
 */
import type { Graph } from '../model/graph.ts';
import type { Scene, SceneBox } from './scene.ts';

export type Arrow = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';
type Step = 'forward' | 'backward' | 'before' | 'after';

const steps: Readonly<Record<Scene['direction'], Readonly<Record<Arrow, Step>>>> = {
  TB: { ArrowUp: 'backward', ArrowDown: 'forward', ArrowLeft: 'before', ArrowRight: 'after' },
  LR: { ArrowLeft: 'backward', ArrowRight: 'forward', ArrowUp: 'before', ArrowDown: 'after' },
};

const centre = (box: SceneBox): readonly [number, number] => [box.x + box.width / 2, box.y + box.height / 2];

function nearest(from: SceneBox, boxes: readonly SceneBox[]): SceneBox | undefined {
  const [x, y] = centre(from);
  const distance = (box: SceneBox): number => Math.hypot(centre(box)[0] - x, centre(box)[1] - y);
  return boxes.reduce<SceneBox | undefined>((best, box) => (!best || distance(box) < distance(best) ? box : best), undefined);
}

/** The next box on the same level to one side, those in the same layer before others. */
function beside(scene: Scene, from: SceneBox, sign: 1 | -1): SceneBox | undefined {
  const [along, over] = scene.direction === 'TB' ? ([0, 1] as const) : ([1, 0] as const);
  const ahead = scene.boxes
    .filter((box) => box !== from && box.item.parent === from.item.parent)
    .map((box) => ({
      box,
      ahead: sign * (centre(box)[along] - centre(from)[along]),
      off: Math.abs(centre(box)[over] - centre(from)[over]),
    }))
    .filter((other) => other.ahead > 1);
  return ahead.reduce<(typeof ahead)[number] | undefined>(
    (best, other) => (!best || other.ahead + 8 * other.off < best.ahead + 8 * best.off ? other : best),
    undefined,
  )?.box;
}

/** Where the flow begins. */
export function firstBox(scene: Scene): SceneBox | undefined {
  const place = ({ x, y }: SceneBox): readonly [number, number] => (scene.direction === 'TB' ? [y, x] : [x, y]);
  const before = (a: SceneBox, b: SceneBox): boolean => {
    const [[along, over], [otherAlong, otherOver]] = [place(a), place(b)];
    return along < otherAlong - 1 || (along <= otherAlong + 1 && over < otherOver);
  };
  return scene.boxes.reduce<SceneBox | undefined>((best, box) => (!best || before(box, best) ? box : best), undefined);
}

export function move(scene: Scene, graph: Graph, id: string, arrow: Arrow): SceneBox | undefined {
  const from = scene.byId.get(id);
  if (!from) return firstBox(scene);
  const step = steps[scene.direction][arrow];
  if (step === 'before' || step === 'after') return beside(scene, from, step === 'after' ? 1 : -1);
  const inside = scene.boxes.filter((box) => box.item.parent === id);
  const ends = (map: Graph['producers']): readonly SceneBox[] => (map.get(id) ?? []).flatMap((end) => scene.byId.get(end) ?? []);
  if (step === 'forward') {
    // Down into an open kernel first; out of it where nothing inside follows.
    if (inside.length > 0) return firstBox({ ...scene, boxes: inside });
    return (
      nearest(from, ends(graph.consumers)) ??
      (from.item.parent === undefined ? undefined : move(closed(scene), graph, from.item.parent, arrow))
    );
  }
  return nearest(from, ends(graph.producers)) ?? (from.item.parent === undefined ? undefined : scene.byId.get(from.item.parent));
}

/** The scene as seen from outside of its open kernels. */
function closed(scene: Scene): Scene {
  return { ...scene, boxes: scene.boxes.filter((box) => box.item.parent === undefined) };
}
