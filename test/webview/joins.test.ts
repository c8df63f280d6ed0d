/** @file Ids are joined both ways: ops to kernels, lines to ops, views to the kernels that they feed. */
import { describe, expect, it } from 'vitest';
import { indexProfile, lineKey, sourceText } from '../../webview/model/joins.ts';
import { exists, marksOf, placeOf } from '../../webview/model/selection.ts';
import { at, FILE, kernel, NodeList, profile } from '../fixtures/builder.ts';
import { conv2dProfile } from '../fixtures/profiles.ts';

const index = indexProfile(conv2dProfile());

describe('homes', () => {
  it('puts views into the kernel that they feed, and inputs nowhere', () => {
    const op = (name: string) => index.profile.nodes.find((node) => node.op === name)?.id ?? '';
    expect(index.home.get(op('transpose'))).toBe('k0');
    expect(index.home.get(op('zeros'))).toBe('k0');
    expect(index.home.get(op('input'))).toBeUndefined();
    expect(index.home.size).toBe(index.profile.nodes.length - 2);
  });

  it('takes the earliest of several consumers, else the producer', () => {
    const list = new NodeList();
    const x = list.add('input', at(1), [], { shape: [4], fate: 'input' });
    const view = list.add('view', at(2), [x], { shape: [4] });
    const late = list.add('add', at(3), [view], { shape: [4], kernel: 'b' });
    const early = list.add('mul', at(4), [view], { shape: [4], kernel: 'a' });
    const last = list.add('view', at(5), [late], { shape: [4] });
    const nodesOf = (id: string) => list.nodes.filter((node) => node.kernel === id);
    const kernels = ['a', 'b'].map((id) => kernel(id, nodesOf(id), { name: id }));
    const { home } = indexProfile(profile({ nodes: list.nodes, kernels }));
    expect([home.get(view), home.get(early), home.get(last)]).toEqual(['a', 'a', 'b']);
  });
});

describe('marks', () => {
  it('finds the ops and the kernel of a line', () => {
    const marks = marksOf(index, { kind: 'line', file: FILE, line: 29 });
    expect(marks.nodes.size).toBe(96);
    expect([...marks.kernels]).toEqual(['k0']);
    expect(index.byLine.get(lineKey(at(29)))).toHaveLength(96);
  });

  it('finds the ops of a kernel, and nothing of what is gone', () => {
    expect(marksOf(index, { kind: 'kernel', id: 'k0' }).nodes.size).toBe(98);
    expect(exists(index, { kind: 'node', id: '%9999' })).toBe(false);
    expect(marksOf(index, undefined).nodes.size).toBe(0);
  });

  it('knows the place to show and its text', () => {
    const span = placeOf(index, { kind: 'kernel', id: 'k0' });
    expect(span && sourceText(index.profile, span)).toContain('matmul');
  });
});

it('sums only what was measured', () => {
  expect(index.tracedMs).toBeCloseTo(0.0272);
  expect(indexProfile(profile({})).tracedMs).toBeUndefined();
});
