/** @file Tensors that share memory. In: a function. Out: for a name, the other names of views of the same memory. */
import type { Context } from '../context.ts';
import { ts, type TS } from '../typescript.ts';
import { bare, walk } from './functions.ts';
import { tensorCall } from './uses.ts';

const VIEWS = new Set([
  'view',
  'reshape',
  'flatten',
  'permute',
  'transpose',
  't',
  'expand',
  'squeeze',
  'unsqueeze',
  'select',
  'slice',
  'diagonal',
  'detach',
  'narrow',
  'movedim',
  'unflatten',
  'unfold',
]);

/** The name whose memory an expression is a view of: `x` for `x.view([2]).t()`. */
export function baseOf(node: TS.Expression, { types }: Context): TS.Identifier | undefined {
  let at = bare(node);
  for (;;) {
    if (ts.isIdentifier(at)) return at;
    const call = tensorCall(at, types);
    if (!call || !VIEWS.has(call.name)) return undefined;
    at = bare(call.on);
  }
}

/** Names of the same memory as `symbol`, itself not among them. */
export function sharedWith(symbol: TS.Symbol, root: TS.Node, context: Context): Set<TS.Symbol> {
  const pairs: [TS.Symbol, TS.Symbol][] = [];
  walk(root, (node) => {
    if (!ts.isVariableDeclaration(node) || !node.initializer || !ts.isIdentifier(node.name)) return true;
    if (!context.types.mayBeTensor(context.type(node.name))) return true;
    const base = baseOf(node.initializer, context);
    const [a, b] = [context.types.symbol(node.name), base && context.types.symbol(base)];
    if (a && b) pairs.push([a, b]);
    return true;
  });
  const names = new Set([symbol]);
  for (let size = 0; size !== names.size;) {
    size = names.size;
    for (const [a, b] of pairs) if (names.has(a) !== names.has(b)) names.add(a).add(b);
  }
  names.delete(symbol);
  return names;
}

/** A call that writes into its tensor: `x.add_(1)`. */
export function inPlaceCall(node: TS.Node, context: Context) {
  const call = tensorCall(node, context.types);
  if (!call || !/^[a-zA-Z0-9]+_$/.test(call.name) || call.name === 'requiresGrad_') return undefined;
  return call;
}
