/** @file Layouts: no overlap, edges end at borders, large graphs in time; keys move along the edges. */
import { describe, expect, it } from 'vitest';
import { layoutCompound } from '../../webview/graph/compound.ts';
import { meets, type FlatEngine } from '../../webview/graph/layoutTypes.ts';
import { move } from '../../webview/graph/navigate.ts';
import { quickLayout } from '../../webview/graph/quick.ts';
import { boxAt, buildScene, layoutRequest } from '../../webview/graph/scene.ts';
import { sugiyamaLayout } from '../../webview/graph/sugiyama.ts';
import { buildGraph } from '../../webview/model/graph.ts';
import { indexProfile } from '../../webview/model/joins.ts';
import type { Direction } from '../../webview/model/viewState.ts';
import type { Profile } from '../../runtime/profile/model.ts';
import { conv2dProfile, largeProfile, lstmProfile } from '../fixtures/profiles.ts';

const measure = (text: string): number => text.length * 7;

function scene(profile: Profile, engine: FlatEngine, direction: Direction, open: boolean) {
  const index = indexProfile(profile);
  const expanded = new Set(open ? index.traced.map((kernel) => kernel.id) : []);
  const graph = buildGraph(index, { expanded, fold: true, quiet: true, metric: 'time' });
  return { graph, scene: buildScene(graph, layoutCompound(layoutRequest(graph, direction, measure), engine), direction) };
}

const engines = { quick: quickLayout, sugiyama: sugiyamaLayout };

describe.each(Object.entries(engines))('%s', (_, engine) => {
  it.each(['TB', 'LR'] as const)('lays out boxes without overlap, ops inside their kernels (%s)', (direction) => {
    for (const profile of [conv2dProfile(), lstmProfile()]) {
      const { scene: drawn, graph } = scene(profile, engine, direction, true);
      expect(drawn.boxes).toHaveLength(graph.items.size);
      drawn.boxes.forEach((a, at) => {
        const parent = a.item.parent === undefined ? undefined : drawn.byId.get(a.item.parent);
        if (parent) {
          expect(a.x).toBeGreaterThanOrEqual(parent.x);
          expect(a.x + a.width).toBeLessThanOrEqual(parent.x + parent.width + 0.01);
          expect(a.y + a.height).toBeLessThanOrEqual(parent.y + parent.height + 0.01);
        }
        for (const b of drawn.boxes.slice(at + 1)) {
          if (a.item.parent === b.item.parent)
            expect(meets({ ...a, width: a.width - 1, height: a.height - 1 }, b), `${a.item.id} / ${b.item.id}`).toBe(false);
        }
      });
    }
  });

  it('runs every edge forward, from border to border', () => {
    const { scene: drawn } = scene(conv2dProfile(), engine, 'TB', true);
    for (const { edge, points, kind } of drawn.lines) {
      const [from, to] = [drawn.byId.get(edge.from), drawn.byId.get(edge.to)];
      if (kind !== 'flow' || !from || !to) continue;
      expect(points[0]?.[1]).toBeCloseTo(from.y + from.height, 3);
      expect(points.at(-1)?.[1]).toBeCloseTo(to.y, 3);
      expect(to.y).toBeGreaterThanOrEqual(from.y + from.height);
    }
  });
});

it('lays out 5,000 ops', { timeout: 30_000 }, () => {
  const { scene: drawn } = scene(largeProfile(5000), sugiyamaLayout, 'TB', true);
  expect(drawn.boxes.length).toBeGreaterThan(5000);
  expect(drawn.boxes.every((box) => Number.isFinite(box.x) && Number.isFinite(box.y))).toBe(true);
});

it('makes the first picture of 5,000 ops at once', () => {
  const profile = largeProfile(5000);
  const start = performance.now();
  scene(profile, quickLayout, 'TB', false);
  // 300 ms are promised; the rest is for slow machines.
  expect(performance.now() - start).toBeLessThan(1500);
});

describe('keys', () => {
  const { scene: drawn, graph } = scene(conv2dProfile(), sugiyamaLayout, 'TB', true);
  const titled = (title: string) => drawn.boxes.find((box) => box.item.title === title)?.item.id ?? '';

  it('move along the edges', () => {
    expect(move(drawn, graph, titled('unfold'), 'ArrowDown')?.item.title).toBe('transpose');
    expect(move(drawn, graph, titled('matmul'), 'ArrowUp')?.item.title).toBe('select');
    expect(move(drawn, graph, titled('x'), 'ArrowDown')?.item.kind).toBe('kernel');
    expect(move(drawn, graph, titled('x'), 'ArrowRight')?.item.title).toBe('weights');
  });

  it('go into an open kernel and out of it', () => {
    const inside = move(drawn, graph, 'kernel k0', 'ArrowDown');
    expect(inside?.item.parent).toBe('kernel k0');
    expect(move(drawn, graph, titled('unfold'), 'ArrowUp')?.item.id).toBe('kernel k0');
  });

  it('start somewhere', () => expect(move(drawn, graph, 'gone', 'ArrowDown')).toBeDefined());
});

it('finds the innermost box at a point', () => {
  const { scene: drawn } = scene(conv2dProfile(), sugiyamaLayout, 'TB', true);
  const box = drawn.boxes.find((one) => one.item.title === 'matmul');
  expect(box && boxAt(drawn, [box.x + 2, box.y + 2])?.item.title).toBe('matmul');
  expect(boxAt(drawn, [-100, -100])).toBeUndefined();
});
