/** @file Shapes that the text alone tells. In: an expression. Out: the shape of the tensor, where every size is known. */
import { ts, type TS } from '../typescript.ts';
import { bare } from './functions.ts';
import { constantOf } from './numbers.ts';
import type { Types } from './types.ts';
import { tensorCall } from './uses.ts';
import { resolved } from './writes.ts';

const MAKERS = new Set(['zeros', 'ones', 'rand', 'randn', 'empty', 'full']);
const SAME = new Set([
  'relu',
  'exp',
  'log',
  'sigmoid',
  'tanh',
  'neg',
  'abs',
  'sqrt',
  'square',
  'gelu',
  'softmax',
  'clone',
  'contiguous',
  'detach',
  'to',
  'sin',
  'cos',
]);
export const ELEMENTWISE = new Set(['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'lt', 'gt', 'le', 'ge', 'eq', 'ne']);

function list(node: TS.Expression | undefined, types: Types): number[] | undefined {
  const at = node && resolved(node, types);
  if (!at || !ts.isArrayLiteralExpression(at)) return undefined;
  const sizes = at.elements.map((e) => constantOf(e, types));
  return sizes.includes(undefined) ? undefined : (sizes as number[]);
}

export function shapeOf(node: TS.Expression, types: Types, depth = 0): readonly number[] | undefined {
  const at = resolved(bare(node), types);
  if (depth > 16 || !ts.isCallExpression(at)) return undefined;
  const call = tensorCall(at, types);
  if (!call) {
    const name = types.ownName(at.expression) ?? '';
    if (MAKERS.has(name)) return list(at.arguments[0], types);
    if (name === 'randint') return list(at.arguments[2], types);
    if (name === 'eye') {
      const sizes = at.arguments.slice(0, 2).map((a) => constantOf(a, types));
      const [rows, columns = rows] = sizes;
      return rows === undefined || columns === undefined || sizes.includes(undefined) ? undefined : [rows, columns];
    }
    return name === 'tensor' ? literalShape(at.arguments[0]) : undefined;
  }
  const on = () => shapeOf(call.on, types, depth + 1);
  const { arguments: args } = call.call;
  if (SAME.has(call.name)) return on();
  if (call.name === 'view' || call.name === 'reshape') {
    const shape = list(args[0], types);
    return shape?.includes(-1) ? undefined : shape;
  }
  if (call.name === 't') {
    const shape = on();
    return shape?.length === 2 ? [...shape].reverse() : undefined;
  }
  if (call.name === 'transpose') {
    const shape = on();
    const dims = args.map((a) => constantOf(a, types));
    const [a, b] = dims.map((d) => (d === undefined || !shape ? undefined : d < 0 ? d + shape.length : d));
    if (!shape || a === undefined || b === undefined) return undefined;
    const swapped = [...shape];
    [swapped[a], swapped[b]] = [shape[b] ?? 1, shape[a] ?? 1];
    return swapped;
  }
  const [other] = args;
  if (call.name === 'matmul' && other) {
    const [a, b] = [on(), shapeOf(other, types, depth + 1)];
    return a?.length === 2 && b?.length === 2 ? [a[0] ?? 1, b[1] ?? 1] : undefined;
  }
  if (ELEMENTWISE.has(call.name) && other) {
    const a = on();
    if (types.kind(types.of(other)) === 'number') return a;
    const b = shapeOf(other, types, depth + 1);
    return a && b ? broadcast(a, b) : undefined;
  }
  return undefined;
}

function literalShape(node: TS.Expression | undefined): number[] | undefined {
  if (!node) return undefined;
  const at = bare(node);
  if (ts.isNumericLiteral(at)) return [];
  if (!ts.isArrayLiteralExpression(at) || at.elements.some(ts.isSpreadElement)) return undefined;
  const inner = at.elements[0] ? literalShape(at.elements[0]) : [];
  return inner && [at.elements.length, ...inner];
}

/** The common shape; `undefined` where there is none. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const shape: number[] = [];
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const [m, n] = [a.at(-i) ?? 1, b.at(-i) ?? 1];
    if (i > a.length || i > b.length) shape.unshift(i > a.length ? n : m);
    else if (m !== n && m !== 1 && n !== 1) return undefined;
    else shape.unshift(m === 1 ? n : m);
  }
  return shape;
}
