import { describe, expect, it } from 'vitest';
import { duration } from '../../extension/editor/duration.ts';
import { lineCosts } from '../../extension/editor/lineCosts.ts';
import type { Profile, ProfileNode } from '../../runtime/profile/model.ts';

const file = '/project/module.ts';

function node(id: string, op: string, line: number, more: Partial<ProfileNode> = {}): Partial<ProfileNode> {
  return { id, op, span: { file, line, column: 5 }, fate: 'kernel', kernel: 'k0', eagerDispatches: 1, ...more };
}

function profile(nodes: Partial<ProfileNode>[], kind = 'gpu'): Profile {
  const kernels = [{ id: 'k0', name: 'fused_0', mode: 'traced', nodes: nodes.map(({ id }) => id), ms: 2.9 }];
  return { nodes, kernels, device: { name: 'SwiftShader', kind } } as unknown as Profile;
}

describe('lineCosts', () => {
  it('adds up the ops of a line', () => {
    const nodes = [
      node('a', 'matmul', 4, { eagerMs: 1 }),
      node('b', 'matmul', 4, { eagerMs: 2 }),
      node('c', 'add', 4, { eagerMs: 0.5 }),
      node('d', 'relu', 9, { eagerMs: 1.5 }),
    ];
    expect(lineCosts(profile(nodes), file)).toMatchObject([
      {
        line: 4,
        text: '3.50 ms eager · 70 %',
        details: ['2 × matmul, 1 × add', 'Eager: 3.50 ms in 3 dispatches', 'Traced: in fused_0 (2.90 ms) with 4 ops'],
      },
      { line: 9, text: '1.50 ms eager · 30 %' },
    ]);
  });

  it('leaves out a time that was not measured, and inputs, and other files', () => {
    const elsewhere = { span: { file: '/other.ts', line: 1, column: 1 } };
    const nodes = [node('a', 'matmul', 9), node('b', 'input', 2, { fate: 'input' }), node('c', 'add', 3, elsewhere)];
    expect(lineCosts(profile(nodes), file).map(({ line, text }) => [line, text])).toEqual([[9, 'fused_0']]);
  });

  it('says what became of a line without a kernel', () => {
    const view = node('a', 'view', 7, { fate: 'view' });
    const unused = node('b', 'add', 8, { fate: 'unused', kernel: undefined });
    expect(lineCosts(profile([view, unused]), file).map(({ text }) => text)).toEqual(['free', 'unused when traced']);
  });

  it('calls a scripted run scripted', () => {
    const lines = [node('a', 'add', 4), node('b', 'view', 8, { fate: 'shared', kernel: undefined })];
    const costs = lineCosts({ ...profile(lines), compiledAs: 'scripted' }, file);
    expect(costs[0]?.details).toContain('Scripted: in fused_0 (2.90 ms) with 2 ops');
    expect(costs[1]?.text).toBe('free when scripted');
  });

  it('never calls a software time a GPU time', () => {
    const [cost] = lineCosts(profile([node('a', 'matmul', 4, { eagerMs: 1 })], 'software'), file);
    expect(cost?.details.at(-1)).toBe('Times are of SwiftShader, not of a GPU');
  });
});

describe('duration', () => {
  it.each([
    [0.0421, '42.1 µs'],
    [0.9994, '999 µs'],
    [3.214, '3.21 ms'],
    [35.52, '35.5 ms'],
    [512.4, '512 ms'],
    [1234, '1.23 s'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});
