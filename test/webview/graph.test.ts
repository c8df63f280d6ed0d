/** @file The graph as drawn: folding, closed kernels, loops, inputs and outputs. */
import { describe, expect, it } from 'vitest';
import { backLinks, buildGraph, describe as describeItem, initiallyExpanded, outputNodes } from '../../webview/model/graph.ts';
import type { GraphOptions } from '../../webview/model/graphItems.ts';
import { indexProfile } from '../../webview/model/joins.ts';
import { at, kernel, NodeList, profile, tensor } from '../fixtures/builder.ts';
import { conv2dProfile, largeProfile, lstmProfile } from '../fixtures/profiles.ts';

const conv = indexProfile(conv2dProfile());
const options = (change: Partial<GraphOptions>): GraphOptions => ({
  expanded: new Set(),
  fold: true,
  quiet: true,
  metric: 'time',
  ...change,
});

describe('closed kernels', () => {
  const graph = buildGraph(conv, options({}));

  it('draws inputs, the kernel, the output and what flows between', () => {
    expect([...graph.items.values()].map((item) => item.kind).sort()).toEqual(['input', 'input', 'kernel', 'output']);
    expect(graph.edges.map((edge) => edge.label)).toContain('[1, 3, 512, 512]');
    expect(graph.producers.get('kernel k0')).toHaveLength(2);
  });

  it('titles a kernel with time and share', () => {
    expect(graph.items.get('kernel k0')?.lines[0]?.replaceAll('\u202f', ' ')).toBe('27.2 µs · 100 %');
    const item = graph.items.get('kernel k0');
    expect(item && describeItem(item, graph)).toContain('kernel fused_unfold_matmul_add, 27.2');
  });
});

describe('open kernels', () => {
  it('draws the ops of one call as one box', () => {
    const graph = buildGraph(conv, options({ expanded: new Set(['k0']) }));
    const matmul = [...graph.items.values()].find((item) => item.title === 'matmul');
    expect(matmul?.badge).toBe('×48');
    expect(matmul?.parent).toBe('kernel k0');
    expect(matmul?.heat).toBe(1);
    expect(graph.items.size).toBeLessThan(20);
  });

  it('draws each op without folding', () => {
    expect(buildGraph(conv, options({ expanded: new Set(['k0']), fold: false })).items.size).toBe(347);
  });

  it('leads edges through views that are not drawn', () => {
    const graph = buildGraph(conv, options({ expanded: new Set(['k0']), quiet: false }));
    const [contiguous, matmul] = ['contiguous', 'matmul'].map(
      (title) => [...graph.items.values()].find((item) => item.title === title)?.id,
    );
    expect(graph.edges.some((edge) => edge.from === contiguous && edge.to === matmul)).toBe(true);
    expect([...graph.items.values()].some((item) => item.subdued)).toBe(false);
  });
});

describe('loops', () => {
  it('finds the links that close them', () => {
    const links = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['a', 'c'],
      ['d', 'd'],
    ].map(([from = '', to = '']) => ({ from, to }));
    expect([...backLinks(links)]).toEqual([2, 4]);
  });

  it('marks what a folded recurrence carries', () => {
    const list = new NodeList();
    let h = list.add('input', at(1), [], { shape: [4], fate: 'input' });
    for (let step = 0; step < 3; step++) {
      const product = list.add('matmul', at(3), [h], { shape: [4], kernel: 'k' });
      h = list.add('tanh', at(4), [product], { shape: [4], kernel: 'k' });
    }
    const kernels = [kernel('k', list.nodes.slice(1), { name: 'k' })];
    const index = indexProfile(profile({ nodes: list.nodes, kernels, outputs: [tensor(4)] }));
    const graph = buildGraph(index, options({ expanded: new Set(['k']) }));
    expect(graph.edges.filter((edge) => edge.back)).toHaveLength(1);
    expect(graph.edges.find((edge) => edge.back)?.label).toBe('[4] ×2');
  });
});

it('names outputs only where they are beyond doubt', () => {
  expect(outputNodes(conv)).toHaveLength(1);
  expect(outputNodes(indexProfile({ ...conv2dProfile(), outputs: [tensor(7)] }))).toEqual([]);
});

it('opens what fits a screen', () => {
  expect(initiallyExpanded(conv)).toEqual(['k0']);
  expect(initiallyExpanded(indexProfile(lstmProfile()))).toEqual([]);
  expect(initiallyExpanded(indexProfile(largeProfile(2000)))).toEqual([]);
});
